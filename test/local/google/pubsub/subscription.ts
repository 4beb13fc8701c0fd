import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { LocalClock } from '../local-clock.ts';
import { compileFilter, type AttributeFilter } from './filter.ts';
import type { HttpDelivery } from './http-delivery.ts';
import type { StoredMessage } from './message.ts';
import { PushSubscriber } from './push-subscriber.ts';
import type { DeliveryOrder } from './ready-list.ts';
import { normaliseSubscription, pushTarget, queueSettings, type WireSubscription } from './subscription-config.ts';
import { SubscriptionQueue } from './subscription-queue.ts';

/** Someone who takes messages: the push endpoint, an open streaming pull, a waiting pull. */
export type Consumer = {
  /** Something may be ready. */
  wake(): void;
  /** The subscription is gone. */
  stop(error: GrpcError): void;
};

/** What a subscription needs from the broker it belongs to. */
export type SubscriptionContext = {
  readonly clock: LocalClock;
  readonly http: HttpDelivery;
  readonly maxInFlight: number;
  /** The order in force now, or `paused`. */
  readonly order: () => DeliveryOrder | 'paused';
  readonly onSettled: () => void;
  readonly deadLetter: (subscription: Subscription, message: StoredMessage, deliveries: number) => boolean;
};

/** One subscription: its configuration, its queue, and whoever takes from it. */
export class Subscription {
  readonly queue: SubscriptionQueue;
  readonly filter: AttributeFilter;
  readonly #context: SubscriptionContext;
  readonly #consumers = new Set<Consumer>();
  #resource: WireSubscription;
  #push: PushSubscriber | undefined;

  constructor(wire: WireSubscription, context: SubscriptionContext) {
    this.#resource = normaliseSubscription(wire);
    this.#context = context;
    this.filter = compileFilter(wire.filter ?? '');
    this.queue = new SubscriptionQueue({
      settings: queueSettings(this.#resource),
      clock: context.clock,
      ackIdPrefix: wire.name,
      onReady: () => this.wake(),
      onSettled: context.onSettled,
      deadLetter: (message, deliveries) => context.deadLetter(this, message, deliveries),
    });
    this.#applyPushConfig();
  }

  get name(): string {
    return this.#resource.name;
  }

  /** google.pubsub.v1.Subscription, as Get answers it. */
  get resource(): WireSubscription & { state: string } {
    return { ...this.#resource, state: 'ACTIVE' };
  }

  /** Whether anybody takes messages from it; without, they wait however long. */
  get isConsumed(): boolean {
    return this.#push !== undefined || this.#consumers.size > 0;
  }

  /** No push request is under way and none can start before the clock moves or deliveries resume. */
  get isSettled(): boolean {
    if (!this.#push) return true;
    const deliverable = this.#context.order() === 'paused' ? 0 : this.queue.readyCount;
    return deliverable + this.queue.leasedCount + this.#push.inFlight === 0;
  }

  /** Takes over changed fields. Throws INVALID_ARGUMENT and changes nothing when the result is no valid subscription. */
  update(changes: Partial<WireSubscription>): void {
    this.#resource = normaliseSubscription({ ...this.#resource, ...changes });
    this.queue.settings = queueSettings(this.#resource);
    this.#applyPushConfig();
    this.wake();
  }

  /** Its topic was deleted: what is queued is still delivered. */
  orphan(): void {
    this.#resource = { ...this.#resource, topic: '_deleted-topic_' };
  }

  wake(): void {
    this.#push?.wake();
    for (const consumer of this.#consumers) consumer.wake();
  }

  /** Adds a pull consumer. Throws FAILED_PRECONDITION on a push subscription. The returned function removes it. */
  consume(consumer: Consumer): () => void {
    if (this.#push) {
      throw new GrpcError(GrpcCode.FAILED_PRECONDITION, 'This method is not supported for this subscription type.');
    }
    this.#consumers.add(consumer);
    return () => {
      this.#consumers.delete(consumer);
      this.#context.onSettled();
    };
  }

  /** Ends every delivery and forgets every message. */
  remove(error: GrpcError): void {
    this.#push?.stop();
    for (const consumer of this.#consumers) consumer.stop(error);
    this.queue.clear();
  }

  #applyPushConfig(): void {
    const target = pushTarget(this.#resource.pushConfig);
    if (!target) {
      this.#push?.stop();
      this.#push = undefined;
    } else if (this.#push) {
      this.#push.target = target;
    } else {
      const { http, clock, maxInFlight, order, onSettled } = this.#context;
      const { name, queue } = this;
      this.#push = new PushSubscriber({
        subscription: name,
        target,
        queue,
        http,
        clock,
        maxInFlight,
        order,
        onSettled,
      });
    }
  }
}
