/**
 * `npm run alerts:storm`: ten thousand raw sightings of trouble in an hour, many at once, coming and going, seen by several
 * processes; prints what was told, and ends non-zero when a tenant was paged twice for one kind or trouble was lost.
 */
import { alertKinds } from '../../shared/contracts/alert-documents.ts';
import type { AlertKind } from '../../shared/contracts/alert-documents.ts';
import type { OutboxMessage } from '../../shared/contracts/documents.ts';
import { AlertStore } from '../../shared/gcp/alert-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import { Random } from '../random.ts';

export interface StormFigures {
  readonly raw: number;
  readonly tenants: number;
  readonly kinds: number;
  readonly told: number;
  /** Most times a tenant was told that one kind began. */
  readonly mostToldOfOneKind: number;
  /** Kinds that are true at the end and were never told; and told ones that were never true. */
  readonly lost: number;
  readonly invented: number;
}

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const stormMs = 14 * 60_000;

export async function alertStorm(raw: number, tenants = 50): Promise<StormFigures> {
  const random = new Random(20261125);
  let nowMs = Date.parse('2026-11-25T12:00:00Z');
  const now = (): Date => new Date(nowMs);
  const firestore = createInProcessFirestore({ projectId: 'kobi-storm', nowMs: () => nowMs });
  const publisher = {
    publish: async () => undefined,
    publishJson: async () => undefined,
    close: async () => undefined,
  };
  const stores = Array.from({ length: 4 }, () => {
    const db = firestore.connect();
    return new AlertStore({ db, outbox: new Outbox(db, publisher), now });
  });
  const told: OutboxMessage[] = [];
  const isTrue = new Map<string, boolean>();
  const everTrue = new Set<string>();
  const atOnce = 8;
  for (let sighting = 0; sighting < raw; sighting += atOnce) {
    nowMs += Math.floor((stormMs * atOnce) / raw);
    const chosen = new Map<string, [string, AlertKind, boolean]>();
    for (let one = 0; one < atOnce; one += 1) {
      const tenantId = `shop-${random.below(tenants)}`;
      const kind = alertKinds[random.below(alertKinds.length)] ?? 'drift';
      const key = `${tenantId} ${kind}`;
      // What is seen at the same instant is seen as the same.
      const seen = chosen.get(key)?.[2] ?? random.below(10) < 7;
      chosen.set(key, [tenantId, kind, seen]);
    }
    const writes = [...chosen].flatMap(([key, [tenantId, kind, seen]]) => {
      isTrue.set(key, seen);
      if (seen) everTrue.add(key);
      const severity = 'page' as const;
      const facts = { tenantId, kind, severity, summary: `${kind} of ${tenantId}`, detail: { sighting } };
      // Two processes see it.
      return stores
        .slice(sighting % 3, (sighting % 3) + 2)
        .map(async (store) =>
          seen ? store.raise(facts, traceparent) : store.resolve(tenantId, kind, 'auto', traceparent),
        );
    });
    told.push(...(await Promise.all(writes)).flat());
  }
  const during = timesTold(told);
  // The storm is over; what is still true is seen again.
  nowMs += 2 * stormMs;
  const [store] = stores;
  for (const [key, stays] of isTrue) {
    const [tenantId, kind] = key.split(' ') as [string, AlertKind];
    const facts = { tenantId, kind, severity: 'page' as const, summary: `${kind} of ${tenantId}`, detail: {} };
    if (stays && store !== undefined) told.push(...(await store.raise(facts, traceparent)));
  }
  const known = timesTold(told);
  return {
    raw,
    tenants,
    kinds: alertKinds.length,
    told: told.length,
    mostToldOfOneKind: Math.max(...during.values()),
    lost: [...isTrue].filter(([key, stays]) => stays && !known.has(key)).length,
    invented: [...known.keys()].filter((key) => !everTrue.has(key)).length,
  };
}

/** How often the beginning of each `tenant kind` was told. */
function timesTold(messages: readonly OutboxMessage[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { eventId } of messages) {
    const [, tenantId = '', kind = ''] = /^(.+):alert-raised:(.+):\d+$/.exec(eventId) ?? [];
    if (kind !== '') times.set(`${tenantId} ${kind}`, (times.get(`${tenantId} ${kind}`) ?? 0) + 1);
  }
  return times;
}

export function isMet({ invented, lost, mostToldOfOneKind }: StormFigures): boolean {
  return mostToldOfOneKind <= 1 && lost === 0 && invented === 0;
}

if (import.meta.main) {
  const figures = await alertStorm(10_000);
  process.stdout.write(`${JSON.stringify({ proof: 'alerts:storm', ...figures, met: isMet(figures) })}\n`);
  process.exitCode = isMet(figures) ? 0 : 1;
}
