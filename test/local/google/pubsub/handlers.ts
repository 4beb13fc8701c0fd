import { GrpcCode, GrpcError, type UnaryHandler } from '../grpc-service.ts';
import type { LocalClock } from '../local-clock.ts';
import type { PubsubBroker, WireTopic } from './broker.ts';
import type { WireMessage } from './message.ts';
import { maskedFields, pageOf } from './pagination.ts';
import { modifyAckDeadline, receivedMessage, takeLease } from './streaming-pull.ts';
import type { WirePushConfig, WireSubscription } from './subscription-config.ts';
import type { Subscription } from './subscription.ts';

type Paging = { pageSize?: number; pageToken?: string };

/** google.pubsub.v1.Publisher. */
export function publisherHandlers(broker: PubsubBroker): Record<string, UnaryHandler> {
  return {
    createTopic: (topic: WireTopic) => broker.createTopic(topic),
    getTopic: ({ topic }: { topic: string }) => broker.topic(topic).resource,
    listTopics: ({ project, ...paging }: { project: string } & Paging) => {
      const { items, nextPageToken } = pageOf(broker.topics(project), paging);
      return { topics: items, nextPageToken };
    },
    listTopicSubscriptions: ({ topic, ...paging }: { topic: string } & Paging) => {
      const names = [...broker.topic(topic).subscriptions].map(({ name }) => name);
      const { items, nextPageToken } = pageOf(names, paging);
      return { subscriptions: items, nextPageToken };
    },
    updateTopic: ({ topic, updateMask }: { topic: WireTopic; updateMask: { paths: string[] } }) => {
      const stored = broker.topic(topic.name);
      stored.resource = {
        ...stored.resource,
        ...changes(topic, updateMask, new Set(['labels', 'messageRetentionDuration'])),
      };
      return stored.resource;
    },
    deleteTopic: ({ topic }: { topic: string }) => broker.deleteTopic(topic),
    publish: ({ topic, messages }: { topic: string; messages: WireMessage[] }) => ({
      messageIds: broker.publish(topic, messages),
    }),
  };
}

const mutableSubscriptionFields: ReadonlySet<string> = new Set([
  'ackDeadlineSeconds',
  'deadLetterPolicy',
  'expirationPolicy',
  'labels',
  'messageRetentionDuration',
  'pushConfig',
  'retainAckedMessages',
  'retryPolicy',
]);

/** google.pubsub.v1.Subscriber, but for StreamingPull. */
export function subscriberHandlers(broker: PubsubBroker, clock: LocalClock): Record<string, UnaryHandler> {
  return {
    createSubscription: (subscription: WireSubscription) => broker.createSubscription(subscription).resource,
    getSubscription: ({ subscription }: { subscription: string }) => broker.subscription(subscription).resource,
    listSubscriptions: ({ project, ...paging }: { project: string } & Paging) => {
      const { items, nextPageToken } = pageOf(broker.subscriptions(project), paging);
      return { subscriptions: items, nextPageToken };
    },
    updateSubscription: (request: { subscription: WireSubscription; updateMask: { paths: string[] } }) => {
      const subscription = broker.subscription(request.subscription.name);
      subscription.update(changes(request.subscription, request.updateMask, mutableSubscriptionFields));
      return subscription.resource;
    },
    modifyPushConfig: (request: { subscription: string; pushConfig: WirePushConfig | null }) =>
      broker.subscription(request.subscription).update({ pushConfig: request.pushConfig }),
    deleteSubscription: ({ subscription }: { subscription: string }) => broker.deleteSubscription(subscription),
    acknowledge: ({ subscription, ackIds }: { subscription: string; ackIds: string[] }) => {
      const { queue } = broker.subscription(subscription);
      for (const ackId of ackIds) queue.ack(ackId);
    },
    modifyAckDeadline: (request: { subscription: string; ackIds: string[]; ackDeadlineSeconds: number }) => {
      if (request.ackDeadlineSeconds < 0 || request.ackDeadlineSeconds > 600) {
        throw new GrpcError(
          GrpcCode.INVALID_ARGUMENT,
          `Invalid ack deadline given (ack_deadline_seconds=${request.ackDeadlineSeconds}).`,
        );
      }
      const subscription = broker.subscription(request.subscription);
      for (const ackId of request.ackIds) modifyAckDeadline(subscription, ackId, request.ackDeadlineSeconds);
    },
    pull: (request: { subscription: string; maxMessages: number; returnImmediately: boolean }) => {
      if (request.maxMessages < 1) {
        throw new GrpcError(
          GrpcCode.INVALID_ARGUMENT,
          `Invalid max_messages given (max_messages=${request.maxMessages}).`,
        );
      }
      return pull(broker, clock, request);
    },
  };
}

/** How long a pull waits for a first message before it answers with none, so that a client which went away is forgotten. */
const pullWaitMs = 30_000;

async function pull(
  broker: PubsubBroker,
  clock: LocalClock,
  request: { subscription: string; maxMessages: number; returnImmediately: boolean },
): Promise<{ receivedMessages: object[] }> {
  const subscription = broker.subscription(request.subscription);
  if (!request.returnImmediately && subscription.queue.readyCount === 0) await firstReady(subscription, clock);
  const receivedMessages: object[] = [];
  while (receivedMessages.length < request.maxMessages) {
    const lease = takeLease(broker, subscription);
    if (!lease) break;
    receivedMessages.push(receivedMessage(subscription, lease));
  }
  return { receivedMessages };
}

function firstReady(subscription: Subscription, clock: LocalClock): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = subscription.consume({
      wake: () => finish(),
      stop: (error) => finish(error),
    });
    const cancelWait = clock.at(clock.nowMs() + pullWaitMs, () => finish());
    const finish = (error?: GrpcError): void => {
      cancelWait();
      leave();
      if (error) reject(error);
      else resolve();
    };
  });
}

/** The fields an update names, from the resource it carries. Throws INVALID_ARGUMENT for one that cannot change. */
function changes<T extends object>(
  resource: T,
  mask: { paths: string[] } | null,
  mutable: ReadonlySet<string>,
): Partial<T> {
  const fields = maskedFields(mask);
  if (fields.length === 0) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'The update_mask in the request is empty.');
  const immutable = fields.find((field) => !mutable.has(field));
  if (immutable !== undefined) {
    throw new GrpcError(
      GrpcCode.INVALID_ARGUMENT,
      `Invalid update_mask provided: the field '${immutable}' is immutable or unknown.`,
    );
  }
  const named = new Set(fields);
  const entries: Partial<T> = {};
  for (const key of Object.keys(resource))
    if (named.has(key)) Object.assign(entries, { [key]: Reflect.get(resource, key) });
  return entries;
}
