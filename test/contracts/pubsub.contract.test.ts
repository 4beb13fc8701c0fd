/**
 * What the product relies on from Pub/Sub, through the real client over gRPC: against the embedded Pub/Sub, and against Google's
 * own emulator where one is installed. What only the embedded one offers (a clock that stands still, duplicates and reordering
 * on demand, the quotas) is in `test/local/google/pubsub/embedded-pubsub.test.ts`.
 */
import { randomUUID } from 'node:crypto';
import { PubSub, v1, type Message, type Subscription, type Topic } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPubsub } from '../local/google/pubsub/embedded-pubsub.ts';
import {
  readPush,
  startRecordingEndpoint,
  type RecordedRequest,
  type RecordingEndpoint,
} from '../local/google/pubsub/recording-endpoint.ts';
import { findGoogleEmulator } from './google-emulators.ts';

const projectId = 'kobi-contract';
/** Google's emulator may outlive a run, so names do not repeat between runs. */
const run = randomUUID().slice(0, 8);

type Backend = { host: string; close(): Promise<void> | void };

const google = await findGoogleEmulator('pubsub');

describe('Pub/Sub: embedded', () => {
  guarantees(() => startEmbeddedPubsub({ projectId }));
});

describe.skipIf('reason' in google)(
  `Pub/Sub: Google emulator${'reason' in google ? ` (${google.reason})` : ''}`,
  () => {
    guarantees(() => ('host' in google ? Promise.resolve(google) : Promise.reject(new Error(google.reason))));
  },
);

