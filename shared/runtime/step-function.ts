import { createHash, randomUUID } from 'node:crypto';
import type { CloudEvent } from '@google-cloud/functions-framework';
import type { OutboxMessage, Run, StepWait, Tenant } from '../contracts/documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { stepDefinition } from '../domain/provisioning-steps.ts';
import { nextReminderAt } from '../domain/wait-reminders.ts';
import type { NeedsOf, StepName, StepProducts } from '../domain/provisioning-steps.ts';
import type { Outbox } from '../gcp/outbox.ts';
import type { Claimed } from '../gcp/step-claim.ts';
import { FenceLost, RunCancelled } from '../gcp/step-store.ts';
import type { DocumentWrite, StepStore } from '../gcp/step-store.ts';
import { GraphError } from '../meta/errors.ts';
import { callsAllowedBy } from './call-permit.ts';
import { withCallTraces } from './call-traces.ts';
import { backOffMs, outcomeOf, unknownOutcomeGraceMs } from './graph-outcome.ts';
import type { ActingCredential } from './graph-outcome.ts';
import type { Logger } from './logger.ts';
import { Failed, NotNeeded, RetryLater } from './outcomes.ts';
import type { Outcome, OutcomeError } from './outcomes.ts';
import { pubsubFunction } from './pubsub-function.ts';
import type { PubsubFunctionDependencies } from './pubsub-function.ts';

/** Attempts that end in trouble before a person is asked; throttling and waiting do not count. */
const maxRetries = 25;

/** One write, made exactly once in effect: looked for first, marked before it is sent, never sent blindly again. */
export interface Effect<Result extends Record<string, unknown>> {
  /** Unique within the step; the durable key of this write. */
  readonly name: string;
  /** The desired state, for the audit's fingerprint. It is hashed, never stored. */
  readonly desired: unknown;
  /** Reads what is there by a deterministic key, over all pages. */
  readonly find: (noted: Readonly<Record<string, unknown>> | undefined) => Promise<Result | undefined>;
  /**
   * What was there before, as `find` saw it: noted with the mark before the write is sent, and given to `find` after an
   * answer that got lost, when Meta shows only what came of it.
   */
  readonly before?: () => Readonly<Record<string, unknown>>;
  readonly create: () => Promise<Result>;
}

/** What a step is given. It sees only the products of the steps it declared as needs. */
export interface StepContext<Step extends StepName> {
  readonly tenant: Tenant;
  readonly run: Run;
  readonly log: Logger;
  readonly now: () => Date;
  /** The trace this run belongs to, for messages of the step's own. */
  readonly traceparent: string;
  /** Whether an earlier attempt has marked a write, whatever became of it. */
  readonly hasActed: boolean;
  /** What a needed step produced. @throws Failed when that step was skipped for this tenant */
  readonly product: <Need extends NeedsOf<Step>>(need: Need) => StepProducts[Need];
  /** The same, or undefined where that step is no part of this tenant's run. */
  readonly productIfAny: <Need extends NeedsOf<Step>>(need: Need) => StepProducts[Need] | undefined;
  /** Brings one object at Meta (or one secret) into being, once. Returns what it is. */
  readonly ensure: <Result extends Record<string, unknown>>(effect: Effect<Result>) => Promise<Result>;
}

/** How a step ends when it is done. */
export interface StepResult<Step extends StepName> {
  readonly products: StepProducts[Step];
  /** Documents that come into being with the step, in the same transaction. */
  readonly writes?: readonly DocumentWrite[];
  /** Facts to tell others, published after the same transaction. */
  readonly announce?: readonly Envelope[];
}

/** The behaviour of one step: ends by returning, or by throwing one of the outcomes. */
export type StepBehaviour<Step extends StepName> = (context: StepContext<Step>) => Promise<StepResult<Step>>;

export interface StepDependencies extends PubsubFunctionDependencies {
  readonly steps: StepStore;
  readonly outbox: Pick<Outbox, 'deliver'>;
}

/**
 * The recipe every provisioning step runs under.
 *
 * 1. Transaction: take the lease under a new fence, or find the step settled (then publish what its outbox still holds).
 * 2. Outside any transaction: the behaviour, whose every write goes through {@link StepContext.ensure}.
 * 3. Transaction: still the owner? Products, audit, documents and outbox messages together.
 * 4. Publish; a crash before that leaves rows for `outbox-sweeper`.
 *
 * An answer lost after sending is unknown, never failed: the next attempt looks for the result first.
 */
