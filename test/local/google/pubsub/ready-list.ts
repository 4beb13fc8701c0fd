/** In which order a subscription hands out what is ready. Google promises none; `publish` is what it usually does. */
export type DeliveryOrder = 'publish' | 'reverse' | { readonly shuffle: () => number };

/** What waits to be delivered. Adding and taking cost the same however much waits. */
export class ReadyList<T> {
  #items: T[] = [];
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Removes and returns the next item: the oldest, the newest, or one drawn by the seeded generator. */
  take(order: DeliveryOrder): T | undefined {
    if (this.size === 0) return undefined;
    if (order === 'reverse') return this.#items.pop();
    if (order !== 'publish') {
      const drawn = this.#first + Math.floor(order.shuffle() * this.size);
      const item = this.#items[drawn];
      const last = this.#items.pop();
      if (last !== undefined && drawn < this.#items.length) this.#items[drawn] = last;
      return item;
    }
    const item = this.#items[this.#first++];
    // Drop the taken part now and then, so that neither memory nor copying grows with everything ever delivered.
    if (this.#first > 1024 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
