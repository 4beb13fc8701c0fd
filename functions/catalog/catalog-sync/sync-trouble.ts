/** What an error means for a sync: later, waiting for somebody, or its end. */
import type { Sync } from '../../../shared/contracts/catalog-documents.ts';
import type { CatalogChange } from '../../../shared/gcp/catalog-store.ts';
import { backOffMs, outcomeOf } from '../../../shared/runtime/graph-outcome.ts';
import { Failed, RetryLater } from '../../../shared/runtime/outcomes.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';
import { endSync } from '../feed-in-hand.ts';
import type { CatalogTurn } from './catalog-turn.ts';
import { FeedUnavailable } from './open-feed.ts';
import { FeedMalformed } from './read-feed/feed-row.ts';
import type { Stepped } from './sync-steps.ts';

/** Troubles in a row before a sync is given up; with their back-off about an hour. */
const maxRetries = 10;

/** Writes down what the error makes of the sync, with its reason in words. @throws the error itself when nobody knows it */
export async function meetTrouble(turn: CatalogTurn, sync: Sync, error: unknown): Promise<Stepped> {
  const { log, now } = turn.services;
  const outcome = meaningOf(error, sync, now());
  if (outcome === undefined) throw error;
  if (outcome.kind === 'retry') {
    const retries = sync.retries + (outcome.burnsAttempt ? 1 : 0);
    if (retries <= maxRetries) {
      const catalog = await turn.updateSync({ retries, reason: outcome.reason });
      return { catalog, afterMs: outcome.afterMs ?? backOffMs(retries) };
    }
  }
  if (outcome.kind === 'waiting') {
    const { on, for: awaited, what } = outcome.wait;
    const wait = { on, for: awaited, what, since: now().toISOString() };
    const resumeAs = sync.state === 'sending' || sync.state === 'applying' ? sync.state : 'reading';
    const raise = failedAlert(sync, `The catalog waits on ${on}: ${what}`);
    return { catalog: await turn.updateSync({ state: 'waiting', resumeAs, wait, reason: what }, { raise }) };
  }
  const { reason } = outcome;
  const raise = failedAlert(sync, reason);
  log.warn({ tenantId: turn.tenantId, syncId: sync.syncId, reason }, 'sync failed');
  // What was accepted before the failure is true and must not be sent again.
  if (sync.state === 'sending') return { catalog: await turn.updateSync({ state: 'applying', reason }, { raise }) };
  const ended: Sync = { ...sync, state: 'failed', reason };
  return { catalog: await turn.update((held) => ({ catalog: endSync(held, ended, now()), raise })) };
}

function meaningOf(error: unknown, { feed, retries }: Sync, now: Date): Exclude<Outcome, { kind: 'done' }> | undefined {
  if (error instanceof FeedUnavailable) {
    return (error.isPassing ? new RetryLater(error.message) : new Failed(error.message)).outcome;
  }
  if (error instanceof FeedMalformed) return new Failed(`The feed is not ${feed.format}: ${error.message}.`).outcome;
  return outcomeOf(error, 'child', retries, now);
}

function failedAlert({ syncId }: Sync, reason: string): NonNullable<CatalogChange['raise']> {
  return {
    kind: 'catalog-sync-failed',
    severity: 'notice',
    summary: `The product feed could not be brought to Meta. ${reason}`.slice(0, 1_000),
    detail: { syncId },
  };
}
