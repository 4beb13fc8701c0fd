import { inspect } from 'node:util';

/**
 * Whose token it is (document, "Token model").
 *
 * - `user`: the client's person, from Facebook Login for Business
 * - `parent`: the admin system user of Kobi's parent Business Manager
 * - `child`: the admin system user inside one tenant's child Business Manager
 * - `fallback`: the parent's system user while it operates a tenant whose ad account sits on the parent, see
 *   {@link asFallbackToken}
 * - `app`: `APP_ID|APP_SECRET`
 */
export type CredentialKind = 'user' | 'parent' | 'child' | 'fallback' | 'app';

/**
 * A Graph access token that cannot be printed by accident: string conversion, JSON and `util.inspect` all give
 * `[user token]`. Only {@link AccessToken.reveal} returns the text, for the `Authorization` header and for Secret Manager.
 */
export class AccessToken<Kind extends CredentialKind = CredentialKind> {
  readonly kind: Kind;
  readonly #token: string;

  /** @throws TypeError when the text is empty or could break out of a header. The text is not in the message. */
  constructor(kind: Kind, token: string) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError(`A ${kind} token must be printable ASCII without spaces`);
    this.kind = kind;
    this.#token = token;
  }

  /** The token itself. Whoever calls this answers for where it goes. */
  reveal(): string {
    return this.#token;
  }

  toString(): string {
    return `[${this.kind} token]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * The parent's token as the operator of a tenant on the fallback path (PRE-10 pending, ad account on the parent
 * Business Manager). A separate kind, so that a two-tier step cannot reach for the parent's token by mistake.
 */
export function asFallbackToken(parent: AccessToken<'parent'>): AccessToken<'fallback'> {
  return new AccessToken('fallback', parent.reveal());
}
