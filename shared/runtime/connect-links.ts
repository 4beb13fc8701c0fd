import { signConnectLink, signPageChoice, verifyConnectLink, verifyPageChoice } from '../domain/connect-link.ts';
import type { LinkVerdict, PageChoice } from '../domain/connect-link.ts';
import type { SecretStore } from '../gcp/secret-store.ts';
import { linkSigningKey } from './link-signing-key.ts';

/** Signed links and choices of the connection flow, with the key from Secret Manager. */
export interface ConnectLinks {
  /** Address of `connect-meta` that starts this tenant's connection; good for 7 days. */
  urlFor(tenantId: string): Promise<string>;
  verify(tenantId: string, link: string): Promise<LinkVerdict>;
  signChoice(choice: PageChoice): Promise<string>;
  verifyChoice(text: string): Promise<PageChoice | undefined>;
}

/** @param baseUrl the address of `connect-meta` itself */
export function createConnectLinks(options: {
  secrets: Pick<SecretStore, 'latest'>;
  now: () => Date;
  baseUrl: string;
}): ConnectLinks {
  const { secrets, now, baseUrl } = options;
  const key = (): Promise<string> => linkSigningKey(secrets);
  return {
    async urlFor(tenantId) {
      const query = new URLSearchParams({ tenant: tenantId, link: signConnectLink(await key(), tenantId, now()) });
      return `${baseUrl}/start?${query.toString()}`;
    },
    verify: async (tenantId, link) => verifyConnectLink(await key(), tenantId, link, now()),
    signChoice: async (choice) => signPageChoice(await key(), choice),
    verifyChoice: async (text) => verifyPageChoice(await key(), text),
  };
}
