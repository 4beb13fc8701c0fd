/** Cases for the launch gate whose truth is planned first and facts made to fit it, never the other way round. */
import type { GateCondition, GateFacts } from '../../shared/domain/catalog/launch-gate.ts';
import type { Random } from '../random.ts';

export type Answer = 'yes' | 'no' | 'unknown';
export type Truth = Readonly<Record<GateCondition, Answer>>;

export interface GateCase {
  readonly facts: GateFacts;
  readonly truth: Truth;
}

const hourMs = 3_600_000;

/** Facts under which each condition has the answer the truth says; values lie on both sides close to each limit. */
export function gateCase(random: Random): GateCase {
  const answer = (unknownShare = 0.15): Answer =>
    random.chance(unknownShare) ? 'unknown' : random.chance(0.25) ? 'no' : 'yes';
  const atMs = Date.parse('2026-11-25T12:00:00Z') + random.below(1_000) * hourMs;
  // Two conditions rest on the last sync, so they are unknown together.
  const hasSync = random.chance(0.85);
  const planned = {
    'event-source': answer(),
    diagnostics: answer(),
    'match-rate': answer(),
    'refused-items': hasSync ? answer(0) : 'unknown',
    freshness: hasSync ? answer(0) : 'unknown',
    'item-count': answer(),
  } as const;
  const intervalHours = random.pick([1, 6, 24, 168]);
  const ageHours =
    planned.freshness === 'no' ? intervalHours * 2 + 0.01 + random.below(50) : random.next() * intervalHours * 2;
  return {
    truth: planned,
    facts: {
      at: new Date(atMs).toISOString(),
      isPixelConnected: planned['event-source'] === 'unknown' ? null : planned['event-source'] === 'yes',
      diagnostics: diagnosticsFor(planned.diagnostics, random),
      contentIds: contentIdsFor(planned['match-rate'], random),
      sync: hasSync
        ? { at: new Date(atMs - ageHours * hourMs).toISOString(), ...refusedFor(planned['refused-items'], random) }
        : null,
      feedIntervalHours: intervalHours,
      ...itemsFor(planned['item-count'], random),
      contentIdHint: random.chance(0.3)
        ? { what: 'Events send “1”.', fix: 'Put “SKU-” before the content ids.' }
        : null,
    },
  };
}

function diagnosticsFor(answer: Answer, random: Random): GateFacts['diagnostics'] {
  if (answer === 'unknown') return null;
  const harmless = [
    {
      type: 'IMAGE_QUALITY',
      severity: 'OPPORTUNITY',
      title: 'Small images',
      affectedChannels: ['da'],
      affectedItems: 900,
    },
    { type: 'CHECKOUT', severity: 'MUST_FIX', title: 'Checkout', affectedChannels: ['shops'], affectedItems: 3 },
    { type: 'ATTRIBUTES_MISSING', severity: 'WARNING', title: 'No colour', affectedChannels: [], affectedItems: null },
  ].filter(() => random.chance(0.5));
  if (answer === 'yes') return harmless;
  const blocking = {
    type: random.pick(['ATTRIBUTES_INVALID', 'EVENT_SOURCE_ISSUES', 'POLICY_VIOLATION', 'DA_VISIBILITY_ISSUES']),
    severity: 'MUST_FIX',
    title: 'Must be fixed',
    affectedChannels: random.pick([['da'], ['shops', 'da'], []]),
    affectedItems: random.chance(0.5) ? 12 : null,
  };
  return random.chance(0.5) ? [...harmless, blocking] : [blocking, ...harmless];
}

function contentIdsFor(answer: Answer, random: Random): GateFacts['contentIds'] {
  if (answer === 'unknown')
    return random.chance(0.5) ? null : { matched: random.below(10), unmatched: random.below(10) };
  // Whole quarters, so that the limit itself (three of four) can be hit exactly.
  const quarter = 5 + random.below(10_000);
  if (answer === 'yes') return { matched: quarter * 3 + random.below(quarter), unmatched: random.below(2) * quarter };
  return { matched: quarter * 3 - 1 - random.below(quarter), unmatched: quarter };
}

function refusedFor(answer: Answer, random: Random): { items: number; refused: number } {
  const twentieth = 1 + random.below(5_000);
  if (answer === 'yes') return { items: twentieth * 20, refused: random.below(twentieth + 1) };
  return random.chance(0.1)
    ? { items: 0, refused: 0 }
    : { items: twentieth * 20, refused: twentieth + 1 + random.below(twentieth) };
}

function itemsFor(answer: Answer, random: Random): Pick<GateFacts, 'itemCount' | 'earlierItemCounts'> {
  const tenth = 10 + random.below(1_000);
  // An odd number of days around the median, which is ten tenths whatever the others are.
  const days = 1 + 2 * random.below(3);
  const below = Array.from({ length: (days - 1) / 2 }, () => random.below(tenth * 10));
  const above = Array.from({ length: (days - 1) / 2 }, () => tenth * 10 + random.below(tenth * 50));
  const earlierItemCounts = [...below, ...above, tenth * 10].toSorted(() => (random.chance(0.5) ? 1 : -1));
  if (answer === 'unknown') return { itemCount: null, earlierItemCounts };
  if (answer === 'no')
    return { itemCount: random.chance(0.1) ? 0 : tenth * 7 - 1 - random.below(tenth), earlierItemCounts };
  return random.chance(0.2)
    ? { itemCount: 1 + random.below(1_000), earlierItemCounts: [] }
    : { itemCount: tenth * 7 + random.below(tenth * 10), earlierItemCounts };
}
