/**
 * What must be true at Meta, and in Kobi's own paperwork, before tenants can be provisioned; who must act where it is not,
 * and what to do, in words fit to show. (Document, "Access & API readiness": PRE-2, PRE-8, PRE-10.)
 */
import type { WaitParty } from './provisioning-steps.ts';

export const readinessItems = {
  pre2: {
    title: "PRE-2: the parent business's extended credit line",
    on: 'kobi',
    what: 'Ask Meta for the extended credit line of the parent Business Manager and accept its allocation terms there.',
  },
  pre8: {
    title: 'PRE-8: business verification of Kobi',
    on: 'kobi',
    what: "Finish business verification of the parent Business Manager in Meta's Security Centre.",
  },
  pre10: {
    title: 'PRE-10: 2-Tier Business Manager access',
    on: 'meta',
    what: "Meta's representative must allow-list Kobi's app for the 2-Tier Business Manager API. Then set pre10: Meta offers no call that tells.",
  },
  accessTier: {
    title: 'Full Marketing API Access Tier',
    on: 'kobi',
    what: 'Ask for the Full tier in the App Dashboard: it takes 500 Marketing API calls in 15 days with under 15 % errors.',
  },
  permissions: {
    title: 'Permissions of the parent system user',
    on: 'kobi',
    what: "Pass App Review for what is missing, mint the parent system user's token with every permission, and put it into Secret Manager.",
  },
} as const satisfies Record<string, { title: string; on: WaitParty; what: string }>;

export type ReadinessItem = keyof typeof readinessItems;
export const readinessItemNames = Object.keys(readinessItems) as ReadinessItem[];

/** The items that runs go by, and that a person may set. */
export const gates = ['pre2', 'pre8', 'pre10'] as const;
export type Gate = (typeof gates)[number];

/** What a parked step's wait is for, by the item that ends it. */
export const waitedForAs: Readonly<Record<Gate, string>> = { pre2: 'PRE-2', pre8: 'PRE-8', pre10: 'PRE-10' };

/** What Meta says about one item; `unknown` where it cannot tell, or did not answer. */
export interface ReadinessFinding {
  readonly state: 'ready' | 'missing' | 'unknown';
  /** What Meta said, for a person; never a token. */
  readonly detail: string | null;
}
export type ReadinessFindings = Readonly<Record<ReadinessItem, ReadinessFinding>>;
