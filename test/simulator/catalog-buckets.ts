import type { SimulatorClock } from './clock.ts';
import { throttled } from './graph-error.ts';
import type { GraphError } from './graph-error.ts';
import type { Switches } from './switches.ts';

/**
 * The two limits of a catalog (Graph API, "Rate Limits", Catalog): calls of `items_batch` a minute, and all other calls on
 * the catalog and its product sets an hour. Beyond one Meta refuses, says when it answers again, and refuses until then.
 */
const catalogBuckets = {
  catalog_batch: {
    windowMs: 60_000,
    code: 80014,
    message: 'There have been too many calls for the batch uploads to this catalog.',
    limit: (switches: Switches) => switches.catalog_batch_calls_per_minute,
  },
  catalog_management: {
    windowMs: 3_600_000,
    code: 80009,
    message: 'There have been too many calls to this catalog account.',
    limit: (switches: Switches) => switches.catalog_management_calls_per_hour,
  },
} as const;
export type CatalogBucket = keyof typeof catalogBuckets;

/** Which bucket of which catalog a call belongs to. */
export interface CatalogCall {
  readonly catalogId: string;
  readonly bucket: CatalogBucket;
}

interface State {
  startMs: number;
  calls: number;
  blockedUntilMs: number;
}

export class CatalogUsage {
  readonly #clock: SimulatorClock;
  readonly #switches: Switches;
  readonly #states = new Map<string, State>();
  /** Calls that met a full bucket, and those made before the time Meta had named: a good client makes none of these. */
  readonly refused = { full: 0, beforeRegain: 0 };

  constructor(clock: SimulatorClock, switches: Switches) {
    this.#clock = clock;
    this.#switches = switches;
  }

  /** @throws GraphError 80014 or 80009 */
  count(call: CatalogCall): void {
    const nowMs = this.#clock.nowMs();
    const { code, limit, message, windowMs } = catalogBuckets[call.bucket];
    const state = this.#stateOf(call, nowMs);
    const refusal = (): GraphError => throttled(code, undefined, this.#switches, message);
    if (nowMs < state.blockedUntilMs) {
      this.refused.beforeRegain += 1;
      throw refusal();
    }
    if (nowMs - state.startMs >= windowMs) Object.assign(state, { startMs: nowMs, calls: 0 });
    state.calls += 1;
    if (!this.#switches.enforce_rate_limits || state.calls <= limit(this.#switches)) return;
    this.refused.full += 1;
    state.blockedUntilMs = nowMs + Math.ceil((state.startMs + windowMs - nowMs) / 60_000) * 60_000;
    throw refusal();
  }

  /** The entry of `X-Business-Use-Case-Usage`; a time to regain access is named only once calls are refused. */
  entry(call: CatalogCall, plantedMinutes: number): Record<string, unknown> {
    const nowMs = this.#clock.nowMs();
    const state = this.#stateOf(call, nowMs);
    const share = Math.floor((state.calls * 100) / catalogBuckets[call.bucket].limit(this.#switches));
    const minutes = Math.max(plantedMinutes, Math.ceil((state.blockedUntilMs - nowMs) / 60_000), 0);
    return {
      type: call.bucket,
      call_count: minutes > 0 ? 100 : Math.min(100, share),
      total_cputime: 0,
      total_time: 0,
      estimated_time_to_regain_access: minutes,
      ads_api_access_tier: this.#switches.ads_api_access_tier,
    };
  }

  #stateOf({ bucket, catalogId }: CatalogCall, nowMs: number): State {
    const name = `${bucket} ${catalogId}`;
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const state = { startMs: nowMs, calls: 0, blockedUntilMs: 0 };
    this.#states.set(name, state);
    return state;
  }
}