function guarantees(start: () => Promise<Backend>): void {
  let backend: Backend;
  let client: PubSub;
  let subscriber: v1.SubscriberClient;
  let endpoint: RecordingEndpoint | undefined;
  let subscriptions: Subscription[] = [];
  let names = 0;

  beforeAll(async () => {
    backend = await start();
    const options = { projectId, clientOptions: { universeDomain: 'googleapis.com' } };
    client = new PubSub({ ...options, apiEndpoint: backend.host, emulatorMode: true });
    const [hostname = '', port = ''] = backend.host.split(':');
    const sslCreds = credentials.createInsecure();
    subscriber = new v1.SubscriberClient({ ...options, apiEndpoint: hostname, port: Number(port), sslCreds });
  }, 60_000);

  afterEach(async () => {
    for (const subscription of subscriptions) {
      await subscription.close();
      await subscription.delete();
    }
    subscriptions = [];
    await endpoint?.close();
    endpoint = undefined;
  });

  afterAll(async () => {
    await subscriber.close();
    await client.close();
    await backend.close();
  });

  async function newTopic(): Promise<Topic> {
    const [topic] = await client.createTopic(`topic-${run}-${++names}`);
    return topic;
  }

  async function subscribe(
    topic: Topic,
    options: Parameters<Topic['createSubscription']>[1] = {},
  ): Promise<Subscription> {
    const [subscription] = await topic.createSubscription(`subscription-${run}-${++names}`, options);
    subscriptions.push(subscription);
    return subscription;
  }

  async function pushTo(
    topic: Topic,
    answer: (request: RecordedRequest, before: number) => number,
  ): Promise<RecordingEndpoint> {
    endpoint = await startRecordingEndpoint(answer);
    await subscribe(topic, { pushEndpoint: `${endpoint.url}/projects/${projectId}/topics/t?x=1` });
    return endpoint;
  }

  /** The next message of a pull subscription, acknowledged. */
  async function pullOne({
    name,
  }: Subscription): Promise<{ id: string; data: string; attributes: Record<string, string> }> {
    for (;;) {
      const [{ receivedMessages }] = await subscriber.pull({ subscription: name, maxMessages: 1 });
      const received = receivedMessages?.[0];
      if (!received?.message) continue;
      await subscriber.acknowledge({ subscription: name, ackIds: [received.ackId ?? ''] });
      const { messageId, data, attributes } = received.message;
      return { id: messageId ?? '', data: Buffer.from(data ?? '').toString(), attributes: attributes ?? {} };
    }
  }

  it('a published message reaches the push endpoint in Google’s push body', async () => {
    const topic = await newTopic();
    const { received } = await pushTo(topic, () => 204);
    const messageId = await topic.publishMessage({ data: Buffer.from('grüße'), attributes: { tenant: 'a1' } });
    const [request] = await received(1);
    expect(request?.method).toBe('POST');
    expect(request?.path).toBe(`/projects/${projectId}/topics/t?x=1`);
    expect(request?.headers['content-type']).toMatch(/^application\/json/);
    const { message, subscription } = readPush(request);
    expect(message.data).toBe('grüße');
    expect(message.attributes).toEqual({ tenant: 'a1' });
    expect(message.messageId).toBe(messageId);
    expect(message.message_id).toBe(messageId);
    expect(Date.parse(message.publishTime)).toBeGreaterThan(0);
    expect(message.publish_time).toBe(message.publishTime);
    expect(subscription).toBe(subscriptions[0]?.name);
  });

  it.each([400, 500])('an answer of %d delivers the same message again, with the same message id', async (status) => {
    const topic = await newTopic();
    const { received } = await pushTo(topic, (_, before) => (before === 0 ? status : 204));
    await topic.publishMessage({ data: Buffer.from('again') });
    const ids = (await received(2)).map((request) => readPush(request).message.messageId);
    expect(ids[1]).toBe(ids[0]);
  });

  it('a message refused maxDeliveryAttempts times moves to the dead-letter topic, under a new id and with its origin', async () => {
    const topic = await newTopic();
    const deadLetters = await newTopic();
    const deadLetterSubscription = await subscribe(deadLetters);
    endpoint = await startRecordingEndpoint(() => 503);
    await subscribe(topic, {
      pushEndpoint: endpoint.url,
      deadLetterPolicy: { deadLetterTopic: deadLetters.name, maxDeliveryAttempts: 5 },
      retryPolicy: {
        minimumBackoff: { seconds: 0, nanos: 1_000_000 },
        maximumBackoff: { seconds: 0, nanos: 1_000_000 },
      },
    });
    const messageId = await topic.publishMessage({ data: Buffer.from('poison'), attributes: { tenant: 'a1' } });
    const dead = await pullOne(deadLetterSubscription);
    expect(endpoint.requests).toHaveLength(5);
    expect(dead.data).toBe('poison');
    expect(dead.id).not.toBe(messageId);
    expect(dead.attributes).toMatchObject({
      tenant: 'a1',
      CloudPubSubDeadLetterSourceSubscription: subscriptions[1]?.name.split('/').at(-1),
      CloudPubSubDeadLetterSourceSubscriptionProject: projectId,
      CloudPubSubDeadLetterSourceDeliveryCount: '5',
    });
    expect(Date.parse(dead.attributes['CloudPubSubDeadLetterSourceTopicPublishTime'] ?? '')).toBeGreaterThan(0);
  });

  it('messages of one ordering key arrive in publish order', async () => {
    const topic = await newTopic();
    const { name } = await subscribe(topic, { enableMessageOrdering: true });
    // The next message of a key waits for the acknowledgement, and the client holds acknowledgements back 100 ms by default.
    const subscription = client.subscription(name, { batching: { maxMilliseconds: 1 } });
    const ordered = client.topic(topic.name, { messageOrdering: true });
    const sent = Array.from({ length: 30 }, (_, index) => `m${index}`);
    const arrived: string[] = [];
    const all = new Promise<void>((resolve) => {
      subscription.on('message', (message: Message) => {
        arrived.push(message.data.toString());
        message.ack();
        if (arrived.length === sent.length) resolve();
      });
    });
    await Promise.all(sent.map((data) => ordered.publishMessage({ data: Buffer.from(data), orderingKey: 'tenant-1' })));
    await all;
    await subscription.close();
    expect(arrived).toEqual(sent);
  });

  it('a message nacked on a streaming pull comes again', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    const ids: string[] = [];
    const twice = new Promise<void>((resolve) => {
      subscription.on('message', (message: Message) => {
        ids.push(message.id);
        if (ids.length === 1) {
          message.nack();
        } else {
          message.ack();
          resolve();
        }
      });
    });
    const messageId = await topic.publishMessage({ data: Buffer.from('x') });
    await twice;
    expect(ids).toEqual([messageId, messageId]);
  });

  it('every subscription of a topic gets its own copy', async () => {
    const topic = await newTopic();
    const both = [await subscribe(topic), await subscribe(topic)];
    await topic.publishMessage({ data: Buffer.from('x') });
    for (const subscription of both) expect((await pullOne(subscription)).data).toBe('x');
  });

  it('a pulled message stays leased until its deadline is set to 0, and is gone once acknowledged', async () => {
    const topic = await newTopic();
    const { name } = await subscribe(topic);
    await topic.publishMessage({ data: Buffer.from('x') });
    const [first] = await subscriber.pull({ subscription: name, maxMessages: 5 });
    expect(first.receivedMessages).toHaveLength(1);
    const [leased] = await subscriber.pull({ subscription: name, maxMessages: 5, returnImmediately: true });
    expect(leased.receivedMessages).toEqual([]);
    const ackId = first.receivedMessages?.[0]?.ackId ?? '';
    await subscriber.modifyAckDeadline({ subscription: name, ackIds: [ackId], ackDeadlineSeconds: 0 });
    const [again] = await subscriber.pull({ subscription: name, maxMessages: 5 });
    expect(again.receivedMessages?.[0]?.message?.messageId).toBe(first.receivedMessages?.[0]?.message?.messageId);
    await subscriber.acknowledge({ subscription: name, ackIds: [again.receivedMessages?.[0]?.ackId ?? ''] });
    const [none] = await subscriber.pull({ subscription: name, maxMessages: 5, returnImmediately: true });
    expect(none.receivedMessages).toEqual([]);
  });

  it('a pull subscription becomes a push subscription by its push config', async () => {
    const topic = await newTopic();
    const subscription = await subscribe(topic);
    endpoint = await startRecordingEndpoint();
    await topic.publishMessage({ data: Buffer.from('kept') });
    await subscription.modifyPushConfig({ pushEndpoint: endpoint.url });
    const [request] = await endpoint.received(1);
    expect(readPush(request).message.data).toBe('kept');
  });

  it('a subscription answers with what it was created with', async () => {
    const topic = await newTopic();
    const deadLetters = await newTopic();
    const subscription = await subscribe(topic, {
      pushEndpoint: 'http://127.0.0.1:9/projects/p/topics/t',
      ackDeadlineSeconds: 600,
      enableMessageOrdering: true,
      deadLetterPolicy: { deadLetterTopic: deadLetters.name, maxDeliveryAttempts: 7 },
      retryPolicy: { minimumBackoff: { seconds: 10 }, maximumBackoff: { seconds: 120 } },
    });
    const [metadata] = await subscription.getMetadata();
    expect(metadata).toMatchObject({
      name: subscription.name,
      topic: topic.name,
      ackDeadlineSeconds: 600,
      enableMessageOrdering: true,
      pushConfig: { pushEndpoint: 'http://127.0.0.1:9/projects/p/topics/t' },
      deadLetterPolicy: { deadLetterTopic: deadLetters.name, maxDeliveryAttempts: 7 },
      retryPolicy: { minimumBackoff: { seconds: '10' }, maximumBackoff: { seconds: '120' } },
    });
  });

  it('topics and subscriptions are listed until deleted', async () => {
    const topic = await newTopic();
    const [subscription] = await topic.createSubscription(`subscription-${run}-${++names}`);
    const listed = async (): Promise<boolean[]> => {
      const [topics] = await client.getTopics();
      const [all] = await client.getSubscriptions();
      return [topics.some(({ name }) => name === topic.name), all.some(({ name }) => name === subscription.name)];
    };
    expect(await listed()).toEqual([true, true]);
    await subscription.delete();
    await topic.delete();
    expect(await listed()).toEqual([false, false]);
    expect(await topic.exists()).toEqual([false]);
  });

  it('an unknown topic is NOT_FOUND, a second topic of a name ALREADY_EXISTS, an empty message INVALID_ARGUMENT', async () => {
    const topic = await newTopic();
    await expect(client.topic('nowhere').publishMessage({ data: Buffer.from('x') })).rejects.toMatchObject({ code: 5 });
    await expect(client.topic('nowhere').createSubscription('s-nowhere')).rejects.toMatchObject({ code: 5 });
    await expect(client.createTopic(topic.name)).rejects.toMatchObject({ code: 6 });
    await expect(topic.publishMessage({ data: Buffer.alloc(0) })).rejects.toMatchObject({ code: 3 });
  });
}
