/** Simulated time: a base clock plus an offset the control API may move, so that expiry needs no waiting. */
export class SimulatorClock {
  readonly #base: () => Date;
  #offsetMs = 0;

  constructor(base: () => Date = () => new Date()) {
    this.#base = base;
  }

  nowMs(): number {
    return this.#base().getTime() + this.#offsetMs;
  }

  nowSeconds(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  set(ms: number): void {
    this.#offsetMs = ms - this.#base().getTime();
  }

  reset(): void {
    this.#offsetMs = 0;
  }
}
