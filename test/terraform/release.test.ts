/** Bundles are named by what is in them; the smoke test believes only a healthy answer. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packBundles } from '../../terraform/release/bundles.ts';
import { smokeTest } from '../../terraform/release/smoke.ts';

describe('bundles', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kobi-bundles-'));
    await mkdir(join(root, 'dist/echo/deep'), { recursive: true });
    await writeFile(join(root, 'dist/echo/index.js'), 'export {};\n');
    await writeFile(join(root, 'dist/echo/deep/more.js'), 'more\n');
  });
  afterEach(() => rm(root, { recursive: true }));
  const pack = (names = ['echo']): Promise<Record<string, string>> =>
    packBundles(join(root, 'dist'), names, join(root, 'out'));

  test('hold every file, under its path', async () => {
    const { echo = '' } = await pack();
    expect(echo).toMatch(/^echo\/[0-9a-f]{64}\.zip$/);
    const files = unzipSync(await readFile(join(root, 'out', echo)));
    expect(Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, strFromU8(bytes)]))).toEqual({
      'index.js': 'export {};\n',
      'deep/more.js': 'more\n',
    });
  });

  test('have the same name for the same content, whenever and in whatever time zone they were built', async () => {
    const first = await pack();
    await utimes(join(root, 'dist/echo/index.js'), new Date(0), new Date(0));
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Asia/Tokyo';
    try {
      expect(await pack()).toEqual(first);
    } finally {
      process.env['TZ'] = zone;
    }
  });

  test('have another name when a byte changed, so that the function is deployed again', async () => {
    const first = await pack();
    await writeFile(join(root, 'dist/echo/index.js'), 'export { };\n');
    expect((await pack())['echo']).not.toBe(first['echo']);
  });

  test('a function that was not built stops the release', async () => {
    await expect(pack(['echo', 'missing'])).rejects.toThrow('missing has no bundle');
  });
});

describe('the smoke test', () => {
  async function against(statuses: readonly number[]): Promise<{ complaint: string | undefined; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(statuses[asked.length - 1] ?? statuses.at(-1) ?? 500).end('{"status":"unreachable"}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const complaint = await smokeTest({ url, token: async () => 'id-token', sleep: async () => undefined });
      return { complaint, asked };
    } finally {
      server.close();
    }
  }

  test('is content once the deployed function says that it is healthy, and waits for rights that come late', async () => {
    const { complaint, asked } = await against([403, 503, 200]);
    expect(complaint).toBeUndefined();
    expect(asked).toEqual(Array<string>(3).fill('/health Bearer id-token'));
  });

  test('tells what was answered when it never is', async () => {
    expect((await against([503])).complaint).toBe('503 {"status":"unreachable"}');
  });
});
