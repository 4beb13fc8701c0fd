import { eventKey, uncertainHorizonMs } from '../../../shared/gcp/delivery-ledger.ts';
import type { DeliveryClaim, DeliveryLedger, Standing } from '../../../shared/gcp/delivery-ledger.ts';
import type { RelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import type { OperatorKind } from '../../../shared/domain/provisioning-path.ts';
import type { AccessToken } from '../../../shared/meta/access-token.ts';
import { sendEvents } from '../../../shared/meta/conversions.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { HashedEvent } from '../events-message.ts';
import { duplicate, fateOf, holdMs, later, letGo } from './fate.ts';
import type { Fate, Later } from './fate.ts';
import { notAllCounted, sendBatch } from './send-batch.ts';

/** Events of one destination can share a call. */
export interface Destination {
  readonly tenantId: string;
  readonly datasetId: string;
  readonly testEventCode: string | undefined;
  /** Errors nobody knows have come back often enough: now they are the events' own. */
  readonly isLastAttempt: boolean;
  /** A message that shares its call with no other, by its id. */
  readonly apartAs: string | undefined;
}

export interface BatchDependencies {
  readonly graph: Pick<GraphClient, 'as'>;
  /** The token that sends for a dataset. @throws Waiting when it is not there */
  readonly senderOf: (destination: Destination) => Promise<AccessToken<OperatorKind>>;
  readonly ledger: DeliveryLedger;
  readonly breaker: RelayBreaker;
  /** How Dataset Quality tells our events from others': `[partner]_[major]_[minor]`. */
  readonly partnerAgent: string;
  readonly log: Logger;
  readonly now: () => Date;
  /** Told of events that are sent although they may have reached Meta before. */
  readonly onRepeat: (tenantId: string, events: readonly HashedEvent[]) => void;
}

/** A call begins only while this much is left of the claim's lease: longer than a call to Meta can take. */
const callTakesAtMostMs = 12_000;
/** A dataset for which Meta took or judged events this lately is no victim of an outage. */
const upForMs = 60_000;
const mostDatasetsRemembered = 10_000;

interface Claimed {
  readonly event: HashedEvent;
  readonly key: string;
}

/**
 * Delivers one batch of 1 to 1,000 events of a destination and says what became of each, in order.
 *
 * Nothing is sent that the ledger knows at Meta or under way, nothing of a tenant whose breaker is open (but its hourly
 * probe), nothing to a dataset before a time Meta named. Rejects when Firestore or the secret store does not answer; then
 * nothing was sent.
 */
export function createBatchDelivery(
  dependencies: BatchDependencies,
): (destination: Destination, events: readonly HashedEvent[]) => Promise<readonly Fate[]> {
  const { breaker, senderOf, ledger, log: parentLog, now, onRepeat } = dependencies;
  /** Datasets to leave alone, until when and why: Meta asked for it, or does not show them to the tenant's token. */
  const resting = new Map<string, { readonly untilMs: number; readonly reason: string }>();
  /** When Meta last had an answer about a dataset's events that it took, or refused for what they are. */
  const lastUpMs = new Map<string, number>();
  let lastUpAnywhereMs = -Infinity;

  const hold = async (
    { tenantId, datasetId }: Destination,
    { reason, advice, afterMs = holdMs, isOfDataset }: Later,
    events: number,
    log: Logger,
  ): Promise<void> => {
    if (advice === undefined) return;
    if (isOfDataset) {
      resting.set(datasetId, { untilMs: now().getTime() + afterMs, reason });
      log.error({ events, reason, advice }, 'events of one dataset are held until somebody acts');
    } else if (await breaker.open(tenantId, { reason, advice }, 'capi-deliver')) {
      log.error({ events, reason, advice }, 'events are held until somebody acts');
    }
  };

  const rest = (datasetId: string): Later | undefined => {
    const known = resting.get(datasetId);
    if (known === undefined) return undefined;
    const afterMs = known.untilMs - now().getTime();
    if (afterMs > 0) return later(known.reason, { afterMs });
    resting.delete(datasetId);
    return undefined;
  };

  return async (destination, events) => {
    const { tenantId, datasetId } = destination;
    const log = parentLog.child({ tenantId, datasetId });
    const all = (fate: Fate): readonly Fate[] => events.map(() => fate);

    const untilLater = rest(datasetId);
    if (untilLater !== undefined) return all(untilLater);
    const answer = await breaker.ask(tenantId);
    if (answer.kind === 'gone') {
      log.info({ events: events.length }, 'the tenant was offboarded, its events are let go');
      return all(letGo);
    }
    if (answer.kind === 'held') {
      return all(later(answer.reason, { afterMs: Math.max(1_000, answer.untilMs - now().getTime()) }));
    }

    let token: AccessToken<OperatorKind>;
    try {
      token = await senderOf(destination);
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error;
      const fate = fateOf(error, now());
      if (fate.kind === 'later') await hold(destination, fate, events.length, log);
      return all(fate);
    }

    const keys = events.map((event) => eventKey(datasetId, event));
    const claim = await ledger.claim([...new Set(keys)]);
    const { fates, claimed, repeated } = sortOut(events, keys, claim, now().getTime());
    if (repeated.length > 0) {
      onRepeat(tenantId, repeated);
      log.warn({ repeated: repeated.length }, 'events that may have reached Meta are sent again with the ids they had');
    }
    const sent = await sendClaimed({ destination, claim, claimed, token, log });
    const outcome = [...sent.values()];
    if (outcome.some(({ kind }) => kind !== 'later')) {
      if (lastUpMs.size >= mostDatasetsRemembered) lastUpMs.clear();
      lastUpAnywhereMs = now().getTime();
      lastUpMs.set(datasetId, lastUpAnywhereMs);
    }
    const trouble = outcome.find((fate) => fate.kind === 'later' && fate.advice !== undefined);
    const isTaken = outcome.some(({ kind }) => kind === 'accepted');
    if (trouble?.kind === 'later') await hold(destination, trouble, outcome.length, log);
    else if (answer.kind === 'probe' && isTaken && (await breaker.close(tenantId, 'capi-deliver'))) {
      log.info({ events: outcome.length }, 'a probe went through, events flow again');
    }
    const isLately = (atMs: number): boolean => now().getTime() - atMs < upForMs;
    const up = {
      isMetaUp: isLately(lastUpMs.get(datasetId) ?? -Infinity),
      isMetaUpForOthers: isLately(lastUpAnywhereMs),
    };
    return events.map((_event, index) => {
      const fate = fates.get(index) ?? sent.get(keys[index] ?? '') ?? duplicate;
      return fate.kind === 'later' ? { ...fate, ...up } : fate;
    });
  };

  async function sendClaimed(batch: {
    readonly destination: Destination;
    readonly claim: DeliveryClaim;
    readonly claimed: readonly Claimed[];
    readonly token: AccessToken<OperatorKind>;
    readonly log: Logger;
  }): Promise<Map<string, Fate>> {
    const { destination, claim, claimed, token, log } = batch;
    const { datasetId, testEventCode, isLastAttempt } = destination;
    if (claimed.length === 0) {
      await settle(claim, new Map(), log);
      return new Map();
    }
    const asSender = dependencies.graph.as(token);
    const fates = await sendBatch(claimed, {
      send: async (stretch) => {
        const startedMs = now().getTime();
        if (claim.leaseUntilMs - startedMs < callTakesAtMostMs) throw new LeaseSpent();
        const call = (): object => ({ events: stretch.length, ms: now().getTime() - startedMs });
        try {
          const receipt = await sendEvents(asSender, {
            datasetId,
            events: stretch.map(({ event }) => event),
            partnerAgent: dependencies.partnerAgent,
            ...(testEventCode === undefined ? {} : { testEventCode }),
          });
          const { eventsReceived, fbtraceId, messages } = receipt;
          log.info({ ...call(), eventsReceived, warnings: messages.length, fbtrace_id: fbtraceId }, 'events sent');
          if (stretch.length < claimed.length && eventsReceived >= stretch.length) {
            await confirm(claim, stretch, log);
          }
          return receipt;
        } catch (error) {
          const known = error instanceof GraphError ? error : undefined;
          log.warn({ ...call(), err: error, reason: known?.reason, fbtrace_id: known?.fbtraceId }, 'events not taken');
          if (known?.retryAtMs !== undefined && known.class === 'throttled')
            resting.set(datasetId, { untilMs: known.retryAtMs, reason: known.message });
          throw error;
        }
      },
      fateOf: (error) =>
        error instanceof LeaseSpent
          ? later('the claim ran out before everything was sent', { afterMs: 1_000 })
          : fateOf(error, now(), isLastAttempt),
    });
    const byKey = new Map(claimed.map(({ key }, index) => [key, fates[index] ?? later('no fate')]));
    await settle(claim, byKey, log);
    return byKey;
  }
}

class LeaseSpent extends Error {
  override readonly name = 'LeaseSpent';
}

/** Which events are to be sent, and what became of the others by their place in the batch. */
function sortOut(
  events: readonly HashedEvent[],
  keys: readonly string[],
  claim: DeliveryClaim,
  nowMs: number,
): { fates: Map<number, Fate>; claimed: Claimed[]; repeated: HashedEvent[] } {
  const fates = new Map<number, Fate>();
  const claimed: Claimed[] = [];
  const repeated: HashedEvent[] = [];
  const seen = new Set<string>();
  for (const [index, event] of events.entries()) {
    const key = keys[index] ?? '';
    // A second copy in one batch: what becomes of the first is made sure of by the first one's message.
    const fate = seen.has(key) ? duplicate : unsentFate(claim.standingOf(key), nowMs);
    seen.add(key);
    if (fate !== undefined) {
      fates.set(index, fate);
      continue;
    }
    claimed.push({ event, key });
    if (claim.standingOf(key).kind === 'repeat') repeated.push(event);
  }
  return { fates, claimed, repeated };
}

function unsentFate(standing: Standing, nowMs: number): Fate | undefined {
  switch (standing.kind) {
    case 'send':
      return undefined;
    case 'repeat':
      return nowMs - standing.firstSentAtMs < uncertainHorizonMs ? undefined : uncertainTooOld;
    case 'delivered':
      return duplicate;
    case 'busy':
      return later('another delivery of the same event is under way', { afterMs: standing.untilMs - nowMs + 1_000 });
  }
}

const uncertainTooOld: Fate = {
  kind: 'quarantined',
  reason: 'uncertain-too-old',
  problems: ['it may have reached Meta, and so long ago that Meta would count a second copy'],
};

/** A failure costs no guarantee: until it is settled, what was confirmed only counts as uncertain. */
async function confirm(claim: DeliveryClaim, taken: readonly Claimed[], log: Logger): Promise<void> {
  try {
    await claim.confirm(taken.map(({ key }) => key));
  } catch (error) {
    log.warn({ err: error, events: taken.length }, 'the ledger did not note what Meta took');
  }
}

/** Meta has spoken, so the message is not delivered again for want of a note: a later copy then counts as uncertain. */
async function settle(claim: DeliveryClaim, fates: ReadonlyMap<string, Fate>, log: Logger): Promise<void> {
  const taken: string[] = [];
  const uncertain: string[] = [];
  for (const [key, fate] of fates) {
    if (fate.kind === 'accepted') taken.push(key);
    else if (fate.kind === 'later' && fate.uncertain) uncertain.push(key);
    else if (fate.kind === 'quarantined' && fate.reason === notAllCounted) uncertain.push(key);
  }
  if (uncertain.length > 0)
    log.warn({ uncertain: uncertain.length }, 'events may have reached Meta, and may be repeated');
  try {
    await claim.settle(taken, uncertain);
  } catch (error) {
    log.error({ err: error, events: fates.size }, 'the ledger did not note what Meta took');
  }
}
