/**
 * Makes `script.ts`, the text that is served, of `kobi.ts`: `node functions/relay/capi-relay/browser/build-script.ts`.
 * The result is kept in the repository so that neither a deployed bundle nor a local start needs a compiler; a test holds
 * it against its source.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The script as visitors get it. */
export async function builtScript(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { installKobi } from './kobi.ts'; installKobi(window);`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2017',
    legalComments: 'none',
    write: false,
  });
  return outputFiles[0]?.text.trimEnd() ?? '';
}

/** The module that holds it. A template, since a quoted text would be rewritten by the formatter. */
export function scriptModule(script: string): string {
  const text = script.replace(/[\\`]|\$\{/g, '\\$&');
  return `/** Made of kobi.ts by build-script.ts; not to be edited. */\nexport const kobiScript = \`${text}\`;\n`;
}

if (import.meta.main) await writeFile(join(import.meta.dirname, 'script.ts'), scriptModule(await builtScript()));
