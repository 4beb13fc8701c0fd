import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const packageFolder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const licenceFile = /^(licen[cs]e|copying|notice)/i;

/**
 * The licences of every package that source files come from, as one text for a bundle's `LICENSES.txt`.
 *
 * @param inputs paths relative to `root`, as esbuild's metafile names them; those outside `node_modules` are ours
 * @throws Error naming a package that says nothing about its licence: it must not be shipped unseen
 */
export async function licencesOf(inputs: readonly string[], root: string): Promise<string> {
  const folders = new Set(inputs.flatMap((path) => packageFolder.exec(path)?.[0] ?? []));
  const entries = await Promise.all([...folders].toSorted().map((folder) => licenceOf(join(root, folder))));
  return [...new Set(entries)].join(`\n${'-'.repeat(80)}\n\n`);
}

const known = new Map<string, Promise<string>>();

function licenceOf(folder: string): Promise<string> {
  const read = known.get(folder) ?? readLicence(folder);
  known.set(folder, read);
  return read;
}

async function readLicence(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Readonly<
    Record<'name' | 'version', string>
  > & { readonly license?: unknown };
  const files = (await readdir(folder)).filter((file) => licenceFile.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  if (typeof license !== 'string' && texts.length === 0) throw new Error(`${name}@${version} names no licence`);
  const heading = `${name}@${version} (${typeof license === 'string' ? license : 'see below'})`;
  return [heading, ...texts.map((text) => text.trim())].join('\n\n') + '\n';
}
