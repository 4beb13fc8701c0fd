/** Allows `burst` at once and `ratePerSecond` in the long run. Starts full. */
export class TokenBucket {
  readonly #ratePerSecond: number;
  readonly #burst: number;
  #tokens: number;
  #countedAtMs: number;

  constructor(options: { ratePerSecond: number; burst: number; nowMs: number }) {
    this.#ratePerSecond = options.ratePerSecond;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#countedAtMs = options.nowMs;
  }

  /** Takes a token and returns 0, or returns how many milliseconds until there is one. */
  take(nowMs: number): number {
    const earned = ((nowMs - this.#countedAtMs) / 1000) * this.#ratePerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#countedAtMs = nowMs;
    // A token earned in pieces may fall short of 1 by rounding.
    if (this.#tokens < 1 - 1e-9)
      return Math.max(1, Math.ceil(((1 - this.#tokens) / this.#ratePerSecond) * 1000 - 1e-6));
    this.#tokens = Math.max(0, this.#tokens - 1);
    return 0;
  }
}
