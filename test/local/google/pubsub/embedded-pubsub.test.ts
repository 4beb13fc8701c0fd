/** What the embedded Pub/Sub promises beyond Google's emulator: Google's timing on a clock that stands still, quotas, filters, chaos. */
import { PubSub, v1, type CreateSubscriptionOptions, type Topic } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { recordConnectedHosts } from './connected-hosts.ts';
import { ManualClock } from '../local-clock.ts';
import { startEmbeddedPubsub, type EmbeddedPubsub } from './embedded-pubsub.ts';
import {
  readPush,
  startRecordingEndpoint,
  type Answer,
  type RecordedRequest,
  type RecordingEndpoint,
} from './recording-endpoint.ts';

const connectedHosts = recordConnectedHosts();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Options = NonNullable<Parameters<typeof startEmbeddedPubsub>[0]>;

async function start(options: Options = {}): Promise<{ pubsub: EmbeddedPubsub; clock: ManualClock; client: PubSub }> {
  const clock = new ManualClock();
  const projectId = 'kobi-test';
  const pubsub = await startEmbeddedPubsub({ clock, projectId, ...options });
  const client = new PubSub({
    projectId,
    apiEndpoint: pubsub.host,
    clientOptions: { universeDomain: 'googleapis.com' },
  });
  closers.push(
    () => pubsub.close(),
    () => client.close(),
  );
  return { pubsub, clock, client };
}

/** A topic `events` pushing to an endpoint that answers as told. */
async function pushing(
  client: PubSub,
  answer: (request: RecordedRequest, before: number) => Answer | Promise<Answer>,
  options: CreateSubscriptionOptions = {},
): Promise<{ topic: Topic; endpoint: RecordingEndpoint }> {
  const endpoint = await startRecordingEndpoint(answer);
  closers.push(() => endpoint.close());
  const [topic] = await client.createTopic('events');
  await topic.createSubscription('events-sub', { pushEndpoint: endpoint.url, ...options });
  return { topic, endpoint };
}

const publishAll = (topic: Topic, messages: string[], orderingKey?: string): Promise<string[]> =>
  Promise.all(
    messages.map((text) => topic.publishMessage({ data: Buffer.from(text), ...(orderingKey && { orderingKey }) })),
  );

const texts = (requests: RecordedRequest[]): string[] => requests.map((request) => readPush(request).message.data);

describe('redelivery', () => {
  it('a refused message waits its minimum back-off, doubled each time, up to the maximum', async () => {
    const { pubsub, clock, client } = await start();
    const { topic, endpoint } = await pushing(client, (_, before) => (before < 4 ? 500 : 204), {
      retryPolicy: { minimumBackoff: { seconds: 10 }, maximumBackoff: { seconds: 25 } },
    });
    await publishAll(topic, ['x']);
    const deliveredAtMs = [0];
    const startMs = clock.nowMs();
    await endpoint.received(1);
    while (endpoint.requests.length < 5) {
      await pubsub.settled();
      const before = endpoint.requests.length;
      clock.advance(1_000);
      await pubsub.settled();
      if (endpoint.requests.length > before) deliveredAtMs.push(clock.nowMs() - startMs);
    }
    expect(deliveredAtMs).toEqual([0, 10_000, 30_000, 55_000, 80_000]);
    await pubsub.idle();
  });

  it('without a retry policy a refused push backs off from 100 ms', async () => {
    const { pubsub, clock, client } = await start();
    const { topic, endpoint } = await pushing(client, (_, before) => (before === 0 ? 429 : 201));
    await publishAll(topic, ['x']);
    await endpoint.received(1);
    await pubsub.settled();
    clock.advance(99);
    await pubsub.settled();
    expect(endpoint.requests).toHaveLength(1);
    clock.advance(1);
    await pubsub.idle();
    expect(endpoint.requests).toHaveLength(2);
  });

  it('a push unanswered at its ack deadline is given up and delivered again, and the late answer acknowledges nothing', async () => {
    const { pubsub, clock, client } = await start();
    const late = Promise.withResolvers<number>();
    const { topic, endpoint } = await pushing(client, (_, before) => (before === 0 ? late.promise : 204), {
      ackDeadlineSeconds: 20,
    });
    await publishAll(topic, ['x']);
    await endpoint.received(1);
    clock.advance(19_999);
    expect(endpoint.requests).toHaveLength(1);
    clock.advance(1);
    late.resolve(204);
    await pubsub.settled();
    expect(pubsub.outstanding()).toBe(1);
    clock.advance(100);
    await pubsub.idle();
    expect(endpoint.requests).toHaveLength(2);
  });

  it('102 Processing acknowledges', async () => {
    const { pubsub, client } = await start();
    const { topic, endpoint } = await pushing(client, () => 102);
    await publishAll(topic, ['x']);
    await pubsub.idle();
    expect(endpoint.requests).toHaveLength(1);
  });

  it.each([301, 404, 206])('%d does not acknowledge', async (status) => {
    const { pubsub, client } = await start();
    const { topic, endpoint } = await pushing(client, () => status);
    await publishAll(topic, ['x']);
    await endpoint.received(1);
    await pubsub.settled();
    expect(pubsub.outstanding()).toBe(1);
  });

  it('an endpoint that cannot be reached gets the message once it can', async () => {
    const { pubsub, clock, client } = await start();
    const gone = await startRecordingEndpoint();
    await gone.close();
    const [topic] = await client.createTopic('events');
    const [subscription] = await topic.createSubscription('events-sub', { pushEndpoint: gone.url });
    await publishAll(topic, ['x']);
    await pubsub.settled();
    const back = await startRecordingEndpoint();
    closers.push(() => back.close());
    await subscription.modifyPushConfig({ pushEndpoint: back.url });
    clock.advance(100);
    await pubsub.idle();
    expect(texts(back.requests)).toEqual(['x']);
  });
});

