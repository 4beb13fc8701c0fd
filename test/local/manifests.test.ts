import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManifestError, readManifests } from './manifests.ts';

const valid = {
  name: 'echo',
  trigger: { http: ['/'] },
  callers: 'public',
  emits: [],
  timeoutSeconds: 10,
  memoryMiB: 256,
  concurrency: 1,
  secrets: [],
  variables: [],
  why: 'answers what it was asked',
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kobi-manifests-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(folder: string, content: unknown): Promise<void> {
  await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, folder, 'function.json'), typeof content === 'string' ? content : JSON.stringify(content));
}

test('every function is found, in the order of the folders', async () => {
  await write('functions/b/two', { ...valid, name: 'two' });
  await write('functions/a/one', { ...valid, name: 'one' });
  expect((await readManifests(root)).map(({ folder }) => folder)).toEqual(['functions/a/one', 'functions/b/two']);
});

test('every problem of every manifest is named with its file and field', async () => {
  await write('functions/a/bad', { ...valid, name: 'bad', memoryMiB: 300, emits: ['no-such-topic'], extra: 1 });
  await write('functions/a/broken', '{');
  await write('functions/a/echo', valid);
  await write('functions/b/echo', valid);
  const failure: unknown = await readManifests(root).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ManifestError);
  const problems = (failure as ManifestError).problems.join('\n');
  expect(problems).toContain('functions/a/bad/function.json: memoryMiB');
  expect(problems).toContain('functions/a/bad/function.json: emits.0');
  expect(problems).toContain('functions/a/bad/function.json: extra');
  expect(problems).toContain('functions/a/broken/function.json: not JSON');
  expect(problems).toContain('functions/b/echo/function.json: name "echo" is also that of functions/a/echo');
});
