/**
 * Which steps of a run must be done again when something about the tenant changes, and which no longer at all: rules
 * only, the same before and after the tenant is live. Nothing that a step did is undone, and no step runs that the change
 * does not concern. (Document, "Account model": plan, Page, SKUs and domains of a tenant change over its life.)
 */
import type { DomainNeeds } from './domain-verification.ts';
import type { PlanId } from './plans.ts';
import type { ProvisioningPath } from './provisioning-path.ts';
import { applies, stepDefinition, stepNames } from './provisioning-steps.ts';
import type { StepName } from './provisioning-steps.ts';
import { isMet } from './step-states.ts';
import type { StepState } from './step-states.ts';

/** The facts of a tenant that steps bring to Meta and that may change. */
export interface ChangeableFacts extends DomainNeeds {
  readonly planId: PlanId;
}

export interface Consequences {
  /** Steps to do again, each with those of its effects that no longer count; the others stand as they are. */
  readonly reopen: ReadonlyMap<StepName, readonly string[]>;
  /** Steps that no longer concern the tenant. What they made stays; those not done yet are not done any more. */
  readonly dismiss: readonly StepName[];
}

/** The effects a step looks at again when it is opened again. A step that is not here has none, or keeps them. */
const effectsToRepeat: Partial<Record<StepName, readonly string[]>> = {
  'create-system-user': ['system-token'],
  'create-ad-account': ['spend-cap'],
  'partner-invite': ['page-share', 'page-request'],
  'link-page-and-instagram': ['page-access', 'instagram-authorization'],
};

/** Steps that a person may have looked at again at any time: what they check can change at Meta without us. */
export const reopenableSteps = ['partner-invite', 'link-page-and-instagram', 'verify-domain'] as const;

/**
 * What follows from other facts:
 *
 * - another plan: the spend cap, and nothing else of the ad account
 * - a SKU more: the steps it brings; a catalog also needs a system token with the permission for it, and the tenant's
 *   record of its assets
 * - other domains, or another need for them: their verification
 * - a SKU or the domains fewer: the steps that were for them, unless they are done
 *
 * @param done the steps that are done: what they made is there, also for a SKU that was given up and is bought again
 */
export function consequencesOfChange(
  before: ChangeableFacts,
  after: ChangeableFacts,
  { done, path }: { readonly path: ProvisioningPath; readonly done: ReadonlySet<StepName> },
): Consequences {
  const did = (step: StepName): boolean => applies(step, { ...before, path });
  const does = (step: StepName): boolean => applies(step, { ...after, path });
  const reopen = new Set<StepName>();
  if (before.planId !== after.planId) reopen.add('create-ad-account');
  for (const step of stepNames) if (!did(step) && does(step) && !done.has(step)) reopen.add(step);
  if (reopen.has('create-catalog')) {
    reopen.add('create-system-user');
    reopen.add('finish-run');
  }
  if (before.domains.join() !== after.domains.join()) reopen.add('verify-domain');
  return { reopen: withEffects(reopen, does), dismiss: stepNames.filter((step) => did(step) && !does(step)) };
}

/**
 * What follows from the client connecting again: the consent is checked anew, the Page (perhaps another one) and
 * Instagram (perhaps there only now) are linked, and whatever waited on the client is looked at. All else stands.
 *
 * @param waitingOnClient the steps that wait for the client just now
 * @param isLinkWanted false when a person decided to go on without the Page and Instagram
 */
export function consequencesOfConnection(
  facts: ChangeableFacts,
  path: ProvisioningPath,
  { isLinkWanted, waitingOnClient }: { isLinkWanted: boolean; waitingOnClient: readonly StepName[] },
): Consequences {
  const linking: StepName[] = isLinkWanted ? ['partner-invite', 'link-page-and-instagram'] : [];
  const reopen = new Set<StepName>(['record-consent', ...linking, ...waitingOnClient]);
  return { reopen: withEffects(reopen, (step) => applies(step, { ...facts, path })), dismiss: [] };
}

/** What follows from a person having one step looked at again. */
export function consequencesOfRequest(step: (typeof reopenableSteps)[number]): Consequences {
  return { reopen: withEffects(new Set<StepName>([step]), () => true), dismiss: [] };
}

function withEffects(steps: ReadonlySet<StepName>, isWanted: (step: StepName) => boolean): Consequences['reopen'] {
  return new Map(
    stepNames
      .filter((step) => steps.has(step) && isWanted(step))
      .map((step) => [step, effectsToRepeat[step] ?? []] as const),
  );
}

/** What becomes of one step. `to` equals the state it has when it only has to look at the facts again. */
export interface Move {
  readonly from: StepState;
  readonly to: StepState;
  /** Absent: not opened again, but started or dismissed because of others. */
  readonly reopened?: { readonly effects: readonly string[] };
}

/**
 * What becomes of each step of a run, given the states of all. A step that has not begun, or is about to, sees the new
 * facts by itself; one that somebody works on goes again when that attempt ends; every other begins as soon as all it
 * needs is done. Steps that do not move are absent.
 */
export function movesOf(states: ReadonlyMap<StepName, StepState>, consequences: Consequences): Map<StepName, Move> {
  const next = new Map(states);
  for (const step of consequences.dismiss) {
    const state = states.get(step);
    if (state !== undefined && isDismissable[state]) next.set(step, 'skipped');
  }
  const reopened = new Map<StepName, readonly string[]>();
  for (const [step, effects] of consequences.reopen) {
    const state = states.get(step);
    if (state === undefined || state === 'cancelled') continue;
    reopened.set(step, effects);
    if (isAtRest[state]) next.set(step, 'pending');
  }
  for (const step of stepNames) {
    const isReady = stepDefinition(step).needs.every((need) => isMet(next.get(need)));
    if (next.get(step) === 'pending' && isReady) next.set(step, 'queued');
  }
  const moves = new Map<StepName, Move>();
  for (const [step, to] of next) {
    const from = states.get(step) ?? to;
    const effects = reopened.get(step);
    if (from === to && effects === undefined) continue;
    moves.set(step, { from, to, ...(effects && { reopened: { effects } }) });
  }
  return moves;
}

/** Whether a step in this state has come to an end, of whatever kind, and must be started to go again. */
const isAtRest: Readonly<Record<StepState, boolean>> = {
  pending: false,
  queued: false,
  running: false,
  retrying: false,
  waiting: true,
  failed: true,
  done: true,
  skipped: true,
  cancelled: false,
};

/** Whether a step in this state can be left undone: not when it is done, or while somebody works on it. */
const isDismissable: Readonly<Record<StepState, boolean>> = {
  pending: true,
  queued: true,
  running: false,
  retrying: true,
  waiting: true,
  failed: true,
  done: false,
  skipped: false,
  cancelled: false,
};
