/** A bundle under functions-framework in a process of its own, as the platform starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';
import { functionEnvironment, googleLibraryEnvironment } from '../local/environment.ts';
import type { GoogleServices } from '../local/google-services.ts';
import { repositoryRoot } from '../local/manifests.ts';
import { seed } from '../simulator/seed.ts';
import { compileCacheOf } from './compile-cache.ts';

const node = join(repositoryRoot, 'node_modules', '.bin', 'node');
const framework = join(repositoryRoot, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
/** Nothing listens there: a bundle's first answer needs neither Meta nor another function. */
const nobody = 'http://127.0.0.1:1';

export interface ServedBundle {
  /** The first answer of the process, whatever it is. */
  readonly status: number;
  readonly body: string;
  /** What it wrote until then. */
  readonly log: readonly string[];
  /** From starting the process to listening, and to the whole of the first answer. */
  readonly listensAfterMs: number;
  readonly answersAfterMs: number;
  /** Processor time of the process until listening, and until that answer; 0 where `/proc` does not tell. */
  readonly listensCpuMs: number;
  readonly answersCpuMs: number;
  /** Resident memory after that answer; undefined where `/proc` does not tell (not Linux). */
  readonly residentBytes: number | undefined;
}

/** What a function is asked first: a page it does not have, a message it cannot read, or its job with nothing to do. */
export function firstRequest(
  trigger: FunctionManifest['trigger'],
  projectId: string,
): { path: string; init: RequestInit } {
  if ('http' in trigger) return { path: '/nowhere', init: {} };
  const headers = { 'content-type': 'application/json' };
  if (!('topic' in trigger)) return { path: '/', init: { method: 'POST', headers, body: '{}' } };
  const message = { messageId: '1', publishTime: '2026-11-25T00:00:00Z', data: Buffer.from('{}').toString('base64') };
  return {
    path: `/projects/${projectId}/topics/${trigger.topic}`,
    init: { method: 'POST', headers, body: JSON.stringify({ message, subscription: 'check' }) },
  };
}

/**
 * Starts a bundle against Google's services of this machine, asks it once, and ends it.
 *
 * @throws Error when it ends or says nothing within `patienceMs`
 */
export async function serveOnce(options: {
  readonly folder: string;
  readonly name: string;
  readonly trigger: FunctionManifest['trigger'];
  readonly google: Pick<GoogleServices, 'projectId' | 'hosts'>;
  readonly patienceMs?: number;
}): Promise<ServedBundle> {
  const { folder, name, trigger, google, patienceMs = 120_000 } = options;
  const port = await freePort();
  const environment = functionEnvironment({ LOG_LEVEL: 'error' }, seed, {
    projectId: google.projectId,
    host: nobody,
    graph: nobody,
    dialog: nobody,
    dns: '127.0.0.1:53',
    ...google.hosts,
  });
  const startedAtMs = performance.now();
  const child = spawn(node, [framework, '--source', folder, '--target', name, '--port', String(port)], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compileCacheOf(folder),
      ...environment,
      ...googleLibraryEnvironment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const said: string[] = [];
  createInterface(child.stderr).on('line', (line) => said.push(line));
  const signal = AbortSignal.timeout(patienceMs);
  signal.addEventListener('abort', () => child.kill('SIGKILL'));
  try {
    await listening(child.stdout, said).catch(() => {
      throw new Error(`${name} ended before it listened\n${said.join('\n')}`);
    });
    const listensAfterMs = performance.now() - startedAtMs;
    const listensCpuMs = await processorMs(child.pid);
    const { path, init } = firstRequest(trigger, google.projectId);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal });
    const body = await answer.text();
    const answersAfterMs = performance.now() - startedAtMs;
    return {
      status: answer.status,
      body,
      log: said,
      listensAfterMs,
      answersAfterMs,
      listensCpuMs,
      answersCpuMs: await processorMs(child.pid),
      residentBytes: await residentBytes(child.pid),
    };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** Resolves with the line that tells the address; rejects when the output ends without it. */
function listening(output: Readable, said: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    createInterface(output)
      .on('line', (line) => {
        said.push(line);
        if (line.startsWith('URL:')) resolve();
      })
      .on('close', reject);
  });
}

async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Ticks are of ten milliseconds wherever Linux runs Node. */
const tickMs = 10;

async function processorMs(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => '');
  // What stands behind the name in brackets, which may hold spaces: user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tickMs || 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
