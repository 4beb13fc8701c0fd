import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { LocalClock } from '../local-clock.ts';
import { HttpDelivery } from './http-delivery.ts';
import { checkPublishRequest, PublishedMessage, type StoredMessage, type WireMessage } from './message.ts';
import { seededRandom } from '../../../random.ts';
import type { DeliveryOrder } from './ready-list.ts';
import type { WireSubscription } from './subscription-config.ts';
import { Subscription, type SubscriptionContext } from './subscription.ts';

/** The ways in which at-least-once, unordered delivery may go wrong, on demand. */
export type DeliveryChaos = {
  /** Every message published from now on is delivered so many times, with one message id; the copies may overlap. Default 1. */
  readonly deliverTimes?: number;
  /**
   * The order among messages that are ready at the same time (publish while paused to make that all of them). The order
   * within an ordering key is kept whatever this says. Default `publish`.
   */
  readonly order?: 'publish' | 'reverse' | { readonly shuffle: number };
};

export type WireTopic = { name: string; labels?: Record<string, string> };

type Topic = { resource: WireTopic; readonly subscriptions: Set<Subscription> };

const resourceName = /^projects\/[^/]+\/(topics|subscriptions)\/(?!goog)[A-Za-z][\w.~+%-]{2,254}$/;

/** Topics, subscriptions and the messages between them. */
export class PubsubBroker {
  readonly #clock: LocalClock;
  readonly #keepPublished: number;
  readonly #http = new HttpDelivery();
  readonly #context: SubscriptionContext;
  readonly #topics = new Map<string, Topic>();
  readonly #subscriptions = new Map<string, Subscription>();
  /** By topic name; outlives the topic. */
  readonly #published = new Map<string, StoredMessage[]>();
  readonly #waiters = new Set<{ readonly met: () => boolean; readonly resolve: () => void }>();
  #waitersDue = false;
  #lastMessageId = 0;
  #paused = false;
  #deliverTimes = 1;
  #order: DeliveryOrder = 'publish';

  constructor(options: { clock: LocalClock; maxInFlightPerSubscription: number; keepPublishedPerTopic: number }) {
    this.#clock = options.clock;
    this.#keepPublished = options.keepPublishedPerTopic;
    this.#context = {
      clock: options.clock,
      http: this.#http,
      maxInFlight: options.maxInFlightPerSubscription,
      order: () => (this.#paused ? 'paused' : this.#order),
      onSettled: () => this.#checkWaiters(),
      deadLetter: (subscription, message, deliveries) => this.#deadLetter(subscription, message, deliveries),
    };
  }

  createTopic(resource: WireTopic): WireTopic {
    checkName(resource.name, 'topics');
    if (this.#topics.has(resource.name)) throw alreadyExists(resource.name);
    this.#topics.set(resource.name, { resource, subscriptions: new Set() });
    return resource;
  }

  topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (!topic) throw notFound(name);
    return topic;
  }

