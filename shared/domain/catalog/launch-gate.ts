/**
 * May dynamic ads be launched on this catalog? Each condition is answered *yes*, *no* or *unknown* with its reason and
 * what to do: a number nobody has read is unknown, never 0, and an unknown is no permission.
 */
const gateLimits = {
  /** Share of content ids in events that match a product. */
  minMatchRate: 0.75,
  /** Fewer content ids than this in the window say nothing about a rate. */
  minContentIds: 20,
  /** Share of the sent items that Meta refused. */
  maxRefusedShare: 0.05,
  /** A catalog older than so many intervals of its feed is stale. */
  staleIntervals: 2,
  /** Share of the items of the 7-day median that may be missing. */
  maxItemDrop: 0.3,
} as const;

/** What decides; null is "not known". */
export interface GateFacts {
  readonly at: string;
  /** Whether the pixel is among the catalog's event sources. */
  readonly isPixelConnected: boolean | null;
  /** Diagnostics Meta shows for dynamic ads or for every channel. */
  readonly diagnostics: readonly Diagnostic[] | null;
  /** Content ids of the last 7 days that matched and that did not, of the events dynamic ads build on. */
  readonly contentIds: { readonly matched: number; readonly unmatched: number } | null;
  /** The last finished sync: items sent or kept, and those Meta refused. */
  readonly sync: { readonly at: string; readonly items: number; readonly refused: number } | null;
  /** How often the feed comes. */
  readonly feedIntervalHours: number;
  /** Products in the catalog as Meta counts them. */
  readonly itemCount: number | null;
  /** Counts of up to seven earlier days. */
  readonly earlierItemCounts: readonly number[];
  /** How the ids that do not match differ from the feed's, in words. */
  readonly contentIdHint: { readonly what: string; readonly fix: string } | null;
}

export interface Diagnostic {
  readonly type: string;
  readonly severity: string;
  readonly title: string;
  readonly affectedChannels: readonly string[];
  readonly affectedItems: number | null;
}

export const gateConditions = [
  'event-source',
  'diagnostics',
  'match-rate',
  'refused-items',
  'freshness',
  'item-count',
] as const;
export type GateCondition = (typeof gateConditions)[number];

export interface GateCheck {
  readonly condition: GateCondition;
  readonly answer: 'yes' | 'no' | 'unknown';
  readonly reason: string;
  /** What to do; empty when the answer is yes. */
  readonly fix: string;
}

export interface GateVerdict {
  /** `open` only when every condition says yes. */
  readonly state: 'open' | 'blocked' | 'unknown';
  readonly checks: readonly GateCheck[];
}

const hourMs = 3_600_000;

export function judgeGate(facts: GateFacts): GateVerdict {
  const checks = [
    eventSource(facts),
    diagnostics(facts),
    matchRate(facts),
    refusedItems(facts),
    freshness(facts),
    itemCount(facts),
  ];
  const answers = new Set(checks.map(({ answer }) => answer));
  return { state: answers.has('no') ? 'blocked' : answers.has('unknown') ? 'unknown' : 'open', checks };
}

/** A person's word that ads may be launched all the same, for a while. */
export interface GateOverride {
  readonly reason: string;
  readonly actor: string;
  readonly at: string;
  readonly expiresAt: string;
}

/** What the agent asks: the verdict, unless a person's override is in force. */
export function mayLaunch(verdict: Pick<GateVerdict, 'state'>, override: GateOverride | null, now: Date): boolean {
  return verdict.state === 'open' || (override !== null && now.getTime() < Date.parse(override.expiresAt));
}

/** A verdict older than this is about a catalog that may no longer be. */
const verdictLastsMs = 24 * hourMs;

/** What the gate says now of a catalog as it was last checked, if it ever was; and whether a launch is permitted. */
export function gateNow(
  last: { readonly checkedAt: string; readonly gate: GateVerdict; readonly override: GateOverride | null } | undefined,
  now: Date,
): GateVerdict & { readonly mayLaunch: boolean; readonly override: GateOverride | null } {
  const override = last?.override ?? null;
  const isInForce = override !== null && now.getTime() < Date.parse(override.expiresAt);
  const isOld = last === undefined || now.getTime() - Date.parse(last.checkedAt) > verdictLastsMs;
  const verdict: GateVerdict = isOld
    ? {
        state: 'unknown',
        checks: gateConditions.map((condition) =>
          unknown(condition, notChecked, 'Wait for catalog-monitor, which runs every hour.'),
        ),
      }
    : { state: last.gate.state, checks: last.gate.checks };
  return { ...verdict, mayLaunch: mayLaunch(verdict, override, now), override: isInForce ? override : null };
}

const notChecked = 'The catalog was not checked in the last 24 hours.';

