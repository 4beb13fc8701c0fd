/** CRM and offline events are Meta's own wire format with another `action_source`: what exactly is taken of them. */
import { describe, expect, test } from 'vitest';
import { defaultRelaySettings } from '../../../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../../../../shared/contracts/relay-documents.ts';
import type { Envelope } from '../../../../shared/contracts/topics.ts';
import { makeRelayKey } from '../../../../shared/domain/relay-key.ts';
import { createLogger } from '../../../../shared/runtime/logger.ts';
import { accept } from '../accept.ts';

const now = new Date('2026-11-23T12:00:00Z');
const nowSeconds = now.getTime() / 1_000;
const day = 86_400;
const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, 1), Buffer.alloc(32, 1));
const created = { createdAt: now.toISOString(), createdBy: 'test', events: null, notAfter: null, revokedAt: null };
const kept: RelayKey = { relayKeyId, sha256, tenantId: 'acme', purpose: 'crm', ...created };
const dataset: Dataset = {
  datasetId: '111',
  tenantId: 'acme',
  vertical: 'real-estate',
  country: 'TR',
  createdAt: now.toISOString(),
  settings: defaultRelaySettings,
};

async function send(data: readonly unknown[]) {
  const queued: Envelope<'capi-events'>[] = [];
  const body = { data, access_token: key };
  const answer = await accept(
    { method: 'POST', url: '/111/events', headers: {}, body, bodyBytes: 1_000, remoteAddress: undefined },
    {
      directory: { dataset: () => dataset, relayKey: () => kept },
      queue: async (json) => void queued.push(JSON.parse(json) as Envelope<'capi-events'>),
      proxy: 'serverless',
      projectId: 'kobi',
      log: createLogger({ level: 'silent', functionName: 'capi-relay' }),
      now: () => now,
    },
  );
  const events = queued.flatMap((envelope) => envelope.data.events);
  return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown>, events };
}

const stage = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_name: 'Qualified Lead',
  event_time: nowSeconds - 3_600,
  action_source: 'system_generated',
  user_data: { lead_id: '1234567890123456' },
  custom_data: { event_source: 'crm', lead_event_source: 'Kobi CRM' },
  ...more,
});
const sale = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_name: 'Purchase',
  event_time: nowSeconds - 3_600,
  action_source: 'physical_store',
  user_data: { ph: '0532 123 45 67' },
  custom_data: { value: 80, currency: 'TRY', order_id: 'R-1' },
  ...more,
});

describe('a stage of a lead, from a CRM', () => {
  test('is taken with its lead id as Meta gave it, unhashed, and with what says that a CRM sent it', async () => {
    const { status, events } = await send([stage()]);
    expect(status).toBe(200);
    expect(events).toMatchObject([
      {
        action_source: 'system_generated',
        user_data: { lead_id: 1_234_567_890_123_456 },
        custom_data: { event_source: 'crm', lead_event_source: 'Kobi CRM' },
      },
    ]);
  });

  test.each([
    ['15 digits, a number', 123_456_789_012_345, 123_456_789_012_345],
    ['16 digits, a text', '1234567890123456', 1_234_567_890_123_456],
    ['16 digits beyond what a number holds exactly', '9999999999999999', '9999999999999999'],
  ])('a lead id of %s reaches Meta digit by digit', async (_title, leadId, sent) => {
    expect((await send([stage({ user_data: { lead_id: leadId } })])).events[0]?.['user_data']).toEqual({
      lead_id: sent,
    });
  });

  test.each([
    ['14 digits', '12345678901234'],
    ['17 digits', '12345678901234567'],
    ['the `l:` that Meta’s own lead export puts before it', 'l:1234567890123456'],
    ['a hash', 'a'.repeat(64)],
  ])(
    'a lead id of %s is no lead id: it is warned of, and the event refused when nothing else finds the person',
    async (_title, leadId) => {
      const alone = await send([stage({ user_data: { lead_id: leadId } })]);
      expect(alone.status).toBe(400);
      expect(alone.body['refused']).toMatchObject([{ field: 'user_data', code: 'no_identifier' }]);
      const besides = await send([stage({ user_data: { lead_id: leadId, em: 'ayse@example.com' } })]);
      expect(besides.body).toMatchObject({ events_received: 1, warnings: [{ key: 'lead_id' }] });
      expect(besides.events[0]?.['user_data']).not.toHaveProperty('lead_id');
    },
  );

  test('is at most seven days old', async () => {
    expect((await send([stage({ event_time: nowSeconds - 7 * day })])).status).toBe(200);
    expect((await send([stage({ event_time: nowSeconds - 7 * day - 1 })])).body['refused']).toMatchObject([
      { code: 'too_old', expected: 'at most 7 days old' },
    ]);
  });
});

describe('a sale in a shop', () => {
  test('is taken with its order id and needs no page and no browser', async () => {
    const { status, events } = await send([sale()]);
    expect(status).toBe(200);
    expect(events).toMatchObject([{ action_source: 'physical_store', custom_data: { order_id: 'R-1', value: 80 } }]);
    expect(events[0]?.['user_data']).toEqual({ ph: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });

  test('is at most 62 days old', async () => {
    expect((await send([sale({ event_time: nowSeconds - 62 * day })])).status).toBe(200);
    expect((await send([sale({ event_time: nowSeconds - 62 * day - 1 })])).body['refused']).toMatchObject([
      { code: 'too_old', expected: 'at most 62 days old' },
    ]);
  });
});

test('in one batch each is judged by its own rules: a sale of last month does not age a lead, nor a website event', async () => {
  const monthAgo = nowSeconds - 30 * day;
  const data = [
    sale({ event_time: monthAgo, event_id: 's' }),
    stage({ event_time: monthAgo }),
    stage({ event_id: 'l' }),
  ];
  const { body, events } = await send([...data, sale({ event_time: monthAgo, action_source: 'website' })]);
  expect(events.map((event) => event['event_id'])).toEqual(['s', 'l']);
  expect(body['refused']).toMatchObject([
    { index: 1, field: 'event_time', code: 'too_old' },
    { index: 3, field: 'event_time', code: 'too_old' },
  ]);
});

test('the same sale uploaded twice, without an id of its own, is the same event', async () => {
  const [first, second] = [await send([sale()]), await send([sale()])];
  expect(first.events[0]?.['event_id']).toBe(second.events[0]?.['event_id']);
});