  topics(project: string): WireTopic[] {
    return [...this.#topics.values()]
      .map(({ resource }) => resource)
      .filter(({ name }) => name.startsWith(`${project}/`));
  }

  deleteTopic(name: string): void {
    for (const subscription of this.topic(name).subscriptions) subscription.orphan();
    this.#topics.delete(name);
  }

  createSubscription(wire: WireSubscription): Subscription {
    checkName(wire.name, 'subscriptions');
    if (this.#subscriptions.has(wire.name)) throw alreadyExists(wire.name);
    const topic = this.topic(wire.topic);
    const deadLetterTopic = wire.deadLetterPolicy?.deadLetterTopic;
    if (deadLetterTopic) this.topic(deadLetterTopic);
    const subscription = new Subscription(wire, this.#context);
    this.#subscriptions.set(wire.name, subscription);
    topic.subscriptions.add(subscription);
    return subscription;
  }

  subscription(name: string): Subscription {
    const subscription = this.#subscriptions.get(name);
    if (!subscription) throw notFound(name);
    return subscription;
  }

  subscriptions(project: string): WireSubscription[] {
    return [...this.#subscriptions.values()]
      .map(({ resource }) => resource)
      .filter(({ name }) => name.startsWith(`${project}/`));
  }

  deleteSubscription(name: string): void {
    const subscription = this.subscription(name);
    this.#subscriptions.delete(name);
    this.#topics.get(subscription.resource.topic)?.subscriptions.delete(subscription);
    subscription.remove(notFound(name));
  }

  /** Accepts all or none; the ids are in the order of the messages. */
  publish(topicName: string, messages: readonly WireMessage[]): string[] {
    const topic = this.topic(topicName);
    checkPublishRequest(messages);
    return messages.map((message) => this.#accept(topic, message));
  }

  published(topicName: string): PublishedMessage[] {
    return (this.#published.get(topicName) ?? [])
      .slice(-this.#keepPublished)
      .map((message) => new PublishedMessage(message));
  }

  publishedTopics(): string[] {
    return [...this.#published.keys()];
  }

  setChaos(chaos: DeliveryChaos): void {
    const { order = 'publish' } = chaos;
    this.#deliverTimes = chaos.deliverTimes ?? 1;
    this.#order = typeof order === 'object' ? { shuffle: seededRandom(order.shuffle) } : order;
  }

  pause(): void {
    this.#paused = true;
    this.#checkWaiters();
  }

  resume(): void {
    this.#paused = false;
    for (const subscription of this.#subscriptions.values()) subscription.wake();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get order(): DeliveryOrder {
    return this.#order;
  }

  /** Unacknowledged messages somebody is there to take. */
  outstanding(): number {
    let outstanding = 0;
    for (const { isConsumed, queue } of this.#subscriptions.values()) if (isConsumed) outstanding += queue.size;
    return outstanding;
  }

  /** Resolves once `outstanding()` is 0. */
  idle(): Promise<void> {
    return this.#when(() => this.outstanding() === 0);
  }

  /** Resolves once every push request has been answered and none can start before the clock moves or `resume`. */
  settled(): Promise<void> {
    return this.#when(() => {
      for (const { isSettled } of this.#subscriptions.values()) if (!isSettled) return false;
      return true;
    });
  }

  close(): Promise<void> {
    for (const name of this.#subscriptions.keys()) this.deleteSubscription(name);
    return this.#http.close();
  }

  #accept(topic: Topic, message: WireMessage): string {
    const stored: StoredMessage = {
      topic: topic.resource.name,
      messageId: String(++this.#lastMessageId),
      data: message.data ?? Buffer.alloc(0),
      attributes: message.attributes ?? {},
      orderingKey: message.orderingKey ?? '',
      publishTimeMs: this.#clock.nowMs(),
    };
    this.#remember(stored);
    for (const { filter, queue } of topic.subscriptions) {
      if (!filter(stored.attributes)) continue;
      for (let copy = 0; copy < this.#deliverTimes; copy++) queue.add(stored);
    }
    return stored.messageId;
  }

  #remember(message: StoredMessage): void {
    const published = this.#published.get(message.topic);
    if (!published) {
      this.#published.set(message.topic, [message]);
      return;
    }
    published.push(message);
    if (published.length > 2 * this.#keepPublished) published.splice(0, published.length - this.#keepPublished);
  }

  /** The forwarded copy is a new message: new id, the original's content and four attributes about where it comes from. */
  #deadLetter(subscription: Subscription, message: StoredMessage, deliveries: number): boolean {
    const { name, deadLetterPolicy } = subscription.resource;
    const topic = this.#topics.get(deadLetterPolicy?.deadLetterTopic ?? '');
    if (!topic) return false;
    const [, project = '', , subscriptionId = ''] = name.split('/');
    this.#accept(topic, {
      data: message.data,
      orderingKey: message.orderingKey,
      attributes: {
        ...message.attributes,
        CloudPubSubDeadLetterSourceDeliveryCount: String(deliveries),
        CloudPubSubDeadLetterSourceSubscription: subscriptionId,
        CloudPubSubDeadLetterSourceSubscriptionProject: project,
        CloudPubSubDeadLetterSourceTopicPublishTime: new Date(message.publishTimeMs).toISOString(),
      },
    });
    return true;
  }

  #when(met: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ met, resolve });
      this.#checkWaiters();
    });
  }

  /** Looks once the current burst of work is over, so that a busy moment costs one look. */
  #checkWaiters(): void {
    if (this.#waitersDue || this.#waiters.size === 0) return;
    this.#waitersDue = true;
    setImmediate(() => {
      this.#waitersDue = false;
      for (const waiter of this.#waiters) {
        if (!waiter.met()) continue;
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
    });
  }
}

function checkName(name: string, kind: 'topics' | 'subscriptions'): void {
  if (resourceName.exec(name)?.[1] !== kind) {
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Invalid [${kind}] name: (name=${name})`);
  }
}

function notFound(name: string): GrpcError {
  return new GrpcError(GrpcCode.NOT_FOUND, `Resource not found (resource=${shortName(name)}).`);
}

function alreadyExists(name: string): GrpcError {
  return new GrpcError(
    GrpcCode.ALREADY_EXISTS,
    `Resource already exists in the project (resource=${shortName(name)}).`,
  );
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
