import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudEvent } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseEnvelope } from '../../../shared/contracts/topics.ts';
import type { DeadLetterInput } from '../../../shared/gcp/dead-letter-store.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { eventsMessage } from '../events-message.ts';
import { recordDeadLetters } from './record-dead-letter.ts';

const at = '2026-11-23T12:00:00.000Z';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
let server: Server;
let recorded: DeadLetterInput[];
let lines: string[];
let isDown: boolean;
let counted: unknown[][];

beforeAll(async () => {
  const log = createLogger({
    level: 'debug',
    functionName: 'capi-dead-letters',
    destination: { write: (line) => void lines.push(line) },
  });
  const record = async (input: DeadLetterInput): Promise<string> => {
    if (isDown) throw new Error('secret detail of the database');
    recorded.push(input);
    return 'id';
  };
  cloudEvent(
    'dead-letters-under-test',
    recordDeadLetters(() => ({
      deadLetters: { record },
      counters: { count: (...of) => void counted.push(of), flushIfDue: () => undefined },
      log,
    })),
  );
  server = getTestServer('dead-letters-under-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

beforeEach(() => {
  [recorded, lines, isDown, counted] = [[], [], false, []];
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** A push as Pub/Sub sends it from the dead-letter topic: a new message id, and where the message came from. */
async function push(text: string, messageId = 'm1'): Promise<Response> {
  const { port } = server.address() as AddressInfo;
  const attributes = {
    CloudPubSubDeadLetterSourceSubscription: 'capi-deliver',
    CloudPubSubDeadLetterSourceDeliveryCount: '20',
  };
  const message = { data: Buffer.from(text).toString('base64'), messageId, publishTime: at, attributes };
  return fetch(`http://127.0.0.1:${port}/projects/kobi/topics/dead-letters`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ subscription: 'projects/kobi/subscriptions/capi-dead-letters', message }),
  });
}

const head = { tenantId: 'acme', datasetId: '111', testEventCode: undefined, at, traceparent };
const step = JSON.stringify({
  eventId: 'step-1',
  type: 'create-pixel',
  version: 1,
  tenantId: 'acme',
  runId: 'run-1',
  at,
  traceparent,
  data: { cause: 'needs-met' },
});

test.each([
  ['events', 'capi-events', eventsMessage(head, [{ event_id: 'a' }]).json],
  ['a provisioning step', 'create-pixel', step],
])(
  '%s that Pub/Sub gave up on are kept whole, with who gave up, ready to be published again',
  async (_name, topic, text) => {
    expect((await push(text)).status).toBe(204);
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toMatchObject({
      topic,
      tenantId: 'acme',
      reason: 'undeliverable',
      problems: ['capi-deliver gave up after 20 deliveries'],
    });
    expect(JSON.parse(String(recorded[0]?.payload))).toEqual(JSON.parse(text));
  },
);

test('the same message delivered twice has the same id both times, whatever its message id', async () => {
  await push(step, 'm1');
  await push(step, 'm2');
  await push('no JSON', 'm3');
  await push('no JSON', 'm4');
  expect(recorded.map(({ topic, eventId, identity }) => `${topic} ${eventId ?? identity}`)).toEqual([
    'create-pixel step-1',
    'create-pixel step-1',
    recorded.slice(2).map(({ topic, identity }) => `${topic} ${identity}`)[0],
    recorded.slice(2).map(({ topic, identity }) => `${topic} ${identity}`)[0],
  ]);
});

test('each event that died is counted under its name, and nothing else is', async () => {
  await push(eventsMessage(head, [{ event_id: 'a', event_name: 'Purchase' }, { event_id: 'b' }]).json);
  await push(step);
  await push('no JSON');
  expect(counted).toEqual([
    ['acme', 'Purchase', 'dead:undeliverable'],
    ['acme', '', 'dead:undeliverable'],
  ]);
});

test('1,000 large events are several records that each fit a document, and none is left out', async () => {
  const events = Array.from({ length: 1_000 }, (_, index) => ({ event_id: `e${index}`, note: 'x'.repeat(1_500) }));
  await push(eventsMessage(head, events).json);
  const kept = recorded.map(({ payload }) => {
    const parsed = parseEnvelope('capi-events', JSON.parse(String(payload)));
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    return parsed.envelope.data.events;
  });
  expect(kept.flat()).toEqual(events);
  expect(Math.max(...recorded.map(({ payload }) => String(payload).length))).toBeLessThan(1_000_000);
});

test('of a message that is not what its topic asks for, only ids and what was expected are kept', async () => {
  const broken = { ...(JSON.parse(step) as object), data: { cause: 'canary.person@mail.example' }, tenantId: 'a@b.co' };
  expect((await push(JSON.stringify(broken))).status).toBe(204);
  expect(recorded).toEqual([
    {
      topic: 'create-pixel',
      tenantId: null,
      eventId: 'step-1',
      identity: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      reason: 'malformed-message',
      problems: ['capi-deliver gave up after 20 deliveries', expect.stringMatching(/^data\.cause: expected/) as string],
      payload: null,
    },
  ]);
  expect([JSON.stringify(recorded), ...lines].join('')).not.toMatch(/canary|a@b\.co/);
});

test.each(['no JSON', '[]', '"text"', '{"type":"constructor"}', '{"type":"dead-letters"}'])(
  'a message that is %s is recorded and acknowledged',
  async (text) => {
    expect((await push(text)).status).toBe(204);
    expect(recorded).toMatchObject([{ topic: 'dead-letters', reason: 'malformed-message', payload: null }]);
  },
);

test('a push without data is recorded and acknowledged', async () => {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/projects/kobi/topics/dead-letters`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ subscription: 's', message: { messageId: 'm1', attributes: {} } }),
  });
  expect(answer.status).toBe(204);
  expect(recorded).toMatchObject([{ topic: 'dead-letters', reason: 'malformed-message' }]);
});

test('while it cannot be recorded the message is not acknowledged, and the answer tells nothing', async () => {
  isDown = true;
  const answer = await push(step);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('secret');
});
