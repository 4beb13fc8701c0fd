import { startingWeights } from '../../shared/domain/match-quality/predict.ts';
import type { MatchWeights } from '../../shared/domain/match-quality/predict.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { JobSlots } from '../../shared/gcp/job-slots.ts';
import { MatchQualityStore } from '../../shared/gcp/match-quality-store.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { Logger } from '../../shared/runtime/logger.ts';

/** What the jobs of this group share. */
export interface LiveQuality {
  readonly db: ReturnType<typeof connectFirestore>;
  readonly store: MatchQualityStore;
  readonly slots: JobSlots;
  readonly log: Logger;
  readonly now: () => Date;
}

export function liveQuality(
  functionName: string,
  config: { readonly GOOGLE_CLOUD_PROJECT: string; readonly LOG_LEVEL: Parameters<typeof createLogger>[0]['level'] },
): LiveQuality {
  const db = connectFirestore(config.GOOGLE_CLOUD_PROJECT);
  return {
    db,
    store: new MatchQualityStore(db),
    slots: new JobSlots(db, systemNow),
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
    now: systemNow,
  };
}

/** The predictor's weights as last fitted, read once an hour at most. */
export function rememberedWeights(
  store: Pick<MatchQualityStore, 'readModel'>,
  now: () => Date,
): () => Promise<MatchWeights> {
  let known: { readonly weights: MatchWeights; readonly readAtMs: number } | undefined;
  return async () => {
    const nowMs = now().getTime();
    if (known === undefined || nowMs - known.readAtMs >= 60 * 60_000) {
      known = { weights: (await store.readModel())?.weights ?? startingWeights, readAtMs: nowMs };
    }
    return known.weights;
  };
}