describe('pull', () => {
  it('a message not acknowledged by its deadline comes again, by a moved deadline later, and its old ack id is worth nothing', async () => {
    const { pubsub, clock, client } = await start();
    const [hostname = '', port = ''] = pubsub.host.split(':');
    const subscriber = new v1.SubscriberClient({
      apiEndpoint: hostname,
      port: Number(port),
      sslCreds: credentials.createInsecure(),
      clientOptions: { universeDomain: 'googleapis.com' },
    });
    closers.push(() => subscriber.close());
    const [topic] = await client.createTopic('events');
    const [{ name: subscription }] = await topic.createSubscription('events-sub', { ackDeadlineSeconds: 30 });
    const pull = async (): Promise<string[]> => {
      const [response] = await subscriber.pull({ subscription, maxMessages: 10, returnImmediately: true });
      return (response.receivedMessages ?? []).map(({ ackId }) => ackId ?? '');
    };
    await publishAll(topic, ['x']);
    const [first = ''] = await pull();
    clock.advance(29_999);
    expect(await pull()).toEqual([]);
    await subscriber.modifyAckDeadline({ subscription, ackIds: [first], ackDeadlineSeconds: 60 });
    clock.advance(59_999);
    expect(await pull()).toEqual([]);
    clock.advance(1);
    await subscriber.acknowledge({ subscription, ackIds: [first] });
    const [second = ''] = await pull();
    expect(second).not.toBe('');
    await subscriber.acknowledge({ subscription, ackIds: [second] });
    clock.advance(600_000);
    expect(await pull()).toEqual([]);
  });
});

