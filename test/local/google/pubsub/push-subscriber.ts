import type { LocalClock } from '../local-clock.ts';
import { unsignedOidcToken, type HttpDelivery, type HttpDeliveryOutcome } from './http-delivery.ts';
import type { DeliveryOrder } from './ready-list.ts';
import type { Lease, SubscriptionQueue } from './subscription-queue.ts';

/** Where and as whom to push. */
export type PushTarget = {
  readonly endpoint: URL;
  readonly oidc: { readonly email: string; readonly audience: string } | undefined;
};

/** Google's page "Push subscriptions": these answers acknowledge, every other one does not. */
const acknowledgingStatuses: ReadonlySet<number> = new Set([102, 200, 201, 202, 204]);

const initialWindow = 16;

/**
 * Pushes a subscription's messages to its endpoint. How many requests are under way at once starts small, grows by one with
 * each acknowledgement and halves with each failure, as Google's slow start does, and never exceeds `maxInFlight`.
 */
export class PushSubscriber {
  target: PushTarget;
  readonly #subscription: string;
  readonly #queue: SubscriptionQueue;
  readonly #http: HttpDelivery;
  readonly #clock: LocalClock;
  readonly #maxInFlight: number;
  readonly #order: () => DeliveryOrder | 'paused';
  readonly #onSettled: () => void;
  readonly #abandons = new Set<() => void>();
  #window: number;
  #pumpDue = false;
  #stopped = false;
  #token: { readonly value: string; readonly target: PushTarget; readonly renewAtMs: number } | undefined;

  constructor(options: {
    subscription: string;
    target: PushTarget;
    queue: SubscriptionQueue;
    http: HttpDelivery;
    clock: LocalClock;
    maxInFlight: number;
    /** Asked before each delivery. */
    order: () => DeliveryOrder | 'paused';
    /** A request ended. */
    onSettled: () => void;
  }) {
    this.target = options.target;
    this.#subscription = options.subscription;
    this.#queue = options.queue;
    this.#http = options.http;
    this.#clock = options.clock;
    this.#maxInFlight = options.maxInFlight;
    this.#order = options.order;
    this.#onSettled = options.onSettled;
    this.#window = Math.min(initialWindow, options.maxInFlight);
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.#abandons.size;
  }

  /** Delivers what is ready, once the caller's own turn is over: a batch is complete before its first message leaves. */
  wake(): void {
    if (this.#pumpDue || this.#stopped) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  /** Breaks off the requests under way and sends nothing more. */
  stop(): void {
    this.#stopped = true;
    for (const abandon of this.#abandons) abandon();
  }

  #pump(): void {
    while (!this.#stopped && this.inFlight < this.#window) {
      const order = this.#order();
      if (order === 'paused') return;
      const lease = this.#queue.take(order);
      if (!lease) return;
      this.#push(lease);
    }
  }

  #push(lease: Lease): void {
    const abandon = this.#http.send(
      { url: this.target.endpoint, method: 'POST', headers: this.#headers(), body: this.#body(lease) },
      (outcome) => {
        this.#abandons.delete(abandon);
        this.#settle(lease, outcome);
      },
    );
    this.#abandons.add(abandon);
    lease.onEnd = (how) => {
      if (how === 'expired') abandon();
    };
  }

  #settle(lease: Lease, outcome: HttpDeliveryOutcome): void {
    if (outcome.status !== undefined && acknowledgingStatuses.has(outcome.status)) {
      this.#window = Math.min(this.#maxInFlight, this.#window + 1);
      this.#queue.ack(lease.ackId);
    } else {
      this.#window = Math.max(Math.min(initialWindow, this.#maxInFlight), this.#window >> 1);
      this.#queue.nack(lease.ackId);
    }
    this.#onSettled();
    this.wake();
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': 'CloudPubSub-Google',
    };
    const token = this.#oidcToken();
    if (token) headers['authorization'] = `Bearer ${token}`;
    return headers;
  }

  #oidcToken(): string | undefined {
    const { target } = this;
    if (!target.oidc) return undefined;
    const nowMs = this.#clock.nowMs();
    if (this.#token?.target !== target || this.#token.renewAtMs <= nowMs) {
      this.#token = { value: unsignedOidcToken({ ...target.oidc, nowMs }), target, renewAtMs: nowMs + 1_800_000 };
    }
    return this.#token.value;
  }

  /** Google's push body: every id and time in both spellings; `deliveryAttempt` only under a dead-letter policy. */
  #body(lease: Lease): string {
    const { message } = lease;
    const publishTime = new Date(message.publishTimeMs).toISOString();
    const hasAttributes = Object.keys(message.attributes).length > 0;
    return JSON.stringify({
      message: {
        ...(hasAttributes && { attributes: message.attributes }),
        ...(message.data.length > 0 && { data: message.data.toString('base64') }),
        messageId: message.messageId,
        message_id: message.messageId,
        ...(message.orderingKey !== '' && { orderingKey: message.orderingKey }),
        publishTime,
        publish_time: publishTime,
      },
      subscription: this.#subscription,
      ...(this.#queue.settings.maxDeliveryAttempts !== undefined && { deliveryAttempt: lease.deliveryAttempt }),
    });
  }
}
