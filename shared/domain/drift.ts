/** What is compared between our records and Meta, and what a difference means: as data. */

export interface DriftItem {
  /** What a person reads. */
  readonly title: string;
  /** `page`: events, spend or delivery hang on it. */
  readonly severity: 'page' | 'notice';
  /** What a person does about it. */
  readonly what: string;
  /** A person may decide that what Meta has is right; the rest must be mended, or the tenant does not work. */
  readonly isAcceptable?: true;
}

export const driftItems = {
  'child-business-name': {
    title: 'name of the child business',
    severity: 'notice',
    what: 'Rename it in its Business settings.',
    isAcceptable: true,
  },
  'ad-account-name': {
    title: 'name of the ad account',
    severity: 'notice',
    what: 'Rename it in Business settings: the ad account is found again by its name.',
    isAcceptable: true,
  },
  'ad-account-status': {
    title: 'status of the ad account',
    severity: 'page',
    what: 'See Account Quality and the payment settings of the ad account.',
  },
  'spend-cap': {
    title: 'spend cap of the ad account, in minor units',
    severity: 'page',
    what: 'Set the spend cap of the plan again in the payment settings of the ad account.',
    isAcceptable: true,
  },
  dataset: {
    title: 'dataset (pixel) of the ad account',
    severity: 'page',
    what: 'Connect the dataset with the ad account again in Events Manager.',
  },
  'page-link': {
    title: 'Page the ad account may advertise for',
    severity: 'page',
    what: "The client gives the business access to the Page again, in the Page's settings.",
  },
  catalog: {
    title: 'product catalog',
    severity: 'page',
    what: 'Assign the catalog to the system user again, or find out in Commerce Manager who deleted it.',
  },
  'credit-allocation': {
    title: 'share of the line of credit',
    severity: 'page',
    what: "Share the line of credit again from the parent business's billing settings.",
    isAcceptable: true,
  },
  'webhook-subscription': {
    title: 'app that hears the webhooks of the ad account',
    severity: 'page',
    what: 'Subscribe the app to the ad account again.',
  },
} as const satisfies Record<string, DriftItem>;

export type DriftItemName = keyof typeof driftItems;
export const driftItemNames = Object.keys(driftItems) as DriftItemName[];

/** One item as recorded and as Meta has it; the same text: no difference. */
export interface Observation {
  readonly expected: string;
  readonly found: string;
}

/** What one look brought. `unknown`: Meta did not say. Absent: does not apply to the tenant. */
export type Observations = Readonly<Partial<Record<DriftItemName, Observation | 'unknown'>>>;

/** A difference, and since when it has been seen. */
export interface Difference extends Observation {
  readonly since: string;
}
export type Differences = Readonly<Partial<Record<DriftItemName, Difference | undefined>>>;

/** What a person decided to be right although we recorded `recorded`: from then on it is what is expected. */
export interface Acceptance {
  readonly recorded: string;
  readonly found: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}
export type Acceptances = Readonly<Partial<Record<DriftItemName, Acceptance | undefined>>>;

export const acceptableDriftItems = driftItemNames.filter((item) => {
  const definition: DriftItem = driftItems[item];
  return definition.isAcceptable === true;
});

/**
 * The acceptances that still count after a look: one ends when what we recorded has changed since (a new plan has a new
 * cap), and when Meta has again what we recorded.
 */
export function acceptancesAfter(before: Acceptances, seen: Observations): Acceptances {
  return Object.fromEntries(
    Object.entries(before).filter(([item, acceptance]) => {
      const observed = seen[item as DriftItemName];
      if (observed === undefined || observed === 'unknown') return true;
      return observed.expected === acceptance?.recorded && observed.found !== observed.expected;
    }),
  );
}

/** What was seen, held against what was accepted instead of what was recorded. */
export function heldAgainst(accepted: Acceptances, seen: Observations): Observations {
  return Object.fromEntries(
    Object.entries(seen).map(([item, observed]) => {
      const acceptance = accepted[item as DriftItemName];
      const isMoved = acceptance !== undefined && observed !== 'unknown';
      return [item, isMoved ? { expected: acceptance.found, found: observed.found } : observed];
    }),
  );
}

/**
 * The differences after a look at instant `at`. One that was there keeps its beginning, one that is over goes, and of what
 * Meta did not say nothing is concluded: it stays as it was.
 */
export function differencesAfter(before: Differences, seen: Observations, at: string): Differences {
  const after: Partial<Record<DriftItemName, Difference>> = {};
  for (const item of driftItemNames) {
    const observed = seen[item];
    const known = before[item];
    if (observed === undefined) continue;
    if (observed === 'unknown') {
      if (known !== undefined) after[item] = known;
    } else if (observed.found !== observed.expected) {
      after[item] = { ...observed, since: known?.since ?? at };
    }
  }
  return after;
}
