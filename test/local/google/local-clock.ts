/**
 * The clock the embedded Google services live by: ack deadlines, back-off, schedule times and name windows all ask it.
 * The local stack runs on `systemLocalClock`; a test that owns a `ManualClock` makes an hour pass in no time.
 */

export interface LocalClock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Calls `fn` once when the clock reaches `timeMs` (never before returning). The returned function cancels it. */
  at(timeMs: number, fn: () => void): () => void;
}

/** Node fires a longer timeout at once, so a wait of weeks is a chain of these. */
const longestTimeoutMs = 2 ** 31 - 1;

/** Real time. Its timers never keep the process alive. */
export const systemLocalClock: LocalClock = {
  nowMs: () => Date.now(),
  at: (timeMs, fn) => {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const delayMs = Math.max(0, timeMs - Date.now());
      timer = delayMs > longestTimeoutMs ? setTimeout(wait, longestTimeoutMs) : setTimeout(fn, delayMs);
      timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};

type ManualTimer = { readonly timeMs: number; readonly fn: () => void };

/** A clock that stands still until `advance`. Starts at 2026-01-01T00:00:00Z unless told otherwise. */
export class ManualClock implements LocalClock {
  #nowMs: number;
  /** In the order they were set, which breaks ties between timers of one instant. */
  readonly #timers = new Set<ManualTimer>();

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  at(timeMs: number, fn: () => void): () => void {
    const timer = { timeMs, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /**
   * Moves time on by `ms` and runs every timer that falls due, earliest first, each at its own instant; timers set
   * meanwhile run too when they fall within the same span. Awaits nothing: what a timer starts may still be under way.
   */
  advance(ms: number): void {
    const targetMs = this.#nowMs + ms;
    for (let next = this.#earliest(); next && next.timeMs <= targetMs; next = this.#earliest()) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.timeMs);
      next.fn();
    }
    this.#nowMs = targetMs;
  }

  #earliest(): ManualTimer | undefined {
    let earliest: ManualTimer | undefined;
    for (const timer of this.#timers) if (!earliest || timer.timeMs < earliest.timeMs) earliest = timer;
    return earliest;
  }
}

/** google.protobuf.Timestamp as the wire carries it. */
export type WireTimestamp = { seconds?: string | number | null; nanos?: number | null };
/** google.protobuf.Duration as the wire carries it. */
export type WireDuration = WireTimestamp;

/** A Timestamp for the response of a call. */
export function wireTimestamp(timeMs: number): { seconds: string; nanos: number } {
  const seconds = Math.floor(timeMs / 1000);
  return { seconds: String(seconds), nanos: Math.round((timeMs - seconds * 1000) * 1e6) };
}

/** Milliseconds since the epoch of a Timestamp, or of a Duration its length in milliseconds. */
export function wireMs(time: WireTimestamp): number {
  return Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6;
}
