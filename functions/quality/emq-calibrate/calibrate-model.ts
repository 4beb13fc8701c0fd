import { calibrate } from '../../../shared/domain/match-quality/calibrate.ts';
import type { Observation } from '../../../shared/domain/match-quality/calibrate.ts';
import { eventsIn } from '../../../shared/domain/match-quality/traffic.ts';
import type { MatchQualityStore } from '../../../shared/gcp/match-quality-store.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';

/** Fewer events than this a day leave Meta's score to chance. */
const fewestEvents = 100;
/** Enough to tell the keys apart; more costs time and changes nothing. */
const mostObservations = 2_000;
/** Below this the weights that were guessed are better than ones fitted to noise. */
const fewestObservations = 30;

/**
 * Fits the predictor to what Meta said of all tenants' events: pairs of the mixes we sent in a day and the score Meta gave.
 * No tenant's events and no identifiers take part, only counts of mixes.
 */
export async function calibrateModel({
  store,
  now,
}: {
  readonly store: Pick<MatchQualityStore, 'all' | 'writeModel'>;
  readonly now: () => Date;
}): Promise<JobReport> {
  const observations: Observation[] = [];
  for await (const { events } of store.all()) {
    for (const { score, mixes } of Object.values(events)) {
      if (score !== null && eventsIn(mixes) >= fewestEvents) observations.push({ mixes, score });
    }
    if (observations.length >= mostObservations) break;
  }
  if (observations.length < fewestObservations) return { observations: observations.length, fitted: 0 };
  const { weights, meanAbsoluteError } = calibrate(observations);
  await store.writeModel({
    weights,
    fittedAt: now().toISOString(),
    observations: observations.length,
    meanAbsoluteError: meanAbsoluteError ?? 0,
  });
  return { observations: observations.length, fitted: 1, meanAbsoluteError: meanAbsoluteError ?? 0 };
}
