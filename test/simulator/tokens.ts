import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalidToken } from './graph-error.ts';
import type { SimulatorClock } from './clock.ts';

export type TokenKind = 'user' | 'system_user';

export interface TokenRecord {
  readonly value: string;
  readonly kind: TokenKind;
  /** Person or system user. */
  readonly ownerId: string;
  /** Business of the system user; absent on user tokens. */
  readonly businessId: string | undefined;
  readonly scopes: Set<string>;
  /** Pages the person chose in the login dialog; absent when every Page is covered. */
  readonly pageIds: ReadonlySet<string> | undefined;
  readonly issuedAt: number;
  /** Unix seconds; 0 never expires. */
  readonly expiresAt: number;
  readonly dataAccessExpiresAt: number;
  readonly isLongLived: boolean;
  /** Subcode of the 190 a dead token is answered with. */
  revokedSubcode: number | undefined;
}

export interface AuthorizationCode {
  readonly code: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly pageIds: readonly string[];
  readonly expiresAt: number;
  isUsed: boolean;
}

export const secondsPerDay = 86_400;
const shortLivedS = 5_400;
const longLivedS = 60 * secondsPerDay;
const dataAccessS = 90 * secondsPerDay;
const codeLifeS = 600;

const deathNotices: Readonly<Record<number, string>> = {
  458: 'Error validating access token: The user has not authorized application.',
  460: 'Error validating access token: The session has been invalidated because the user changed their password.',
  463: 'Error validating access token: Session has expired.',
  467: 'Error validating access token: The access token has been invalidated.',
};

/** Issues, reads and ends tokens. Values are made from a counter, so a run repeats exactly. */
export class TokenRegistry {
  readonly #clock: SimulatorClock;
  readonly #byValue = new Map<string, TokenRecord>();
  readonly #byOwner = new Map<string, TokenRecord[]>();
  readonly #codes = new Map<string, AuthorizationCode>();
  #lastNumber = 0;

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  issue(
    token: Pick<TokenRecord, 'kind' | 'ownerId' | 'businessId' | 'pageIds'> & {
      scopes: Iterable<string>;
      life: 'short' | 'long' | 'never' | '60 days';
      value?: string;
    },
  ): TokenRecord {
    const now = this.#clock.nowSeconds();
    const isLong = token.life === 'long' || token.life === '60 days';
    const record: TokenRecord = {
      value: token.value ?? this.#newSecret(token.kind === 'user' ? 'EAASIMu' : 'EAASIMs'),
      kind: token.kind,
      ownerId: token.ownerId,
      businessId: token.businessId,
      scopes: new Set(token.scopes),
      pageIds: token.pageIds,
      issuedAt: now,
      expiresAt: token.life === 'never' ? 0 : now + (isLong ? longLivedS : shortLivedS),
      dataAccessExpiresAt: token.kind === 'user' ? now + dataAccessS : 0,
      isLongLived: isLong,
      revokedSubcode: undefined,
    };
    this.#byValue.set(record.value, record);
    const siblings = this.#byOwner.get(record.ownerId);
    if (siblings === undefined) this.#byOwner.set(record.ownerId, [record]);
    else siblings.push(record);
    return record;
  }

  issueCode(code: Pick<AuthorizationCode, 'clientId' | 'redirectUri' | 'userId' | 'scopes' | 'pageIds'>): string {
    const value = this.#newSecret('AQSIM');
    const expiresAt = this.#clock.nowSeconds() + codeLifeS;
    this.#codes.set(value, { ...code, code: value, expiresAt, isUsed: false });
    return value;
  }

  code(value: string): AuthorizationCode | undefined {
    return this.#codes.get(value);
  }

  /** The token as stored, dead or alive. */
  find(value: string): TokenRecord | undefined {
    return this.#byValue.get(value);
  }

  ofOwner(ownerId: string): readonly TokenRecord[] {
    return this.#byOwner.get(ownerId) ?? [];
  }

  all(): Iterable<TokenRecord> {
    return this.#byValue.values();
  }

  isAlive(token: TokenRecord): boolean {
    return token.revokedSubcode === undefined && !this.#isExpired(token);
  }

  /** A token that may act now; a dead or unknown one throws 190 with Meta's subcode. */
  authenticate(value: string): TokenRecord {
    const token = this.#byValue.get(value);
    if (token === undefined) throw invalidToken('Invalid OAuth access token - Cannot parse access token');
    if (token.revokedSubcode !== undefined) {
      throw invalidToken(deathNotices[token.revokedSubcode] ?? 'Error validating access token.', token.revokedSubcode);
    }
    if (this.#isExpired(token)) throw invalidToken(String(deathNotices[463]), 463);
    return token;
  }

  #isExpired(token: TokenRecord): boolean {
    return token.expiresAt !== 0 && this.#clock.nowSeconds() >= token.expiresAt;
  }

  #newSecret(prefix: string): string {
    this.#lastNumber += 1;
    const digest = createHmac('sha256', 'meta simulator')
      .update(`${prefix}${String(this.#lastNumber)}`)
      .digest('hex');
    return `${prefix}${digest}`;
  }
}

/** Lowercase hex HMAC-SHA256 of the token with the app secret ("Securing Graph API calls"). */
export const appSecretProof = (token: string, appSecret: string): string =>
  createHmac('sha256', appSecret).update(token).digest('hex');

export function isSameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