export function stepFunction<Step extends StepName>(
  step: Step,
  dependencies: () => StepDependencies,
  behaviour: StepBehaviour<Step>,
): (event: CloudEvent<unknown>) => Promise<void> {
  return pubsubFunction<StepName>(step, dependencies, async (envelope, log) => {
    const { steps, outbox, now } = dependencies();
    if (envelope.runId === undefined) throw new Failed('a step message must name its run');
    const ref = { tenantId: envelope.tenantId, runId: envelope.runId, step };
    const claim = await steps.claim(ref, randomUUID(), envelope.data.cause);
    switch (claim.kind) {
      case 'missing':
        log.error('message for a step that does not exist, acknowledged');
        return { kind: 'done' };
      case 'busy': {
        const afterMs = Math.max(1_000, Date.parse(claim.until) - now().getTime());
        return { kind: 'retry', reason: 'another worker holds the lease', afterMs, burnsAttempt: false };
      }
      case 'settled': {
        const left = await steps.deliverLeftBy(ref);
        log.info({ step, state: claim.state, left }, 'nothing to do');
        return { kind: 'done' };
      }
      case 'claimed':
        return work(claim, step, behaviour, { steps, outbox, now, log, traceparent: envelope.traceparent });
    }
  });
}

interface Work {
  readonly steps: StepStore;
  readonly outbox: Pick<Outbox, 'deliver'>;
  readonly now: () => Date;
  readonly log: Logger;
  readonly traceparent: string;
}

async function work<Step extends StepName>(
  claimed: Claimed,
  step: Step,
  behaviour: StepBehaviour<Step>,
  { steps, outbox, now, log: parentLog, traceparent }: Work,
): Promise<Outcome> {
  const log = parentLog.child({ step, attempt: claimed.record.attempt, fence: claimed.fence });
  log.info('step started');
  let ended: Ended;
  try {
    ended = await attempt(claimed, step, behaviour, { steps, now, log, traceparent });
  } catch (error) {
    if (error instanceof RunCancelled) {
      log.warn('the run was cancelled; the step ends');
      await steps.endCancelled(claimed).catch(ignoringFenceLost);
      return { kind: 'done' };
    }
    if (error instanceof FenceLost) {
      log.warn({ reason: error.message }, 'the step is in other hands; what was left to do here is void');
      return { kind: 'done' };
    }
    throw error;
  }
  // The step is over whether or not they get through: the message comes again and publishes what is left.
  await outbox.deliver(ended.messages);
  return ended.outcome;
}

interface Ended {
  readonly outcome: Outcome;
  readonly messages: readonly OutboxMessage[];
}

function ignoringFenceLost(error: unknown): void {
  if (!(error instanceof FenceLost)) throw error;
}

/** @throws FenceLost, RunCancelled */
async function attempt<Step extends StepName>(
  claimed: Claimed,
  step: Step,
  behaviour: StepBehaviour<Step>,
  { steps, now, log, traceparent }: Omit<Work, 'outbox'>,
): Promise<Ended> {
  try {
    const context = contextOf(claimed, steps, now, log, traceparent);
    const result = await callsAllowedBy(
      () => steps.mayCall(claimed),
      () => behaviour(context),
    );
    const messages = await steps.finish(
      claimed,
      { products: { ...result.products }, writes: result.writes ?? [], announce: result.announce ?? [] },
      traceparent,
    );
    log.info({ products: result.products }, 'step done');
    return { outcome: { kind: 'done' }, messages };
  } catch (error) {
    if (error instanceof FenceLost || error instanceof RunCancelled) throw error;
    if (error instanceof NotNeeded) {
      log.info({ reason: error.reason }, 'step not needed');
      return { outcome: { kind: 'done' }, messages: await steps.finishUnneeded(claimed, error.reason, traceparent) };
    }
    const known = outcomeOf(error, actingOn(claimed.run.path, step), claimed.record.retries, now());
    if (known === undefined) log.error({ err: error }, 'unexpected error');
    const outcome = known ?? new RetryLater('unexpected error', { afterMs: backOffMs(claimed.record.retries) }).outcome;
    return { outcome: await settle(claimed, outcome, steps, now, log), messages: [] };
  }
}

/** Whose token a step on this path uses, and so who must act when Meta refuses it. */
function actingOn(path: Run['path'], step: StepName): ActingCredential {
  const { credential } = stepDefinition(step);
  if (credential !== 'operator') return credential;
  return path === 'fallback' ? 'parent' : 'child';
}

