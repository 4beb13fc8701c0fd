import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

it('what was counted is written when functions-framework is told to end, before it does', async () => {
  const firestore = await startEmbeddedFirestore({ projectId: 'kobi-counting' });
  const port = await freePort();
  const framework = dirname(createRequire(import.meta.url).resolve('@google-cloud/functions-framework'));
  const source = join(import.meta.dirname, 'fixtures', 'counting-function.ts');
  const child = spawn(
    process.execPath,
    [join(framework, 'main.js'), '--source', source, '--target', 'counting', '--port', String(port)],
    { env: { ...process.env, FIRESTORE_EMULATOR_HOST: firestore.host }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  for (let request = 0; request < 3; request += 1) await fetch(`http://127.0.0.1:${port}/`);
  const [before, after] = [JSON.stringify(firestore.dump()), ended.then(() => JSON.stringify(firestore.dump()))];
  child.kill('SIGTERM');
  expect(before).not.toContain('Purchase|received');
  expect(await after).toMatch(/Purchase\|received":\s*3/);
  await firestore.close();
});
