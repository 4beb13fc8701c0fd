import type { LocalClock } from '../local-clock.ts';
import type { StoredMessage } from './message.ts';
import { ReadyList, type DeliveryOrder } from './ready-list.ts';

/** What of a subscription's configuration decides about delivery. */
export type QueueSettings = {
  readonly ackDeadlineMs: number;
  /** One message of an ordering key at a time, in publish order. */
  readonly ordered: boolean;
  /** How long a message rests after its n-th delivery failed (n ≥ 1). 0 = ready again at once. */
  readonly retryDelayMs: (failedDeliveries: number) => number;
  /** After so many failed deliveries the message is offered to `deadLetter`. */
  readonly maxDeliveryAttempts: number | undefined;
};

/** One delivery of a message, to be acknowledged by its id before the deadline. */
export type Lease = {
  readonly ackId: string;
  readonly message: StoredMessage;
  /** 1 for the first delivery. */
  readonly deliveryAttempt: number;
  /** Called when the lease ends, after the message has moved on; `expired` means the ack deadline passed first. */
  onEnd?: (how: 'acked' | 'nacked' | 'expired') => void;
};

type Pending = { readonly message: StoredMessage; deliveries: number };
type HeldLease = { readonly pending: Pending; readonly lease: Lease; cancelDeadline: () => void };

/**
 * The messages of one subscription and the state of each: ready, leased to a subscriber, resting before a retry, or blocked
 * behind an earlier message of its ordering key. Knows nothing of HTTP or gRPC.
 */
export class SubscriptionQueue {
  settings: QueueSettings;
  readonly #clock: LocalClock;
  readonly #ackIdPrefix: string;
  readonly #onReady: () => void;
  readonly #onSettled: () => void;
  readonly #deadLetter: (message: StoredMessage, deliveries: number) => boolean;
  readonly #ready = new ReadyList<Pending>();
  readonly #leases = new Map<string, HeldLease>();
  readonly #resting = new Set<() => void>();
  /** Per ordering key, what must wait for the message now under way; a key without an entry is free. */
  readonly #blocked = new Map<string, ReadyList<Pending>>();
  #blockedCount = 0;
  #lastAckId = 0;

  constructor(options: {
    settings: QueueSettings;
    clock: LocalClock;
    ackIdPrefix: string;
    /** A message became ready to take. */
    onReady: () => void;
    /** A message left the queue, or came to rest. */
    onSettled: () => void;
    /** Takes over a message that failed too often; false keeps it here. */
    deadLetter: (message: StoredMessage, deliveries: number) => boolean;
  }) {
    this.settings = options.settings;
    this.#clock = options.clock;
    this.#ackIdPrefix = options.ackIdPrefix;
    this.#onReady = options.onReady;
    this.#onSettled = options.onSettled;
    this.#deadLetter = options.deadLetter;
  }

  /** Messages not yet acknowledged, in whatever state. */
  get size(): number {
    return this.#ready.size + this.#leases.size + this.#resting.size + this.#blockedCount;
  }

  get readyCount(): number {
    return this.#ready.size;
  }

  get leasedCount(): number {
    return this.#leases.size;
  }

  add(message: StoredMessage): void {
    const pending: Pending = { message, deliveries: 0 };
    if (this.settings.ordered && message.orderingKey !== '') {
      const waiting = this.#blocked.get(message.orderingKey);
      if (waiting) {
        waiting.add(pending);
        this.#blockedCount++;
        return;
      }
      this.#blocked.set(message.orderingKey, new ReadyList());
    }
    this.#ready.add(pending);
    this.#onReady();
  }

  /** Leases the next ready message until the ack deadline, or `undefined` when none is ready. */
  take(order: DeliveryOrder = 'publish', ackDeadlineMs: number = this.settings.ackDeadlineMs): Lease | undefined {
    const pending = this.#ready.take(order);
    if (!pending) return undefined;
    pending.deliveries++;
    const ackId = `${this.#ackIdPrefix}:${++this.#lastAckId}`;
    const lease: Lease = { ackId, message: pending.message, deliveryAttempt: pending.deliveries };
    this.#leases.set(ackId, { pending, lease, cancelDeadline: this.#deadline(ackId, ackDeadlineMs) });
    return lease;
  }

  /** Done with it. False when the lease is no longer held (expired, or answered before): the message comes again. */
  ack(ackId: string): boolean {
    const held = this.#release(ackId);
    if (!held) return false;
    this.#leave(held.pending);
    held.lease.onEnd?.('acked');
    return true;
  }

  /** Not done: redelivered after the retry delay, or dead-lettered. False when the lease is no longer held. */
  nack(ackId: string): boolean {
    const held = this.#release(ackId);
    if (!held) return false;
    this.#retry(held.pending);
    held.lease.onEnd?.('nacked');
    return true;
  }

  /** Moves the ack deadline of a held lease to `ms` from now. */
  extend(ackId: string, ms: number): boolean {
    const held = this.#leases.get(ackId);
    if (!held) return false;
    held.cancelDeadline();
    held.cancelDeadline = this.#deadline(ackId, ms);
    return true;
  }

  /** Forgets everything: the subscription is gone. */
  clear(): void {
    for (const held of this.#leases.values()) held.cancelDeadline();
    for (const cancel of this.#resting) cancel();
    this.#leases.clear();
    this.#resting.clear();
    this.#blocked.clear();
    this.#blockedCount = 0;
    while (this.#ready.take('reverse'));
    this.#onSettled();
  }

  #deadline(ackId: string, ms: number): () => void {
    return this.#clock.at(this.#clock.nowMs() + ms, () => {
      const held = this.#release(ackId);
      if (!held) return;
      this.#retry(held.pending);
      held.lease.onEnd?.('expired');
    });
  }

  #release(ackId: string): HeldLease | undefined {
    const held = this.#leases.get(ackId);
    if (!held) return undefined;
    this.#leases.delete(ackId);
    held.cancelDeadline();
    return held;
  }

  #retry(pending: Pending): void {
    const { maxDeliveryAttempts } = this.settings;
    if (maxDeliveryAttempts !== undefined && pending.deliveries >= maxDeliveryAttempts) {
      if (this.#deadLetter(pending.message, pending.deliveries)) {
        this.#leave(pending);
        return;
      }
    }
    const delayMs = this.settings.retryDelayMs(pending.deliveries);
    if (delayMs <= 0) {
      this.#ready.add(pending);
      this.#onReady();
      return;
    }
    const cancel = this.#clock.at(this.#clock.nowMs() + delayMs, () => {
      this.#resting.delete(cancel);
      this.#ready.add(pending);
      this.#onReady();
    });
    this.#resting.add(cancel);
    this.#onSettled();
  }

  #leave(pending: Pending): void {
    const { orderingKey } = pending.message;
    const waiting = orderingKey === '' ? undefined : this.#blocked.get(orderingKey);
    if (waiting) {
      const next = waiting.take('publish');
      if (next) {
        this.#blockedCount--;
        this.#ready.add(next);
        this.#onReady();
      } else {
        this.#blocked.delete(orderingKey);
      }
    }
    this.#onSettled();
  }
}
