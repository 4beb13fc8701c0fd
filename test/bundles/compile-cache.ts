/**
 * Node's compile cache, made where the function will run: Google's builder runs the script `gcp-build` of a function's
 * package.json with the Node of the image (docs.cloud.google.com/run/docs/runtimes/nodejs, "NPM build script"), and only
 * that very version can read it. At run time `NODE_COMPILE_CACHE` names the folder (`terraform/functions.tf`).
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** In a bundle's folder. */
const folderName = '.compile-cache';
const scriptName = 'fill-compile-cache.mjs';

export const gcpBuild = `NODE_COMPILE_CACHE=${folderName} node ${scriptName}`;

/** Where a bundle has its cache. */
export function compileCacheOf(folder: string): string {
  return join(folder, folderName);
}

/** The script a bundle brings: it runs what a start runs, and reads the chunks that are read later. */
export function compileCacheScript(functionName: string): { readonly name: string; readonly code: string } {
  return {
    name: scriptName,
    code: `// Fills Node's compile cache while the image is built. Without it a start is slower and nothing else, so no error counts.
import { readdir } from 'node:fs/promises';
try {
  const { getTestServer } = await import('@google-cloud/functions-framework/testing');
  await import('./index.js');
  getTestServer(${JSON.stringify(functionName)});
  for (const file of await readdir(import.meta.dirname)) {
    if (file.endsWith('.js')) await import(\`./\${file}\`);
  }
} catch (error) {
  console.error(error);
}
process.exit(0);
`,
  };
}

/** Fills a bundle's cache as Google's builder would, with the Node of this process. */
export async function fillCompileCache(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [scriptName], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compileCacheOf(folder) },
  });
}
