import { createRequire } from 'node:module';
import { hashUserData } from '../../shared/domain/identifiers/hash-user-data.ts';
import { visible } from '../../shared/domain/identifiers/letters.ts';
import { HASHED_RULES } from '../../shared/domain/identifiers/rules.ts';

/** The keys that our side and at least one of Meta's libraries hash. */
export const KEYS = ['em', 'ph', 'fn', 'ln', 'ge', 'db', 'ct', 'st', 'zp', 'country', 'external_id'] as const;
export type Key = (typeof KEYS)[number];

/** One value of one key, sent by a tenant of that country (alpha-2) and language (ISO 639-1). */
export type Input = {
  readonly key: Key;
  readonly text: string;
  readonly country: string | undefined;
  readonly language: string | undefined;
};

/** What a library sends for an input: nothing, or a digest (of `plain`, where it hashed the value itself). */
export type Sent = { readonly plain: string | undefined; readonly digest: string | undefined };

/** What we send: several digests where a word has several spellings; `code` says why nothing is sent. */
export type Ours = {
  readonly plain: readonly string[];
  readonly digests: readonly string[];
  readonly code: string | undefined;
};

export function ours({ key, text, country, language }: Input): Ours {
  const languages = language === undefined ? [] : [language];
  const { userData, warnings } = hashUserData({ [key]: text }, { country, languages });
  const digests = [userData[key] ?? []].flat().map(String);
  const normalised = HASHED_RULES[key]?.normalise(visible(text), {
    personCountry: undefined,
    tenantCountry: country?.toLowerCase(),
    dateOrder: undefined,
    languages,
  });
  const hashedByUs = digests.length > 0 && !/^\s*[0-9a-f]{64}/i.test(text);
  const plain = hashedByUs && (typeof normalised === 'string' || Array.isArray(normalised)) ? [normalised].flat() : [];
  return { plain, digests, code: warnings[0]?.code };
}

const load = createRequire(import.meta.url);

const BUILDER_TYPES: Readonly<Record<Key, string>> = {
  em: 'email',
  ph: 'phone',
  fn: 'first_name',
  ln: 'last_name',
  ge: 'gender',
  db: 'date_of_birth',
  ct: 'city',
  st: 'state',
  zp: 'zip_code',
  country: 'country',
  external_id: 'external_id',
};

type PiiUtil = {
  readonly getNormalizedPII: (text: string, type: string) => string | null;
  readonly getNormalizedAndHashedPII: (text: string, type: string) => string | null;
};
const pii = load('capi-param-builder-nodejs/src/piiUtil/PIIUtil.js') as PiiUtil;

/** Meta's Parameter Builder, without the appendix it adds to every hash. */
export function parameterBuilder({ key, text }: Input): Sent {
  const digest = pii.getNormalizedAndHashedPII(text, BUILDER_TYPES[key]);
  const plain = pii.getNormalizedPII(text, BUILDER_TYPES[key]);
  return { plain: plain ?? undefined, digest: digest?.slice(0, digest.lastIndexOf('.')) };
}

const SDK_SETTERS: Readonly<Record<Key, string>> = {
  em: 'setEmail',
  ph: 'setPhone',
  fn: 'setFirstName',
  ln: 'setLastName',
  ge: 'setGender',
  db: 'setDateOfBirth',
  ct: 'setCity',
  st: 'setState',
  zp: 'setZip',
  country: 'setCountry',
  external_id: 'setExternalId',
};

type SdkUserData = { readonly normalize: () => Readonly<Record<string, readonly (string | null)[]>> } & Readonly<
  Record<string, (text: string) => unknown>
>;
type Sdk = {
  readonly UserData: new () => SdkUserData;
  readonly ServerSideUtils: { toSHA256: (text: string | null) => string | null };
};
const sdk = load('facebook-nodejs-business-sdk') as Sdk;

let lastHashed: string | undefined;
const toSha256 = sdk.ServerSideUtils.toSHA256;
sdk.ServerSideUtils.toSHA256 = (text) => {
  lastHashed = text ?? undefined;
  return toSha256(text);
};

/** Meta's Business SDK for Node; where it throws, which costs the whole event there, it sends nothing. */
export function businessSdk({ key, text }: Input): Sent {
  lastHashed = undefined;
  const userData = new sdk.UserData();
  try {
    userData[SDK_SETTERS[key]]?.(text);
    const digest = userData.normalize()[key]?.[0] ?? undefined;
    return { plain: lastHashed, digest };
  } catch {
    return { plain: undefined, digest: undefined };
  }
}
