/** What Pub/Sub and Cloud Tasks hold between publishing and acknowledgement, delivered when and as a test says. */

export interface Message {
  readonly topic: string;
  readonly json: string;
}

/** How messages reach the functions. */
export interface Delivery {
  /** Copies of each message that are delivered. */
  readonly times: number;
  /** Newest first instead of oldest first. */
  readonly reversed: boolean;
  /** All copies of everything in flight at the same time, instead of one after the other. */
  readonly concurrent?: boolean;
  /** What becomes of the copies before they are delivered: another order, some more, some later. */
  readonly arrange?: <Copy>(copies: Copy[]) => Copy[];
}

export class MessagesInFlight {
  readonly #queue: Message[] = [];
  /** Taken from the queue to be delivered one after the other, and not delivered yet. */
  readonly #batch: Message[] = [];
  readonly #tasks: { readonly message: Message; readonly at: Date }[] = [];
  /** The newest message of each topic that was delivered. */
  readonly #newest = new Map<string, Message>();
  /** Messages by topic that reached Pub/Sub. */
  readonly published = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** A function publishes. */
  publish(message: Message): void {
    this.add(message);
    this.published.set(message.topic, (this.published.get(message.topic) ?? 0) + 1);
  }

  /** Somebody outside the functions publishes. */
  add(message: Message): void {
    this.#queue.push(message);
  }

  /** A task of the same message for the same time exists once, as in Cloud Tasks. */
  schedule(message: Message, at: Date): void {
    const isKnown = this.#tasks.some(
      (task) => task.message.json === message.json && task.at.getTime() === at.getTime(),
    );
    if (!isKnown) this.#tasks.push({ message, at });
  }

  /** Hands over what is in flight, as often and in the order `delivery` says. What comes meanwhile stays for the next time. */
  async deliver(
    { times, reversed, concurrent = false, arrange }: Delivery,
    handOver: (message: Message) => Promise<void>,
  ): Promise<void> {
    const batch = this.#queue.splice(0);
    let copies = Array.from({ length: times }, () => batch).flat();
    if (reversed) copies.reverse();
    if (arrange !== undefined) copies = arrange(copies);
    if (concurrent) await Promise.all(copies.map(handOver));
    else {
      this.#batch.push(...copies);
      for (let next = this.#batch.shift(); next !== undefined; next = this.#batch.shift()) await handOver(next);
    }
  }

  /** What was to come one after the other goes back into flight, for somebody else. */
  takeBack(): void {
    this.#queue.push(...this.#batch.splice(0));
  }

  /** Copies of one message are one message to Pub/Sub: what was not acknowledged comes back once. */
  notAcknowledged(message: Message): void {
    if (!this.#queue.some(({ json }) => json === message.json)) this.#queue.push(message);
  }

  noteDelivered(message: Message): void {
    this.#newest.set(message.topic, message);
  }

  newestDelivered(topic: string): Message | undefined {
    return this.#newest.get(topic);
  }

  /** When tasks are due. */
  dueTimes(): string[] {
    return this.#tasks.map(({ at }) => at.toISOString());
  }

  /** Puts the messages of all tasks that are due into flight. */
  releaseDue(now: Date): void {
    for (const task of this.#tasks.splice(0)) {
      if (task.at <= now) this.#queue.push(task.message);
      else this.#tasks.push(task);
    }
  }
}
