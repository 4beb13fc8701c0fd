/** Every function of the repository, found by its manifest: what the host mounts, the topics need and the tests compare. */
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import * as v from 'valibot';
import { functionManifestSchema } from '../../shared/contracts/function-manifest.ts';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';

export const repositoryRoot = join(import.meta.dirname, '..', '..');

/** A function as it lies on disk. */
export interface FunctionFolder {
  readonly manifest: FunctionManifest;
  /** Relative to the repository, with `/`: `functions/provisioning/02-create-child-business`. */
  readonly folder: string;
  /** Absolute path of the file that registers it. */
  readonly indexPath: string;
}

/** One or more manifests are not what their schema asks for; the message names file, field and expectation of each. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The function manifests are not right:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads every `function.json` under `functions/`, ordered by folder.
 *
 * @throws ManifestError listing every problem of every manifest, and names that two functions share.
 */
export async function readManifests(root: string = repositoryRoot): Promise<FunctionFolder[]> {
  const paths: string[] = [];
  for await (const path of glob('functions/**/function.json', { cwd: root })) paths.push(path);
  const problems: string[] = [];
  const found: FunctionFolder[] = [];
  for (const path of paths.sort()) {
    const shown = path.split(sep).join('/');
    const manifest = parseManifest(shown, await readFile(join(root, path), 'utf8'), problems);
    if (manifest === undefined) continue;
    const twin = found.find((other) => other.manifest.name === manifest.name);
    if (twin !== undefined) problems.push(`${shown}: name "${manifest.name}" is also that of ${twin.folder}`);
    const folder = dirname(join(root, path));
    found.push({
      manifest,
      folder: relative(root, folder).split(sep).join('/'),
      indexPath: join(folder, 'index.ts'),
    });
  }
  if (problems.length > 0) throw new ManifestError(problems);
  return found;
}

function parseManifest(path: string, text: string, problems: string[]): FunctionManifest | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    problems.push(`${path}: not JSON (${error instanceof Error ? error.message : String(error)})`);
    return undefined;
  }
  const result = v.safeParse(functionManifestSchema, json);
  if (result.success) return result.output;
  for (const issue of result.issues) {
    const field = v.getDotPath(issue) ?? '(whole file)';
    problems.push(`${path}: ${field}: ${issue.message}`);
  }
  return undefined;
}
