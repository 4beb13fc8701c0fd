import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { builtScript, scriptModule } from './build-script.ts';
import { kobiScript } from './script.ts';
import { snippet } from './snippet.ts';

test('the served script is what its source compiles to (else run build-script.ts)', async () => {
  const built = await builtScript();
  expect(kobiScript).toBe(built);
  expect(await readFile(join(import.meta.dirname, 'script.ts'), 'utf8')).toBe(scriptModule(built));
});

test('the script is at most 4 KiB, 2 KiB compressed', () => {
  expect(Buffer.byteLength(kobiScript)).toBeLessThanOrEqual(4_096);
  expect(gzipSync(kobiScript).length).toBeLessThanOrEqual(2_048);
});

test('the snippet in the README is the one that is tested', async () => {
  const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
  expect(readme).toContain(snippet('https://events.shop.example/kobi.js'));
});