describe('dead letters', () => {
  it('deliveryAttempt counts from 1 under a dead-letter policy and is absent without one', async () => {
    const { pubsub, clock, client } = await start();
    await client.createTopic('dead');
    const { topic, endpoint } = await pushing(client, () => 500, {
      deadLetterPolicy: { deadLetterTopic: 'projects/kobi-test/topics/dead', maxDeliveryAttempts: 6 },
    });
    await topic.createSubscription('plain', { pushEndpoint: `${endpoint.url}/plain` });
    await publishAll(topic, ['x']);
    for (let attempt = 0; attempt < 6; attempt++) {
      await endpoint.received(2 * attempt + 2);
      await pubsub.settled();
      clock.advance(60_000);
    }
    const attempts = (path: string): unknown[] =>
      endpoint.requests.filter((request) => request.path === path).map((request) => readPush(request).deliveryAttempt);
    expect(attempts('/')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(attempts('/plain'))).toEqual(new Set([undefined]));
    expect(pubsub.published('dead')).toHaveLength(1);
  });

  it('a message whose dead-letter topic is gone is kept and delivered on', async () => {
    const { pubsub, clock, client } = await start();
    const [dead] = await client.createTopic('dead');
    const { topic, endpoint } = await pushing(client, (_, before) => (before < 7 ? 500 : 204), {
      deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 },
    });
    await dead.delete();
    await publishAll(topic, ['x']);
    for (let attempt = 1; attempt <= 7; attempt++) {
      await endpoint.received(attempt);
      await pubsub.settled();
      clock.advance(60_000);
    }
    await pubsub.idle();
    expect(endpoint.requests).toHaveLength(8);
  });

  it('idle does not wait for dead letters nobody reads', async () => {
    const { pubsub, client } = await start();
    const [dead] = await client.createTopic('dead');
    await dead.createSubscription('dead-letters');
    await publishAll(dead, ['x']);
    expect(pubsub.outstanding()).toBe(0);
    await pubsub.idle();
  });

  it.each([4, 101])('maxDeliveryAttempts %d is refused', async (maxDeliveryAttempts) => {
    const { client } = await start();
    const [dead] = await client.createTopic('dead');
    const deadLetterPolicy = { deadLetterTopic: dead.name, maxDeliveryAttempts };
    await expect(dead.createSubscription('events-sub', { deadLetterPolicy })).rejects.toMatchObject({ code: 3 });
  });
});

describe('ordering keys', () => {
  it('the next message of a key waits for the one before it, through its retries; other keys do not', async () => {
    const { pubsub, clock, client } = await start();
    const { topic, endpoint } = await pushing(client, (_, before) => (before === 0 ? 500 : 204), {
      enableMessageOrdering: true,
    });
    const ordered = client.topic(topic.name, { messageOrdering: true });
    pubsub.pause();
    await publishAll(ordered, ['a1', 'a2'], 'a');
    await publishAll(ordered, ['b1'], 'b');
    pubsub.resume();
    await endpoint.received(2);
    await pubsub.settled();
    expect(texts(endpoint.requests).sort()).toEqual(['a1', 'b1']);
    clock.advance(100);
    await pubsub.idle();
    expect(texts(endpoint.requests).slice(2)).toEqual(['a1', 'a2']);
    expect(readPush(endpoint.requests.at(-1)).message.orderingKey).toBe('a');
  });
});

describe('chaos on demand', () => {
  const ten = Array.from({ length: 10 }, (_, index) => `m${index}`);

  it('deliverTimes delivers every message so often, under one message id', async () => {
    const { pubsub, client } = await start({ chaos: { deliverTimes: 3 } });
    const { topic, endpoint } = await pushing(client, () => 204);
    const ids = await publishAll(topic, ['x', 'y']);
    await pubsub.idle();
    const delivered = endpoint.requests.map((request) => readPush(request).message.messageId);
    expect(delivered.sort()).toEqual([...ids, ...ids, ...ids].sort());
  });

  it('reverse delivers what is ready newest first', async () => {
    const { pubsub, client } = await start({ chaos: { order: 'reverse' }, maxInFlightPerSubscription: 1 });
    const { topic, endpoint } = await pushing(client, () => 204);
    pubsub.pause();
    await publishAll(topic, ten);
    pubsub.resume();
    await pubsub.idle();
    expect(texts(endpoint.requests)).toEqual(ten.toReversed());
  });

  it('the same seed shuffles the same way, and loses nothing', async () => {
    const orders: string[][] = [];
    for (let repeat = 0; repeat < 2; repeat++) {
      const { pubsub, client } = await start({ chaos: { order: { shuffle: 7 } }, maxInFlightPerSubscription: 1 });
      const { topic, endpoint } = await pushing(client, () => 204);
      pubsub.pause();
      await publishAll(topic, ten);
      expect(endpoint.requests).toHaveLength(0);
      pubsub.resume();
      await pubsub.idle();
      orders.push(texts(endpoint.requests));
    }
    expect(orders[0]).not.toEqual(ten);
    expect(orders[0]?.toSorted()).toEqual(ten);
    expect(orders[1]).toEqual(orders[0]);
  });
});

