/** Relay settings and keys as operators steer them, and what the relay makes of them at once. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Firestore } from '@google-cloud/firestore';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { admit } from '../../relay/capi-relay/admit.ts';
import { paths } from '../../../shared/contracts/documents.ts';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import type { RelaySettings } from '../../../shared/contracts/relay-documents.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createRelayDirectory, relayKeyTtlMs } from '../../../shared/gcp/relay-directory.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { RelayKeyStore } from '../../../shared/gcp/relay-key-store.ts';
import { RelaySettingsStore } from '../../../shared/gcp/relay-settings-store.ts';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { issueRelayKey, listRelayKeys, revokeRelayKey, rotateRelayKey } from './relay-keys.ts';
import { changeRelaySettings, showRelaySettings } from './relay-settings.ts';

const start = new Date('2026-11-23T10:00:00.000Z');
const hourMs = 3_600_000;
const operator = `Bearer e30.${Buffer.from('{"email":"ada@kobi.example"}').toString('base64url')}.x`;

let firestore: EmbeddedFirestore;
let db: Firestore;
let server: Server;
let origin: string;
let nowMs: number;
let directory: RelayDirectory;
const now = (): Date => new Date(nowMs);

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
  let keys = 0;
  const services = {
    tenants: { read: async (tenantId: string) => (tenantId === 'nobody' ? undefined : { tenantId }) } as never,
    relayKeys: new RelayKeyStore(db, now),
    relaySettings: new RelaySettingsStore(db, now),
    now,
    randomBytes: (size: number) => Buffer.alloc(size, (keys += 1)),
  };
  const log = createLogger({ level: 'silent', functionName: 'test' });
  const iam = { callers: 'iam' } as const;
  const routes = [
    { ...iam, method: 'GET', path: '/tenants/{tenant}/relay-keys', handle: listRelayKeys(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/relay-keys', handle: issueRelayKey(services) },
    {
      ...iam,
      method: 'POST',
      path: '/tenants/{tenant}/relay-keys/{relayKey}/rotate',
      handle: rotateRelayKey(services),
    },
    { ...iam, method: 'DELETE', path: '/tenants/{tenant}/relay-keys/{relayKey}', handle: revokeRelayKey(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/relay-settings', handle: showRelaySettings(services) },
    { ...iam, method: 'PATCH', path: '/tenants/{tenant}/relay-settings', handle: changeRelaySettings(services) },
  ] as const;
  http(
    'relay-access-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes })),
  );
  server = getTestServer('relay-access-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await db.terminate();
  await firestore.close();
});

beforeEach(async () => {
  firestore.clear();
  nowMs = start.getTime();
  directory = createRelayDirectory(db, { now });
  for (const [datasetId, tenantId] of [
    ['111', 'acme'],
    ['112', 'acme'],
    ['222', 'other'],
  ] as const) {
    const dataset = { datasetId, tenantId, country: 'TR', vertical: 'ecommerce', createdAt: start.toISOString() };
    await db.doc(paths.dataset(datasetId)).set({ ...dataset, settings: defaultRelaySettings });
  }
});

interface Answered {
  readonly relayKeyId: string;
  readonly key: string;
  readonly settings: RelaySettings;
  readonly error: { readonly code: string; readonly problems: readonly { field: string; expected: string[] }[] };
}

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Answered }> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: operator, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Answered };
}

/** Whether the relay lets a key in just now. */
async function opens(key: string): Promise<boolean> {
  try {
    await admit(key, '111', directory, now());
    return true;
  } catch {
    return false;
  }
}

async function auditOf(tenantId: string): Promise<Record<string, unknown>[]> {
  return (await db.collection(paths.audit(tenantId)).get()).docs.map((entry) => entry.data());
}

