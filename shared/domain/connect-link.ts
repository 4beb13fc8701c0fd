import { isSignatureOf, signText } from './signed-text.ts';

/**
 * Signed texts of the connection flow: the link the portal hands to its logged-in client, without which anybody could
 * connect a Page of their own to somebody's tenant; and the Page choice a form sends back.
 */

/** How long a client may take to follow the link. */
export const connectLinkLifeMs = 7 * 24 * 60 * 60 * 1000;

const linkPurpose = 'connect-link';

export type LinkVerdict = 'valid' | 'expired' | 'invalid';

/** `<expiry in Unix seconds>.<signature>`, good for this tenant only. */
export function signConnectLink(key: string, tenantId: string, now: Date): string {
  const expiresAtSeconds = Math.floor((now.getTime() + connectLinkLifeMs) / 1000);
  return `${expiresAtSeconds}.${signText(key, linkPurpose, linkText(tenantId, expiresAtSeconds))}`;
}

export function verifyConnectLink(key: string, tenantId: string, link: string, now: Date): LinkVerdict {
  const [, expiry, signature] = /^(\d{1,12})\.([\w-]{43})$/.exec(link) ?? [];
  if (expiry === undefined || signature === undefined) return 'invalid';
  if (!isSignatureOf(signature, key, linkPurpose, linkText(tenantId, Number(expiry)))) return 'invalid';
  return Number(expiry) * 1000 > now.getTime() ? 'valid' : 'expired';
}

/** What a client may choose from, as found at Meta a moment ago; it travels through the client's form. */
export interface PageChoice {
  /** Single use: the id of a state document. */
  readonly nonce: string;
  readonly tenantId: string;
  readonly metaUserId: string;
  readonly userTokenVersion: string;
  readonly pages: readonly { readonly id: string; readonly name: string }[];
}

/** `<payload>.<signature>`, both base64url. */
export function signPageChoice(key: string, choice: PageChoice): string {
  const payload = Buffer.from(JSON.stringify(choice)).toString('base64url');
  return `${payload}.${signText(key, 'page-choice', payload)}`;
}

/** The choice as it was signed; undefined when the text is not ours. Its age is the state document's matter. */
export function verifyPageChoice(key: string, text: string): PageChoice | undefined {
  const [, payload, signature] = /^([\w-]{1,20000})\.([\w-]{43})$/.exec(text) ?? [];
  if (payload === undefined || signature === undefined) return undefined;
  if (!isSignatureOf(signature, key, 'page-choice', payload)) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as PageChoice;
}

function linkText(tenantId: string, expiresAtSeconds: number): string {
  return `${tenantId}\n${expiresAtSeconds}`;
}