/** Records how an unfinished attempt ended, and says what becomes of the message. */
async function settle(
  claimed: Claimed,
  outcome: OutcomeError['outcome'],
  steps: StepStore,
  now: () => Date,
  log: Logger,
): Promise<Outcome> {
  switch (outcome.kind) {
    case 'retry': {
      const retries = claimed.record.retries + (outcome.burnsAttempt ? 1 : 0);
      if (retries > maxRetries) {
        return settle(
          claimed,
          new Failed(`gave up after ${maxRetries} attempts: ${outcome.reason}`).outcome,
          steps,
          now,
          log,
        );
      }
      log.warn({ reason: outcome.reason, afterMs: outcome.afterMs, retries }, 'step will be tried again');
      await steps.postpone(claimed, outcome.reason, retries, new Date(now().getTime() + (outcome.afterMs ?? 0)));
      return outcome;
    }
    case 'waiting': {
      const { on, for: awaited, what, pollEveryMs, expiresAfterMs } = outcome.wait;
      const before = claimed.record.wait;
      const same = before?.on === on && before.for === awaited ? before : undefined;
      const at = now();
      if (same?.expiresAt && same.expiresAt <= at.toISOString()) {
        const reason = `waited in vain on ${on} for ${awaited}, from ${same.since} until ${same.expiresAt}`;
        return settle(claimed, new Failed(reason).outcome, steps, now, log);
      }
      const since = same?.since ?? at.toISOString();
      const expiresAt =
        same?.expiresAt ??
        (expiresAfterMs === undefined ? null : new Date(at.getTime() + expiresAfterMs).toISOString());
      const wait: StepWait = {
        on,
        for: awaited,
        what,
        since,
        expiresAt,
        remindAt: same === undefined ? nextReminderAt({ on, since, expiresAt }, at) : same.remindAt,
        remindersSent: same?.remindersSent ?? 0,
        // A link sent for an earlier wait of this step must not end this one.
        linkNumber: same?.linkNumber ?? (before?.linkNumber ?? 0) + 1,
      };
      const nextLook = new Date(at.getTime() + pollEveryMs).toISOString();
      await steps.park(claimed, wait, expiresAt !== null && expiresAt < nextLook ? expiresAt : nextLook);
      log.info({ on, for: awaited, since }, 'step waits');
      return outcome;
    }
    case 'failed': {
      log.error({ reason: outcome.reason }, 'step failed');
      await steps.fail(claimed, outcome.reason);
      return outcome;
    }
  }
}

function contextOf<Step extends StepName>(
  claimed: Claimed,
  steps: StepStore,
  now: () => Date,
  log: Logger,
  traceparent: string,
): StepContext<Step> {
  return {
    tenant: claimed.tenant,
    run: claimed.run,
    log,
    now,
    traceparent,
    hasActed: Object.keys(claimed.record.effects).length > 0,
    product(need) {
      const product = claimed.products[need];
      if (product === undefined)
        throw new Failed(`${claimed.ref.step} needs what ${need} produces, which is not there`);
      return product;
    },
    productIfAny: (need) => claimed.products[need],
    ensure: (effect) => ensure(claimed, effect, steps, now, log),
  };
}

async function ensure<Result extends Record<string, unknown>>(
  claimed: Claimed,
  effect: Effect<Result>,
  steps: StepStore,
  now: () => Date,
  log: Logger,
): Promise<Result> {
  const mark = claimed.record.effects[effect.name];
  if (mark?.state === 'done' && mark.result !== null) return mark.result as Result;
  const fingerprint = createHash('sha256').update(JSON.stringify(effect.desired)).digest('hex');
  const close = async (
    how: 'created' | 'found',
    { result, traces }: { result: Result; traces: readonly string[] },
  ): Promise<Result> => {
    await steps.closeEffect(claimed, effect.name, fingerprint, how, result, {
      action: how,
      subject: effect.name,
      detail: { ...result, fingerprint, fbtrace_ids: [...traces] },
    });
    log.info({ effect: effect.name, how, result }, 'effect closed');
    return result;
  };

  const found = await withCallTraces(() => effect.find(mark?.before));
  const { result: existing, traces } = found;
  if (existing !== undefined) return close('found', { result: existing, traces });
  if (mark !== undefined) {
    const ageMs = now().getTime() - Date.parse(mark.markedAt);
    if (ageMs < unknownOutcomeGraceMs) {
      throw new RetryLater(`${effect.name} was sent by an earlier attempt and is not visible yet`, {
        afterMs: unknownOutcomeGraceMs - ageMs,
      });
    }
  }
  await steps.markEffect(claimed, effect.name, fingerprint, effect.before?.());
  try {
    return await close('created', await withCallTraces(() => effect.create()));
  } catch (error) {
    if (surelyNothingSent(error)) await steps.unmarkEffect(claimed, effect.name);
    throw error;
  }
}

/** A write that Meta refused. Of a read that failed after a write, nobody knows what became of the write. */
function surelyNothingSent(error: unknown): boolean {
  return error instanceof GraphError && error.outcome === 'not-applied' && !error.call.startsWith('GET ');
}
