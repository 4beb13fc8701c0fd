import type { SimulatorContext } from './context.ts';
import type { NodeKind } from './world.ts';

const kinds = [
  'user',
  'page',
  'instagram',
  'business',
  'system_user',
  'extended_credit',
  'credit_allocation',
  'ad_account',
  'pixel',
  'catalog',
  'product_set',
  'domain',
  'campaign',
] as const satisfies readonly NodeKind[];

/** Maps become objects, sets arrays and big integers text, so that any node can be shown as JSON. */
export const jsonReplacer = (_key: string, value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return typeof value === 'bigint' ? value.toString() : value;
};

/** The whole world without token values: every node by kind, tokens by owner, accepted events by dataset. */
export function worldReport({ store, tokens, events, clock }: SimulatorContext): Record<string, unknown> {
  return {
    now: new Date(clock.nowMs()).toISOString(),
    counts: Object.fromEntries(kinds.map((kind) => [kind, store.all(kind).length])),
    nodes: Object.fromEntries(kinds.map((kind) => [kind, store.all(kind)])),
    tokens: Array.from(tokens.all(), (token) => ({
      kind: token.kind,
      ownerId: token.ownerId,
      businessId: token.businessId,
      scopes: [...token.scopes],
      pageIds: token.pageIds === undefined ? 'all' : [...token.pageIds],
      issuedAt: token.issuedAt,
      expiresAt: token.expiresAt,
      isAlive: tokens.isAlive(token),
      revokedSubcode: token.revokedSubcode,
    })),
    events: Object.fromEntries(Array.from(events.datasets(), (dataset) => [dataset, events.summary(dataset)])),
    dns: store.dns,
  };
}
