import { join } from 'node:path';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';
import { startGoogleServices } from '../local/google-services.ts';
import { fillCompileCache } from './compile-cache.ts';
import { serveOnce } from './serve.ts';

/** More would not be quicker: a starting process fills a core. */
const atATime = 2;

/**
 * Builds every bundle of `dist` as Google's builder would, starts it and asks it once: an HTTP function must answer 404 for a page it does not have, one that
 * hears a topic must take an unreadable message (it becomes a dead letter), a job must run on an empty database.
 *
 * @returns a line for each bundle that does not, with what came instead
 */
export async function checkBundles(manifests: readonly FunctionManifest[], dist: string): Promise<string[]> {
  const google = await startGoogleServices('embedded');
  try {
    const problems: string[] = [];
    const queue = [...manifests];
    const work = async (): Promise<void> => {
      for (let manifest = queue.shift(); manifest !== undefined; manifest = queue.shift()) {
        const { name, trigger } = manifest;
        try {
          await fillCompileCache(join(dist, name));
          const { status, body, log } = await serveOnce({ folder: join(dist, name), name, trigger, google });
          const isRight = 'http' in trigger ? status === 404 : status >= 200 && status < 300;
          if (!isRight) problems.push([`${name} answered ${status}: ${body.slice(0, 300)}`, ...log].join('\n'));
        } catch (error) {
          problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: atATime }, work));
    return problems;
  } finally {
    await google.close();
  }
}
