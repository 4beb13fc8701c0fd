/** `npm start` as a person types it: a process of its own, its output and its exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/server.ts';
import { repositoryRoot } from './manifests.ts';

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const anyPorts = ['--port', '0', '--simulator-port', '0'];
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function start(args: readonly string[], variables: Record<string, string> = {}) {
  const child = spawn(join(repositoryRoot, 'node_modules', '.bin', 'node'), ['test/local/start.ts', ...args], {
    cwd: repositoryRoot,
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const finished: Promise<Run> = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([out, err, [code]]) => ({ out, err, code: code as number | null }),
  );
  return { child, finished };
}

const run = (args: readonly string[], variables?: Record<string, string>): Promise<Run> =>
  start(args, variables).finished;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('npm start', { timeout: 120_000 }, () => {
  test('--once --json takes the demo tenant live, runs every schedule once, exits 0 and ends with the summary', async () => {
    const { code, out, err } = await run(['--once', '--json', ...anyPorts]);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+$/m);
    const summary: unknown = JSON.parse(out.trimEnd().split('\n').at(-1)!);
    expect(summary).toMatchObject({
      tenant: 'acme-shop',
      status: 'live',
      events: { sent: 6, delivered: 5, refused: 1 },
      catalog: { items: 11, gate: 'unknown' },
      schedules: { jobs: 12, band: 'green' },
    });
    // Not a terminal: no colours.
    expect(out).not.toContain('\u001b[');
  });

  test('--bundles takes it live with the code that is deployed, and --graph-url sends every Graph call to that address', async () => {
    const simulator = await startSimulator({ port: 0 });
    closers.push(() => simulator.close());
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(request.url ?? '');
      const onward = httpRequest(
        `${simulator.url}${request.url}`,
        { method: request.method, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    const port = await listening(proxy);
    const graphUrl = `http://127.0.0.1:${port}/`;
    const { code, out, err } = await run(['--once', '--json', '--bundles', ...anyPorts, '--graph-url', graphUrl]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const { graphCalls } = JSON.parse(out.trimEnd().split('\n').at(-1)!) as { graphCalls: number };
    // The app is subscribed to its webhooks before the demo begins to count.
    const others = ['/dialog/', '/subscriptions'];
    const graphPaths = seen.filter((url) => /^\/v\d/.test(url) && !others.some((other) => url.includes(other)));
    expect(graphPaths.length).toBe(graphCalls);
    expect(graphCalls).toBeGreaterThan(20);
  });

  test('without --once it stays up until it is told to end, and ends cleanly', async () => {
    const { child, finished } = start(['--no-demo', ...anyPorts]);
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Running at')) child.kill('SIGINT');
    });
    expect(await finished).toMatchObject({ code: 0, err: '' });
  });

  test('a wrong option is named, the valid ones are listed, and the exit code is 2', async () => {
    const { code, err } = await run(['--onec']);
    expect(code).toBe(2);
    expect(err).toContain("'--onec'");
    expect(err).toContain('--simulator-port N');
  });

  test('a port in use is named with the option that chooses another, and the exit code is 1', async () => {
    const port = String(await listening(createServer()));
    const busy = await run(['--once', '--port', port, '--simulator-port', '0']);
    expect(busy).toMatchObject({ code: 1, out: '' });
    expect(busy.err).toContain(`Port ${port} is in use`);
    const busySimulator = await run(['--once', '--port', '0', '--simulator-port', port]);
    expect(busySimulator).toMatchObject({ code: 1, out: '' });
    expect(busySimulator.err).toContain('--simulator-port N');
  });

  test('wrong variables stop the start, every one of them listed, none shown', async () => {
    const { code, out, err } = await run(['--once', ...anyPorts], {
      META_APP_ID: 'my-secret-app',
      PROVISIONING_PATH: 'sideways',
      LOG_LEVEL: 'loud',
    });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    for (const name of ['META_APP_ID', 'PROVISIONING_PATH', 'LOG_LEVEL']) expect(err).toContain(name);
    expect(err).not.toContain('my-secret-app');
  });
});