describe('push', () => {
  it('never has more requests under way than allowed', async () => {
    const { pubsub, client } = await start({ maxInFlightPerSubscription: 5 });
    const held = Promise.withResolvers<Answer>();
    const { topic, endpoint } = await pushing(client, () => held.promise);
    pubsub.pause();
    await publishAll(
      topic,
      Array.from({ length: 60 }, (_, index) => `m${index}`),
    );
    pubsub.resume();
    await endpoint.received(5);
    // A round trip of its own gives a sixth request the time to arrive.
    await client.getTopics();
    expect(endpoint.requests).toHaveLength(5);
    held.resolve(204);
    await pubsub.idle();
    expect(endpoint.requests).toHaveLength(60);
  });

  it('an OIDC push config sends a bearer token naming the service account and the audience', async () => {
    const { pubsub, client } = await start();
    const { topic, endpoint } = await pushing(client, () => 204, {
      oidcToken: { serviceAccountEmail: 'push@kobi-test.iam', audience: 'https://capi-deliver' },
    });
    await publishAll(topic, ['x']);
    await pubsub.idle();
    const claims = /^Bearer [\w-]+\.([\w-]+)\.$/.exec(endpoint.requests[0]?.headers.authorization ?? '')?.[1] ?? '';
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      email: 'push@kobi-test.iam',
      email_verified: true,
      aud: 'https://capi-deliver',
      iss: 'https://accounts.google.com',
    });
  });
});

describe('publishing', () => {
  it('published shows everything ever accepted, decoded', async () => {
    const { pubsub, client } = await start();
    const [topic] = await client.createTopic('events');
    const messageId = await topic.publishMessage({ json: { eventId: 'e1' }, attributes: { tenant: 'a' } });
    expect(pubsub.published('events')).toMatchObject([{ messageId, attributes: { tenant: 'a' }, orderingKey: '' }]);
    expect(pubsub.published('events')[0]?.json).toEqual({ eventId: 'e1' });
    expect(pubsub.publishedTopics()).toEqual(['projects/kobi-test/topics/events']);
  });

  it('published remembers no more than it is told to', async () => {
    const { pubsub, client } = await start({ keepPublishedPerTopic: 2 });
    const [topic] = await client.createTopic('events');
    await publishAll(topic, ['1', '2', '3', '4', '5']);
    expect(pubsub.published('events').map(({ text }) => text)).toEqual(['4', '5']);
  });

  it('a reserved attribute, an over-long attribute and more than 10 MB are refused', async () => {
    const { client } = await start();
    const [topic] = await client.createTopic('events');
    const data = Buffer.from('x');
    const refused = { code: 3 };
    await expect(topic.publishMessage({ data, attributes: { googclient: '1' } })).rejects.toMatchObject(refused);
    await expect(topic.publishMessage({ data, attributes: { a: 'v'.repeat(1025) } })).rejects.toMatchObject(refused);
    await expect(topic.publishMessage({ data: Buffer.alloc(10_000_001) })).rejects.toMatchObject(refused);
  });
});

describe('filters', () => {
  it.each([
    ['attributes.kind = "b"', ['b']],
    ['attributes.kind != "b"', ['a', 'none']],
    ['attributes:kind AND NOT attributes.kind = "a"', ['b']],
    ['hasPrefix(attributes.tenant, "t-") OR attributes.kind = "b"', ['b', 'none']],
  ])('%s lets through what it says', async (filter, passing) => {
    const { pubsub, client } = await start();
    const { topic, endpoint } = await pushing(client, () => 204, { filter });
    const messages: [string, Record<string, string>][] = [
      ['a', { kind: 'a' }],
      ['b', { kind: 'b' }],
      ['none', { tenant: 't-1' }],
    ];
    for (const [text, attributes] of messages) await topic.publishMessage({ data: Buffer.from(text), attributes });
    await pubsub.idle();
    expect(texts(endpoint.requests).sort()).toEqual(passing);
  });

  it.each(['data = "x"', 'attributes.a = b', 'attributes.a = "1" AND attributes.b = "2" OR attributes.c = "3"', '('])(
    '%s is refused',
    async (filter) => {
      const { client } = await start();
      const [topic] = await client.createTopic('events');
      await expect(topic.createSubscription('events-sub', { filter })).rejects.toMatchObject({ code: 3 });
    },
  );
});

describe('the client', () => {
  it('never looks for a metadata server or a Google sign-in', () => {
    expect([...connectedHosts]).toEqual(['127.0.0.1']);
  });
});
