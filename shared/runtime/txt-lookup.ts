import { Resolver } from 'node:dns/promises';

/** What public DNS says about the TXT records of a name. `unknown`: it did not answer, which proves nothing. */
export type TxtAnswer =
  | { readonly kind: 'found'; readonly values: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' };

/** Asks public DNS for the TXT records of a name. Never throws. */
export type TxtLookup = (name: string) => Promise<TxtAnswer>;

/** "There is no such name" and "the name has no TXT record". */
const meansNone: readonly unknown[] = ['ENOTFOUND', 'ENODATA'];

/**
 * Looks up TXT records past every cache of this process; a value that DNS splits into strings of 255 bytes is put
 * together again.
 *
 * @param server `host:port` of one server to ask; the machine's own servers when absent
 */
export function createTxtLookup({ server }: { readonly server?: string | undefined } = {}): TxtLookup {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (server !== undefined) resolver.setServers([server]);
  return async (name) => {
    try {
      return { kind: 'found', values: (await resolver.resolveTxt(name)).map((strings) => strings.join('')) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return { kind: meansNone.includes(code) ? 'none' : 'unknown' };
    }
  };
}
