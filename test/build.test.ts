import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { buildFunction } from './build.ts';
import { readManifests, repositoryRoot } from './local/manifests.ts';

test('a bundled function starts under functions-framework and answers', { timeout: 60_000 }, async () => {
  const folder = (await readManifests()).find(({ manifest }) => manifest.name === 'tenant-api')!;
  // Inside the repository, so that the one package left out of the bundle is found as it is after a deployment.
  const outDir = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  const port = await freePort();
  try {
    await buildFunction(folder, outDir);
    expect(JSON.parse(await readFile(join(outDir, 'package.json'), 'utf8'))).toMatchObject({ name: 'tenant-api' });
    const server = spawn(
      join(repositoryRoot, 'node_modules', '.bin', 'node'),
      [
        join(repositoryRoot, 'node_modules', '@google-cloud', 'functions-framework', 'build', 'src', 'main.js'),
        '--source',
        outDir,
        '--target',
        'tenant-api',
        '--port',
        String(port),
      ],
      {
        env: {
          PATH: process.env['PATH'],
          GOOGLE_CLOUD_PROJECT: 'kobi-build',
          CONNECT_BASE_URL: 'http://127.0.0.1:1/connect-meta',
          SECRET_MANAGER_EMULATOR_HOST: '127.0.0.1:1',
          FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
          PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      const lines = createInterface(server.stdout);
      for await (const line of lines) if (line.startsWith('URL:')) break;
      const answer = await fetch(`http://127.0.0.1:${port}/nowhere`);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { code: 'not-found' } });
    } finally {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
  } finally {
    await rm(outDir, { recursive: true });
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