const yes = (condition: GateCondition, reason: string): GateCheck => ({ condition, answer: 'yes', reason, fix: '' });
const no = (condition: GateCondition, reason: string, fix: string): GateCheck => ({
  condition,
  answer: 'no',
  reason,
  fix,
});
const unknown = (condition: GateCondition, reason: string, fix: string): GateCheck => ({
  condition,
  answer: 'unknown',
  reason,
  fix,
});

function eventSource({ isPixelConnected }: GateFacts): GateCheck {
  if (isPixelConnected === null)
    return unknown('event-source', 'The event sources could not be read.', 'Wait for the next check.');
  return isPixelConnected
    ? yes('event-source', 'The pixel is connected to the catalog.')
    : no('event-source', 'The pixel is not connected to the catalog.', 'Run the step create-catalog again.');
}

/** Dynamic ads, or no channel named. */
function concernsAds({ affectedChannels }: Diagnostic): boolean {
  return affectedChannels.length === 0 || affectedChannels.includes('da');
}

function diagnostics({ diagnostics: found }: GateFacts): GateCheck {
  if (found === null)
    return unknown('diagnostics', 'Meta’s diagnostics could not be read.', 'Wait for the next check.');
  const blocking = found.filter((each) => each.severity === 'MUST_FIX' && concernsAds(each));
  if (blocking.length === 0) return yes('diagnostics', 'Meta names nothing that must be fixed.');
  const named = blocking.map(({ type, title, affectedItems }) =>
    affectedItems === null ? `${title} (${type})` : `${title} (${type}, ${affectedItems} items)`,
  );
  return no(
    'diagnostics',
    `Meta says this must be fixed: ${named.join('; ')}.`,
    'Fix it in the feed; Meta looks again within a day.',
  );
}

function matchRate({ contentIds, contentIdHint }: GateFacts): GateCheck {
  const fix =
    contentIdHint?.fix ?? 'Send the product’s id from the feed as content_ids of ViewContent, AddToCart and Purchase.';
  if (contentIds === null)
    return unknown('match-rate', 'The match rate could not be read.', 'Wait for the next check.');
  const total = contentIds.matched + contentIds.unmatched;
  if (total < gateLimits.minContentIds) {
    return unknown(
      'match-rate',
      [`Events of the last 7 days named only ${total} content ids.`, contentIdHint?.what].join(' ').trim(),
      fix,
    );
  }
  const rate = contentIds.matched / total;
  const shown = `${Math.floor(rate * 1_000) / 10} % of ${total} content ids of the last 7 days match a product`;
  return rate < gateLimits.minMatchRate
    ? no(
        'match-rate',
        [`${shown}; ${gateLimits.minMatchRate * 100} % are needed.`, contentIdHint?.what].join(' ').trim(),
        fix,
      )
    : yes('match-rate', `${shown}.`);
}

function refusedItems({ sync }: GateFacts): GateCheck {
  if (sync === null) return unknown('refused-items', 'No sync has finished yet.', 'Send the first feed.');
  const { items, refused } = sync;
  if (items === 0) return no('refused-items', 'The catalog has no items.', 'Send a feed with products.');
  const shown = `Meta refused ${refused} of ${items} items`;
  return refused > items * gateLimits.maxRefusedShare
    ? no(
        'refused-items',
        `${shown}; ${gateLimits.maxRefusedShare * 100} % are allowed.`,
        'The problems of the sync name the rows.',
      )
    : yes('refused-items', `${shown}.`);
}

function freshness({ at, sync, feedIntervalHours }: GateFacts): GateCheck {
  if (sync === null) return unknown('freshness', 'No sync has finished yet.', 'Send the first feed.');
  const ageHours = (Date.parse(at) - Date.parse(sync.at)) / hourMs;
  const allowedHours = feedIntervalHours * gateLimits.staleIntervals;
  const shown = `The catalog is ${Math.round(ageHours)} h old`;
  return ageHours > allowedHours
    ? no(
        'freshness',
        `${shown}; its feed comes every ${feedIntervalHours} h.`,
        'See why no feed came or was published.',
      )
    : yes('freshness', `${shown}.`);
}

function itemCount({ itemCount: items, earlierItemCounts }: GateFacts): GateCheck {
  if (items === null)
    return unknown('item-count', 'The number of products could not be read.', 'Wait for the next check.');
  if (items === 0) return no('item-count', 'Meta counts no products in the catalog.', 'Send a feed with products.');
  const usual = median(earlierItemCounts);
  if (usual === undefined)
    return yes('item-count', `The catalog has ${items} products; there is no earlier day to compare with.`);
  return items < usual * (1 - gateLimits.maxItemDrop)
    ? no(
        'item-count',
        `The catalog has ${items} products; the median of the last days is ${usual}.`,
        'See what became of the others.',
      )
    : yes('item-count', `The catalog has ${items} products, ${usual} in the median of the last days.`);
}

function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return undefined;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
