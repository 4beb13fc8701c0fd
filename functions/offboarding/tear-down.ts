import { randomUUID } from 'node:crypto';
import type { ActionRecord, Teardown } from '../../shared/contracts/teardown-documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import { actionsOf, isAfterAll } from '../../shared/domain/teardown.ts';
import type { TeardownActionName } from '../../shared/domain/teardown.ts';
import { FenceLost } from '../../shared/gcp/step-store.ts';
import type { TeardownStore } from '../../shared/gcp/teardown-store.ts';
import { outcomeOf } from '../../shared/runtime/graph-outcome.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { RetryLater } from '../../shared/runtime/outcomes.ts';
import type { Outcome, OutcomeError } from '../../shared/runtime/outcomes.ts';
import { actions, leftBehind } from './actions.ts';
import type { TeardownServices } from './services.ts';

export interface TearDownDependencies {
  readonly teardowns: Pick<TeardownStore, 'claim' | 'record' | 'release' | 'finish'>;
  readonly services: TeardownServices;
  readonly deliverLeftBy: (teardownId: string) => Promise<unknown>;
}

/** Failed tries of one action before it is given up and listed as left. */
const maxTries = 25;
/** How long an action may wait for a person; what the law gives for an erasure is a month. */
const longestWaitMs = 7 * 24 * 60 * 60 * 1000;

/**
 * Ends a run or a tenant, action by action (`shared/domain/teardown.ts`), under a lease with a fence. Each action that is
 * settled is recorded and not looked at again; one that is in trouble keeps neither the others nor money waiting: they go
 * on, and it is tried again, until it is given up and listed as left. Only what takes away what the others need waits for
 * all of them.
 */
export function tearDown(dependencies: TearDownDependencies) {
  const { deliverLeftBy, services, teardowns } = dependencies;
  return async (envelope: Envelope<'undo-run' | 'offboard-tenant'>, log: Logger): Promise<Outcome> => {
    const { teardownId } = envelope.data;
    const claim = await teardowns.claim(teardownId, randomUUID());
    if (claim.kind === 'missing' || claim.kind === 'done') {
      await deliverLeftBy(teardownId);
      return { kind: 'done' };
    }
    if (claim.kind === 'busy') {
      const afterMs = Math.max(1_000, Date.parse(claim.until) - services.now().getTime());
      return { kind: 'retry', reason: 'another worker holds the lease', afterMs, burnsAttempt: false };
    }
    try {
      return await workThrough(claim.teardown, dependencies, log);
    } catch (error) {
      if (error instanceof FenceLost) return { kind: 'done' };
      await teardowns.release(claim.teardown).catch(() => undefined);
      throw error;
    }
  };
}

/** @throws FenceLost */
async function workThrough(
  claimed: Teardown,
  { services, teardowns }: TearDownDependencies,
  log: Logger,
): Promise<Outcome> {
  let teardown = claimed;
  let againInMs: number | undefined;
  for (const action of actionsOf(teardown.kind)) {
    if (isSettled(teardown.actions[action])) continue;
    if (isAfterAll(action) && againInMs !== undefined) break;
    const ended = await tryAction(action, teardown, services, log);
    teardown = await teardowns.record(teardown, action, ended.change);
    if (ended.afterMs === undefined) continue;
    againInMs = Math.min(againInMs ?? Infinity, ended.afterMs);
    // Nobody knows yet what the others would work on.
    if (action === 'find-objects') break;
  }
  if (againInMs === undefined) {
    await teardowns.finish(teardown);
    log.info({ teardownId: teardown.teardownId, left: teardown.left.length }, 'torn down');
    return { kind: 'done' };
  }
  await teardowns.release(teardown);
  return { kind: 'retry', reason: 'some of it is not done yet', afterMs: againInMs, burnsAttempt: false };
}

function isSettled(record: ActionRecord | undefined): boolean {
  return record?.state === 'done' || record?.state === 'left';
}

interface Tried {
  readonly change: Parameters<TeardownStore['record']>[2];
  /** When to try again; absent: settled. */
  readonly afterMs?: number;
}

async function tryAction(
  action: TeardownActionName,
  teardown: Teardown,
  services: TeardownServices,
  log: Logger,
): Promise<Tried> {
  const at = services.now().toISOString();
  const before = teardown.actions[action];
  const head = { at, since: before?.since ?? at, tries: before?.tries ?? 0, wait: null };
  try {
    const { detail, left, objects } = await actions[action](teardown, services);
    log.info({ action, detail }, 'action done');
    return {
      change: { record: { ...head, state: 'done', detail }, ...(left && { left }), ...(objects && { objects }) },
    };
  } catch (error) {
    const known = outcomeOf(error, 'parent', head.tries, services.now());
    if (known === undefined) log.error({ err: error, action }, 'unexpected error');
    const outcome = known ?? new RetryLater('unexpected error', { afterMs: 60_000 }).outcome;
    return troubleOf(action, teardown, head, outcome, log);
  }
}

function troubleOf(
  action: TeardownActionName,
  teardown: Teardown,
  head: Omit<ActionRecord, 'state' | 'detail'>,
  outcome: OutcomeError['outcome'],
  log: Logger,
): Tried {
  const waitedMs = Date.parse(head.at) - Date.parse(head.since);
  const why = outcome.kind === 'waiting' ? outcome.wait.what : outcome.reason;
  const tries = head.tries + (outcome.kind === 'retry' && outcome.burnsAttempt ? 1 : 0);
  const isHopeless =
    outcome.kind === 'failed' || tries > maxTries || (outcome.kind === 'waiting' && waitedMs >= longestWaitMs);
  // Kobi's own duties are never given up.
  if (isHopeless && !isAfterAll(action) && action !== 'close-relay') {
    log.error({ action, why }, 'given up, listed as left');
    const left = leftBehind(action, teardown, why);
    return { change: { record: { ...head, tries, state: 'left', detail: why }, left } };
  }
  log.warn({ action, why }, 'action will be tried again');
  const wait =
    outcome.kind === 'waiting'
      ? { on: outcome.wait.on, for: outcome.wait.for, what: why, since: head.since, expiresAt: null }
      : null;
  const afterMs =
    outcome.kind === 'waiting'
      ? outcome.wait.pollEveryMs
      : outcome.kind === 'retry'
        ? (outcome.afterMs ?? 60_000)
        : 3_600_000;
  return { change: { record: { ...head, tries, state: 'trouble', detail: why, wait } }, afterMs };
}
