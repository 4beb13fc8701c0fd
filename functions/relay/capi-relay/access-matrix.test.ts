/** Every key on every dataset at every door: only a key in use, of the dataset's own tenant and of the door's purpose, opens it. */
import { expect, test } from 'vitest';
import { defaultRelaySettings, relayKeyPurposes } from '../../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../../../shared/contracts/relay-documents.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { accept } from './accept.ts';

const now = new Date('2026-11-23T12:00:00Z');
const [before, after] = [new Date(now.getTime() - 1).toISOString(), new Date(now.getTime() + 1).toISOString()];
const origin = 'https://shop.example';

const tenants = ['acme', 'bolt', 'cafe', 'dora'] as const;
const states = {
  'in use': { notAfter: null, revokedAt: null },
  'in its overlap': { notAfter: after, revokedAt: null },
  'rotated out': { notAfter: now.toISOString(), revokedAt: null },
  'long rotated out': { notAfter: before, revokedAt: null },
  revoked: { notAfter: null, revokedAt: before },
  'revoked in its overlap': { notAfter: after, revokedAt: before },
} as const;
const isOpen = (state: keyof typeof states): boolean => state === 'in use' || state === 'in its overlap';

const datasets = new Map<string, Dataset>(
  tenants.flatMap((tenantId, tenant) =>
    [1, 2].map((number): [string, Dataset] => {
      const datasetId = `${tenant + 1}0${number}`;
      const settings = { ...defaultRelaySettings, origins: [origin] };
      return [datasetId, { datasetId, tenantId, country: 'TR', vertical: 'ecommerce', createdAt: before, settings }];
    }),
  ),
);

interface Issued {
  readonly key: string;
  readonly kept: RelayKey;
  readonly state: keyof typeof states;
}

const issued: Issued[] = tenants.flatMap((tenantId, tenant) =>
  relayKeyPurposes.flatMap((purpose, at) =>
    (Object.keys(states) as (keyof typeof states)[]).map((state, number) => {
      const seed = 1 + tenant * 50 + at * 10 + number;
      const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, seed), Buffer.alloc(32, seed));
      const created = { createdAt: before, createdBy: 'test', events: null };
      return { key, state, kept: { relayKeyId, sha256, tenantId, purpose, ...created, ...states[state] } };
    }),
  ),
);
const keys = new Map(issued.map(({ kept }) => [kept.relayKeyId, kept]));

const event = {
  event_name: 'Lead',
  event_time: now.getTime() / 1_000 - 60,
  event_id: 'e1',
  action_source: 'system_generated',
  user_data: { em: 'ayse@example.com' },
};
const hit = { event_name: 'PageView', event_id: 'e1', event_source_url: 'https://shop.example/' };
const decision = { decision: 'granted', user_data: event.user_data };
const segment = { type: 'track', event: 'Lead', userId: 'u', timestamp: now.toISOString() };

type Door = (datasetId: string, key: string) => { url: string; body: Record<string, unknown> };
const serverDoors: Readonly<Record<string, Door>> = {
  events: (datasetId, key) => ({ url: `/${datasetId}/events`, body: { data: [event], access_token: key } }),
  'versioned events': (id, key) => ({ url: `/v25.0/${id}/events`, body: { data: [event], access_token: key } }),
  gateway: (datasetId, key) => ({ url: `/capi/${datasetId}/events`, body: { data: [event], accessKey: key } }),
  segment: (datasetId, key) => ({ url: `/${datasetId}/segment`, body: { ...segment, writeKey: key } }),
  consent: (datasetId, key) => ({ url: `/${datasetId}/consent`, body: { ...decision, access_token: key } }),
};
const browserDoor: Door = (dataset, key) => ({ url: '/collect', body: { key, dataset, data: [hit] } });

async function statusOf(door: Door, datasetId: string, key: string): Promise<{ status: number; queued: number }> {
  let queued = 0;
  const { url, body } = door(datasetId, key);
  const headers = { origin, 'user-agent': 'Mozilla/5.0', 'x-forwarded-for': '85.105.12.7' };
  const { status } = await accept(
    { method: 'POST', url, headers, body, bodyBytes: 500, remoteAddress: '10.0.0.1' },
    {
      directory: { dataset: (id) => datasets.get(id), relayKey: (id) => keys.get(id) },
      queue: async () => void (queued += 1),
      heldEvents: { hold: async () => undefined, decide: async () => void (queued += 1) },
      proxy: 'serverless',
      projectId: 'kobi',
      log: createLogger({ level: 'silent', functionName: 'capi-relay' }),
      now: () => now,
    },
  );
  return { status, queued };
}

test.each([...Object.entries(serverDoors), ['collect', browserDoor] as const])(
  'no key opens another tenant’s dataset, a door of another purpose, or anything once it has ended: %s',
  async (name, door) => {
    const wrong: string[] = [];
    let opened = 0;
    for (const { key, kept, state } of issued) {
      for (const { datasetId, tenantId } of datasets.values()) {
        const fitsDoor = (kept.purpose === 'browser') === (name === 'collect');
        const expected = !isOpen(state) ? 401 : tenantId !== kept.tenantId || !fitsDoor ? 403 : 200;
        const { status, queued } = await statusOf(door, datasetId, key);
        const isRight = expected === 200 ? status < 300 && queued === 1 : status === expected && queued === 0;
        if (status < 300) opened += 1;
        if (!isRight) wrong.push(`${kept.tenantId} ${kept.purpose} ${state} on ${tenantId}/${datasetId}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(opened).toBe(tenants.length * 2 * 2 * (name === 'collect' ? 1 : 2));
  },
);

test('a key with one character changed, cut or added opens nothing', async () => {
  const { key } = issued[0] ?? { key: '' };
  const events = serverDoors['events'] ?? browserDoor;
  const changed = Array.from(key, (character, at) => [
    `${key.slice(0, at)}${character === 'A' ? 'B' : 'A'}${key.slice(at + 1)}`,
    key.slice(0, at),
  ]).flat();
  for (const other of [...changed, `${key}A`, ` ${key}x`, key.toUpperCase()])
    expect([other, (await statusOf(events, '101', other)).status]).toEqual([other, 401]);
  expect((await statusOf(events, '101', key)).status).toBe(200);
});
