/**
 * How a tenant's things come to an end, as data: what is done in which order, and for whom. `undo` follows a cancelled
 * run, after which the client may connect again; `offboarding` ends the tenant and erases it.
 */
export const teardownKinds = ['undo', 'offboarding'] as const;
export type TeardownKind = (typeof teardownKinds)[number];

export interface TeardownAction {
  /** What a person reads beside it. */
  readonly title: string;
  readonly of: readonly TeardownKind[];
  /** Begins only once everything before it is settled: it takes away what the others need. */
  readonly afterAll?: true;
}

const both = ['undo', 'offboarding'] as const;

/** In this order: first what could still take events or spend money, last what the others need. */
export const teardownActions = {
  'close-relay': { title: 'Revoke the relay keys and close the datasets', of: both },
  'find-objects': { title: 'Look for what there is at Meta, also where an answer was lost', of: both },
  'pause-campaigns': { title: 'Pause every campaign', of: both },
  'lower-spend-cap': { title: 'Cap the spend of the ad account at the least there is', of: both },
  'unsubscribe-webhooks': { title: 'End the ad account’s webhooks', of: both },
  'revoke-credit-allocation': { title: 'Take the share of the line of credit back', of: both },
  'give-back-page': { title: 'Take the parent business off the Page it was shared with', of: both },
  'unshare-datasets': { title: 'End the child business’s access to the parent’s dataset', of: ['offboarding'] },
  'remove-child-business': { title: 'Take the child Business Manager off the parent', of: ['offboarding'] },
  'destroy-tokens': { title: 'Revoke the tokens and destroy every version of the secrets', of: both, afterAll: true },
  'erase-documents': { title: 'Erase what Firestore holds of the tenant', of: ['offboarding'], afterAll: true },
  // After the documents, by which reports are made: no row comes after it.
  'erase-reports': { title: 'Erase its rows in the warehouse', of: ['offboarding'], afterAll: true },
} as const satisfies Record<string, TeardownAction>;

export type TeardownActionName = keyof typeof teardownActions;
export const teardownActionNames = Object.keys(teardownActions) as TeardownActionName[];

/** What a teardown of this kind does, in its order. */
export function actionsOf(kind: TeardownKind): TeardownActionName[] {
  return teardownActionNames.filter((name) => (teardownActions[name].of as readonly TeardownKind[]).includes(kind));
}

/** Whether an action waits for all before it. */
export function isAfterAll(name: TeardownActionName): boolean {
  const action: TeardownAction = teardownActions[name];
  return action.afterAll === true;
}