describe('relay settings', () => {
  test('a change is in force for every dataset of the tenant, and for no other’s', async () => {
    const { status, body } = await call('PATCH', '/tenants/acme/relay-settings', { bots: 'drop', dateOrder: 'dmy' });
    expect([status, body.settings]).toEqual([200, { ...defaultRelaySettings, bots: 'drop', dateOrder: 'dmy' }]);
    const kept = await Promise.all(['111', '112', '222'].map(async (id) => db.doc(paths.dataset(id)).get()));
    expect(kept.map((dataset) => dataset.get('settings.bots') as unknown)).toEqual(['drop', 'drop', 'flag']);
    expect((await call('GET', '/tenants/acme/relay-settings')).body).toMatchObject({
      datasetIds: ['111', '112'],
      settings: { bots: 'drop' },
    });
  });

  test('each change is audited with what was and what is, and one that changes nothing is not', async () => {
    await call('PATCH', '/tenants/acme/relay-settings', { bots: 'drop', requestsPerSecond: 500 });
    await call('PATCH', '/tenants/acme/relay-settings', { bots: 'drop' });
    expect(await auditOf('acme')).toEqual([
      expect.objectContaining({
        actor: 'ada@kobi.example',
        action: 'relay-settings-changed',
        detail: { before: { bots: 'flag' }, after: { bots: 'drop' } },
      }),
    ]);
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  test('every bad field is named at once with what is valid, and nothing is changed', async () => {
    const { status, body } = await call('PATCH', '/tenants/acme/relay-settings', {
      testEventCode: 'has space',
      consent: { absent: 'ask', denied: 'send' },
      limitedDataUse: { country: 1, state: 5 },
      bots: 'shoot',
      events: [],
      origins: ['https://shop.example.com/', 'http://shop.example.com', 'null'],
      dateOrder: 'ydm',
      extraUserDataKeys: ['email'],
      contentIdPattern: '(a+)+',
      requestsPerSecond: 0,
      color: 'red',
    });
    expect(status).toBe(400);
    const fields = new Set(body.error.problems.map(({ field }) => field.replace(/[.[].*/, '')));
    expect([...fields].toSorted()).toEqual([...Object.keys(defaultRelaySettings), 'color'].toSorted());
    expect(body.error.problems.every(({ expected }) => expected.length > 0)).toBe(true);
    expect((await call('GET', '/tenants/acme/relay-settings')).body.settings).toEqual(defaultRelaySettings);
  });

  test.each<Partial<RelaySettings>>([
    { testEventCode: 'TEST123' },
    { testEventCode: null },
    { consent: { absent: 'hold', denied: 'limited-data-use' } },
    { limitedDataUse: { country: 1, state: 1000 } },
    { events: ['Purchase', 'Kayıt Ol'] },
    { events: null },
    { origins: ['https://shop.example.com', 'http://localhost:3000'] },
    { extraUserDataKeys: ['new_meta_id'] },
    { contentIdPattern: '^sku-[0-9]{4}$' },
    { requestsPerSecond: 50 },
  ])('%j is taken', async (changes) => {
    const { status, body } = await call('PATCH', '/tenants/acme/relay-settings', changes);
    expect([status, body.settings]).toEqual([200, { ...defaultRelaySettings, ...changes }]);
  });

  test('a change of nothing, an unknown tenant and one without a dataset are refused', async () => {
    expect((await call('PATCH', '/tenants/acme/relay-settings', {})).status).toBe(400);
    expect((await call('PATCH', '/tenants/nobody/relay-settings', { bots: 'drop' })).status).toBe(404);
    expect((await call('PATCH', '/tenants/fresh/relay-settings', { bots: 'drop' })).status).toBe(409);
  });
});

describe('relay keys', () => {
  const issue = async (more: object = {}): Promise<Answered> =>
    (await call('POST', '/tenants/acme/relay-keys', { purpose: 'server', ...more })).body;

  test('a rotated key and its successor both open until the overlap is over, then the successor alone', async () => {
    const old = await issue({ events: ['Purchase'] });
    const { status, body: successor } = await call('POST', `/tenants/acme/relay-keys/${old.relayKeyId}/rotate`, {
      overlapHours: 24,
    });
    expect(status).toBe(201);
    expect(successor).toMatchObject({ purpose: 'server', events: ['Purchase'] });
    for (const afterMs of [0, 12 * hourMs, 24 * hourMs - 1]) {
      nowMs = start.getTime() + afterMs;
      expect([await opens(old.key), await opens(successor.key)]).toEqual([true, true]);
    }
    nowMs = start.getTime() + 24 * hourMs;
    expect([await opens(old.key), await opens(successor.key)]).toEqual([false, true]);
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  test('a second rotation never makes the old key live longer', async () => {
    const { relayKeyId, key } = await issue();
    await call('POST', `/tenants/acme/relay-keys/${relayKeyId}/rotate`, { overlapHours: 1 });
    await call('POST', `/tenants/acme/relay-keys/${relayKeyId}/rotate`, { overlapHours: 48 });
    nowMs += 2 * hourMs;
    expect(await opens(key)).toBe(false);
  });

  test('a revoked key is closed everywhere within five seconds', async () => {
    const { relayKeyId, key } = await issue();
    expect(await opens(key)).toBe(true);
    await call('DELETE', `/tenants/acme/relay-keys/${relayKeyId}`);
    nowMs += relayKeyTtlMs;
    expect([relayKeyTtlMs, await opens(key)]).toEqual([5_000, false]);
    expect((await call('POST', `/tenants/acme/relay-keys/${relayKeyId}/rotate`, { overlapHours: 1 })).status).toBe(409);
  });

  test('a key is rotated by its own tenant only, and with a sensible overlap', async () => {
    const { relayKeyId } = await issue();
    const rotate = `relay-keys/${relayKeyId}/rotate`;
    expect((await call('POST', `/tenants/other/${rotate}`, { overlapHours: 1 })).status).toBe(404);
    expect((await call('POST', '/tenants/acme/relay-keys/x/rotate', { overlapHours: 1 })).status).toBe(404);
    for (const overlapHours of [-1, 721, '1', null])
      expect((await call('POST', `/tenants/acme/${rotate}`, { overlapHours })).status).toBe(400);
  });

  test('the list of keys shows neither a key nor its hash', async () => {
    const { relayKeyId, key } = await issue();
    const { body } = await call('GET', '/tenants/acme/relay-keys');
    expect(body).toMatchObject({ relayKeys: [{ relayKeyId, purpose: 'server', revokedAt: null }] });
    expect(JSON.stringify(body)).not.toMatch(/sha256|kobi_/);
    expect(key).toMatch(/^kobi_/);
    expect((await call('GET', '/tenants/other/relay-keys')).body).toEqual({ relayKeys: [] });
  });
});
