import type { TenantAssets } from '../../../shared/contracts/documents.ts';
import type { MatchQuality, PolledEvent } from '../../../shared/contracts/quality-documents.ts';
import { matchQualityMessage } from '../../../shared/contracts/metrics.ts';
import { judgeReadings, hasRecovered } from '../../../shared/domain/match-quality/detect.ts';
import type { Judgement } from '../../../shared/domain/match-quality/detect.ts';
import { predictScore, worthOfMissingKeys } from '../../../shared/domain/match-quality/predict.ts';
import type { MatchWeights } from '../../../shared/domain/match-quality/predict.ts';
import { dayMs, pollEveryMs } from '../../../shared/domain/match-quality/reading.ts';
import type { Reading } from '../../../shared/domain/match-quality/reading.ts';
import { eventsIn, mixesOf } from '../../../shared/domain/match-quality/traffic.ts';
import type { Totals } from '../../../shared/domain/match-quality/traffic.ts';
import { nextOwnTimeAfter } from '../../../shared/domain/own-time.ts';
import type { MatchQualityStore } from '../../../shared/gcp/match-quality-store.ts';
import { readDatasetQuality } from '../../../shared/meta/dataset-quality.ts';
import type { EventQuality } from '../../../shared/meta/dataset-quality.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { outcomeOf } from '../../../shared/runtime/graph-outcome.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { TenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import type { TellAlerts } from './tell-alerts.ts';

export interface PollServices {
  readonly store: Pick<MatchQualityStore, 'read' | 'write' | 'forget' | 'keepPoll' | 'daysSince'>;
  readonly graph: Pick<GraphClient, 'as'>;
  readonly credentials: Pick<TenantCredentials, 'operator'>;
  /** What a live tenant is operated with; undefined for one that is not live (any more). */
  readonly assetsOf: (tenantId: string) => Promise<Pick<TenantAssets, 'datasetId' | 'operator'> | undefined>;
  /** What became of the tenant's events between two instants, by event name. */
  readonly totals: (tenantId: string, from: Date, to: Date) => Promise<Totals>;
  readonly weights: () => Promise<MatchWeights>;
  readonly tellAlerts: TellAlerts;
  readonly now: () => Date;
  readonly log: Logger;
}

/** `read`: Meta answered. `trouble`: it did not, or would not; the tenant says why. `gone`: it is not live any more. */
export type PollEnd = 'read' | 'trouble' | 'gone';

/** A tenant has dozens of event names at most; custom names without end would fill the documents. */
const mostEventNames = 40;
const historyMs = 28 * dayMs;
const forgetAfterMs = 14 * dayMs;
const retryAfterMs = 60 * 60_000;

/**
 * One poll of one tenant: asks Meta, keeps the answer beside our own numbers, judges every event name against its
 * history, and raises or resolves the tenant's alerts. A poll that brings nothing leaves the picture as it was and says
 * why; nothing is ever taken for zero. Doing a poll twice changes nothing.
 */
export async function pollTenant(known: MatchQuality, services: PollServices): Promise<PollEnd> {
  const { assetsOf, store, now, tellAlerts } = services;
  const at = now();
  const assets = await assetsOf(known.tenantId);
  if (assets === undefined) {
    await store.forget(known.tenantId);
    return 'gone';
  }
  const picture: MatchQuality = { ...known, datasetId: assets.datasetId };
  const answer = await ask(picture, assets.operator, services);
  if ('trouble' in answer) {
    const { reason, what, retryAt } = answer.trouble;
    const trouble = {
      since: picture.trouble?.reason === reason ? picture.trouble.since : at.toISOString(),
      reason,
      what,
    };
    const next = retryAt ?? new Date(at.getTime() + retryAfterMs);
    const left: MatchQuality = { ...picture, lastPolledAt: at.toISOString(), nextPollAt: next.toISOString(), trouble };
    await tellAlerts(left, undefined);
    await store.write(left);
    return 'trouble';
  }
  const totals = await services.totals(picture.tenantId, new Date(at.getTime() - dayMs), at);
  const mixes = mixesOf(totals);
  const events = polledEvents(picture, answer.quality, mixes, at);
  await store.keepPoll(picture.tenantId, new Date(picture.nextPollAt), { at: at.toISOString(), events });
  const readings = await readingsOf(picture.tenantId, at, store);
  const weights = await services.weights();
  const read: MatchQuality = {
    ...picture,
    lastPolledAt: at.toISOString(),
    lastReadingAt: at.toISOString(),
    // Half an interval away at least: a tenant just taken in would otherwise be asked about twice within minutes.
    nextPollAt: nextOwnTimeAfter(picture.tenantId, pollEveryMs, new Date(at.getTime() + pollEveryMs / 2)).toISOString(),
    trouble: null,
    events: Object.fromEntries(
      Object.entries(events).map(([name, event]) => {
        const own = mixes.get(name) ?? {};
        const before = picture.events[name];
        const judged = judge(readings.get(name) ?? [], before?.finding ?? null);
        return [
          name,
          {
            score: event.score,
            predicted: predictScore(own, weights),
            missingKeys: worthOfMissingKeys(own, weights).slice(0, 5),
            mixes: own,
            eventsPerDay: event.eventsPerDay,
            lastEventAt: (event.eventsPerDay ?? 0) > 0 ? at.toISOString() : (before?.lastEventAt ?? null),
            ...judged,
          },
        ];
      }),
    ),
  };
  await tellAlerts(read, readings);
  await store.write(read);
  services.log.info({ tenantId: read.tenantId, score: overallScore(read.events) }, matchQualityMessage);
  return 'read';
}

/** The scores of all event names, each weighted by its events; undefined where Meta scored none. */
function overallScore(events: MatchQuality['events']): number | undefined {
  let weights = 0;
  let sum = 0;
  for (const { score, eventsPerDay } of Object.values(events)) {
    if (score === null) continue;
    const weight = Math.max(1, eventsPerDay ?? 0);
    weights += weight;
    sum += weight * score;
  }
  return weights === 0 ? undefined : Math.round((sum / weights) * 100) / 100;
}

type Answer =
  | { readonly quality: readonly EventQuality[] }
  | { readonly trouble: { readonly reason: string; readonly what: string; readonly retryAt?: Date } };

async function ask(
  { tenantId, datasetId }: MatchQuality,
  operator: TenantAssets['operator'],
  { credentials, graph, now }: PollServices,
): Promise<Answer> {
  try {
    return { quality: await readDatasetQuality(graph.as(await credentials.operator(tenantId, operator)), datasetId) };
  } catch (error) {
    const outcome = outcomeOf(error, operator === 'child' ? 'child' : 'parent', 0, now());
    if (outcome === undefined) throw error;
    const reason =
      error instanceof GraphError ? error.reason : error instanceof OutcomeError ? outcome.kind : 'unknown';
    const what = outcome.kind === 'waiting' ? outcome.wait.what : outcome.reason;
    const isTimed = outcome.kind === 'retry' && !outcome.burnsAttempt && outcome.afterMs !== undefined;
    return {
      trouble: { reason, what, ...(isTimed && { retryAt: new Date(now().getTime() + (outcome.afterMs ?? 0)) }) },
    };
  }
}

/**
 * Every event name that Meta spoke of, that we sent, or that was there lately. A name without a row at Meta has no score,
 * but its own numbers still say whether its events stopped.
 */
function polledEvents(
  picture: MatchQuality,
  quality: readonly EventQuality[],
  mixes: ReturnType<typeof mixesOf>,
  at: Date,
): Record<string, PolledEvent> {
  const rows = new Map(quality.map((row) => [row.eventName, row]));
  const lately = Object.entries(picture.events).flatMap(([name, { lastEventAt }]) =>
    lastEventAt !== null && at.getTime() - Date.parse(lastEventAt) < forgetAfterMs ? [name] : [],
  );
  const volume = (name: string): number => eventsIn(mixes.get(name) ?? {});
  const names = [...new Set([...rows.keys(), ...mixes.keys(), ...lately])]
    .sort((left, right) => volume(right) - volume(left))
    .slice(0, mostEventNames);
  return Object.fromEntries(
    names.map((name) => {
      const row = rows.get(name);
      return [
        name,
        {
          score: row?.compositeScore ?? null,
          coverage: row?.coverage ?? {},
          dedupePercentage: row?.dedupePercentage ?? null,
          uploadFrequency: row?.uploadFrequency ?? null,
          acrPercentage: row?.acrPercentage ?? null,
          eventsPerDay: volume(name),
        },
      ];
    }),
  );
}

async function readingsOf(
  tenantId: string,
  at: Date,
  store: Pick<MatchQualityStore, 'daysSince'>,
): Promise<Map<string, Reading[]>> {
  const since = new Date(at.getTime() - historyMs - pollEveryMs).toISOString().slice(0, 10);
  const readings = new Map<string, Reading[]>();
  for (const { polls } of await store.daysSince(tenantId, since)) {
    for (const [, poll] of Object.entries(polls).sort(([left], [right]) => (left < right ? -1 : 1))) {
      for (const [name, { score, coverage, eventsPerDay }] of Object.entries(poll.events)) {
        const own = readings.get(name) ?? [];
        own.push({ atMs: Date.parse(poll.at), score, coverage, eventsPerDay });
        readings.set(name, own);
      }
    }
  }
  return readings;
}

/** A problem stays until the level before is back; only then are new ones looked for. */
function judge(
  readings: readonly Reading[],
  open: MatchQuality['events'][string]['finding'],
): Pick<MatchQuality['events'][string], 'judgement' | 'finding'> {
  if (open !== null && !hasRecovered(open, readings)) {
    const last = readings.at(-1);
    const level = open.problem === 'events-stopped' ? last?.eventsPerDay : last?.score;
    return { judgement: open.problem, finding: { ...open, now: Math.min(open.now, level ?? open.now) } };
  }
  const judgement: Judgement = judgeReadings(readings);
  if (judgement.kind === 'problem') return { judgement: judgement.finding.problem, finding: judgement.finding };
  return { judgement: judgement.kind === 'fine' ? 'fine' : judgement.because, finding: null };
}
