/**
 * What is known about a tenant's tokens, and which version of a secret its readers use. Never a token: the texts live in
 * Secret Manager only.
 */
import * as v from 'valibot';
import { waitSchema } from './documents.ts';

/** `dead` also covers a secret that has no usable version. */
export const tokenStates = ['ok', 'expiring', 'dead', 'scopes-missing'] as const;
export type TokenState = (typeof tokenStates)[number];

/** A version no reader uses any more. It stays readable for whoever read its number before the switch, then goes. */
const retiringSchema = v.object({
  version: v.string(),
  disableAfter: v.string(),
  destroyAfter: v.string(),
  /** Set before Secret Manager is told, so that nothing falls back to a version about to be disabled. */
  disabled: v.boolean(),
});
export type RetiringVersion = v.InferOutput<typeof retiringSchema>;

/** The client's own token, while it exists. */
const userTokenSchema = v.object({
  version: v.string(),
  state: v.picklist(tokenStates),
  expiresAt: v.nullable(v.string()),
  lastVerifiedAt: v.string(),
  /** What the client must do, as long as the token is of no use. */
  wait: v.nullable(waitSchema),
});
export type UserTokenStatus = v.InferOutput<typeof userTokenSchema>;

/** What Meta said about one version of a system token. */
const verdictSchema = v.object({
  kind: v.picklist(['never-expires', '60-days']),
  expiresAt: v.nullable(v.string()),
  lastVerifiedAt: v.string(),
  scopesMissing: v.array(v.string()),
  /** Granted though never asked for: reported, nothing depends on it. */
  scopesExtra: v.array(v.string()),
  state: v.picklist(tokenStates),
});
export type TokenVerdict = v.InferOutput<typeof verdictSchema>;

/** `tokens/{tenant}`: the tenant's system token, and the lease under which one process at a time replaces it. */
export const tokenSchema = v.object({
  tenantId: v.string(),
  /** Rises with every lease; a write under an older fence is refused. */
  fence: v.number(),
  lease: v.nullable(v.object({ owner: v.string(), until: v.string() })),
  /** What a token is minted for; null before the first mint. */
  childBusinessId: v.nullable(v.string()),
  /** The version that readers use; null before the first switch. */
  version: v.nullable(v.string()),
  verdict: v.nullable(verdictSchema),
  retiring: v.array(retiringSchema),
  /** Who must bring a token back, when Kobi's code cannot. */
  wait: v.nullable(waitSchema),
  user: v.nullable(userTokenSchema),
});
export type TokenRecord = v.InferOutput<typeof tokenSchema>;

/**
 * `secretsInUse/{secretId}`: what readers hold their memory against. A higher revision says "read again". `version` is set
 * where one version has been chosen (system tokens); null reads the newest.
 */
export const secretInUseSchema = v.object({
  secretId: v.string(),
  version: v.nullable(v.string()),
  revision: v.number(),
  changedAt: v.string(),
});
export type SecretInUse = v.InferOutput<typeof secretInUseSchema>;
