import { stepNames } from '../../../shared/domain/provisioning-steps.ts';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Firestore } from '@google-cloud/firestore';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { paths, platformAudit } from '../../../shared/contracts/documents.ts';
import type { StepName } from '../../../shared/domain/provisioning-steps.ts';
import { verifyConnectLink } from '../../../shared/domain/connect-link.ts';
import { parseRelayKey } from '../../../shared/domain/relay-key.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import type { Drift } from '../../../shared/contracts/drift-documents.ts';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { DriftStore } from '../../../shared/gcp/drift-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { closeRelay } from '../../../shared/gcp/relay-door.ts';
import { IssueStore } from '../../../shared/gcp/issue-store.ts';
import { ReadinessStore } from '../../../shared/gcp/readiness-store.ts';
import { RelayKeyStore } from '../../../shared/gcp/relay-key-store.ts';
import { RelaySettingsStore } from '../../../shared/gcp/relay-settings-store.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { TeardownStore } from '../../../shared/gcp/teardown-store.ts';
import { TenantEnding } from '../../../shared/gcp/tenant-ending.ts';
import { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import { createConnectLinks } from '../../../shared/runtime/connect-links.ts';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { createResumeLinks } from '../../../shared/runtime/resume-links.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { tenantRoutes } from './routes.ts';

const now = new Date('2026-11-23T10:00:00.000Z');
const linkKey = 'k'.repeat(32);
const operator = `Bearer e30.${Buffer.from('{"email":"ada@kobi.example"}').toString('base64url')}.x`;
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

const acme = {
  slug: 'acme',
  name: 'Acme Çiçek',
  planId: 'starter',
  vertical: 'ecommerce',
  skus: ['ecommerce', 'crm'],
  country: 'TR',
  currency: 'TRY',
  timezone: 'Europe/Istanbul',
  domains: ['acme.com.tr'],
};

let firestore: EmbeddedFirestore;
let db: Firestore;
const published: string[] = [];
const lines: string[] = [];
let isPubsubDown = false;
let steps: RunControl;
let server: Server;
let origin: string;

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
  const outbox = new Outbox(db, {
    publish: async () => {},
    publishJson: async (topic) => {
      if (isPubsubDown) throw new Error('Pub/Sub is down');
      published.push(topic);
    },
    close: async () => {},
  });
  steps = new RunControl({ db, outbox, now: () => now, leaseMs: 60_000 });
  const signing = {
    secrets: { latest: async () => ({ version: '1', value: linkKey }) },
    now: () => now,
    baseUrl: 'https://connect.example/connect-meta',
  };
  const links = createConnectLinks(signing);
  const resumeLinks = createResumeLinks(signing);
  let keys = 0;
  const routes = tenantRoutes({
    readiness: new ReadinessStore(db, () => now),
    tenants: new TenantStore({ db, outbox, now: () => now }),
    steps,
    changes: new TenantChanges({ db, outbox, now: () => now, leaseMs: 60_000 }),
    relayKeys: new RelayKeyStore(db, () => now),
    relaySettings: new RelaySettingsStore(db, () => now),
    issues: new IssueStore(db, () => now),
    drift: new DriftStore({ db, alerts: new AlertStore({ db, outbox, now: () => now }), now: () => now }),
    alerts: new AlertStore({ db, outbox, now: () => now }),
    ending: new TenantEnding({ db, outbox, now: () => now, leaseMs: 60_000 }),
    teardowns: new TeardownStore({ db, now: () => now, leaseMs: 60_000 }),
    closeRelay: (tenantId, options) => closeRelay(db, tenantId, options),
    now: () => now,
    deliver: (messages) => outbox.deliver(messages),
    connectUrl: (tenantId) => links.urlFor(tenantId),
    resumeUrl: resumeLinks.urlFor,
    auditProblems: (tenantId) => verifyAuditTrail(db, tenantId),
    randomBytes: (size) => Buffer.alloc(size, (keys += 1)),
  });
  const log = createLogger({ level: 'info', functionName: 'test', destination: { write: (line) => lines.push(line) } });
  http(
    'tenant-api-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes })),
  );
  server = getTestServer('tenant-api-test');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await db.terminate();
  await firestore.close();
});
beforeEach(() => {
  firestore.clear();
  published.length = 0;
  lines.length = 0;
  isPubsubDown = false;
});

/** Every field any answer may have. */
interface Answered {
  readonly status: string;
  readonly connectUrl: string;
  readonly domains: string[];
  readonly steps: unknown[];
  readonly tenants: { tenantId: string }[];
  readonly next: string | null;
  readonly relayKeyId: string;
  readonly key: string;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly expected: string[];
    readonly problems: { field: string; got: unknown; expected: string[] }[];
  };
}

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Answered }> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: operator, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Answered };
}

async function auditActions(): Promise<string[]> {
  const entries = await db.collection(paths.audit('acme')).get();
  return entries.docs.map((entry) => `${String(entry.get('actor'))} ${String(entry.get('action'))}`);
}

/** A run with its first step in some state. */
async function runningTenant(firstStep: Record<string, unknown> = { state: 'done' }): Promise<void> {
  await call('POST', '/tenants', acme);
  await call('POST', '/tenants/acme/terms', { tos: true, dataSharing: true, acceptedBy: 'client-1' });
  await steps.openRun('acme', 'run-1', 'two-tier', traceparent);
  await db.doc(paths.step('acme', 'run-1', 'record-consent')).update(firstStep);
}

describe('POST /tenants', () => {
  it('creates a tenant under its slug, audited with who did it', async () => {
    const answer = await call('POST', '/tenants', acme);
    expect(answer).toMatchObject({ status: 201, body: { tenantId: 'acme', ...acme, status: 'created' } });
    expect(await auditActions()).toEqual(['ada@kobi.example tenant-created']);
    expect(lines.join('')).not.toContain('ada@');
  });

  it('answers a repeated body with the same tenant, and another body under the same slug with 409', async () => {
    await call('POST', '/tenants', acme);
    expect(await call('POST', '/tenants', acme)).toMatchObject({ status: 200, body: { tenantId: 'acme' } });
    const other = await call('POST', '/tenants', { ...acme, planId: 'scale', name: 'Other' });
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'slug-taken', field: 'slug', got: 'acme' } } });
    expect(other.body.error.message).toContain('name, planId');
    expect(await auditActions()).toHaveLength(1);
  });

  it('two creations at once make one tenant', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => call('POST', '/tenants', acme)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 201]);
  });

  it('names every bad field at once: what came and what is valid', async () => {
    const answer = await call('POST', '/tenants', {
      slug: 'Acme!',
      name: ' ',
      planId: 'gold',
      vertical: 'bakery',
      skus: ['ecommerce', 'shoes'],
      country: 'XX',
      currency: 'JPY',
      timezone: '+03:00',
      domains: ['ok.com', 'co.uk'],
      colour: 'secret-canary',
    });
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('invalid-request');
    const { problems } = answer.body.error;
    expect(problems.map((problem) => [problem.field, problem.got])).toEqual([
      ['slug', 'Acme!'],
      ['name', ' '],
      ['planId', 'gold'],
      ['vertical', 'bakery'],
      ['skus[1]', 'shoes'],
      ['country', 'XX'],
      ['currency', 'JPY'],
      ['timezone', '+03:00'],
      ['domains[1]', 'co.uk'],
      ['colour', undefined],
    ]);
    expect(problems.find((problem) => problem.field === 'planId')?.expected).toEqual(['starter', 'growth', 'scale']);
    expect(problems.every((problem) => problem.expected.length > 0)).toBe(true);
    expect(JSON.stringify(answer.body)).not.toContain('canary');
    expect((await db.collection('tenants').get()).size).toBe(0);
  });

  it('names every missing field, and refuses what is no object', async () => {
    const { body } = await call('POST', '/tenants', {});
    expect(body.error.problems.map((problem) => problem.field)).toEqual(Object.keys(acme));
    for (const nothing of [[], 'x', 1, null]) expect((await call('POST', '/tenants', nothing)).status).toBe(400);
  });

  it.each<[string, unknown]>([
    ['slug', 'ab'],
    ['slug', 'a--b'],
    ['slug', '../x'],
    ['slug', 7],
    ['name', 'x'.repeat(101)],
    ['name', 'a\u0000b'],
    ['skus', 'crm'],
    ['skus', ['crm', 'crm']],
    ['country', 'tr'],
    ['country', 'TUR'],
    ['timezone', 'Mars/Olympus'],
    ['domains', ['https://acme.com']],
    ['domains', ['acme.com/shop']],
    ['domains', ['acme.com:443']],
    ['domains', ['192.168.1.1']],
    ['domains', ['localhost']],
    ['domains', ['a b.com']],
    ['domains', ['-a.com']],
    ['domains', [1]],
    ['domains', 'acme.com'],
  ])('refuses %s %j', async (field, value) => {
    const { body, status } = await call('POST', '/tenants', { ...acme, [field]: value });
    expect(status).toBe(400);
    expect(body.error.problems).toHaveLength(1);
    expect(body.error.problems[0]?.field).toMatch(new RegExp(`^${field}`));
  });

  it('keeps domain names in lower case, each once', async () => {
    const { body } = await call('POST', '/tenants', { ...acme, domains: ['Shop.Acme.com', 'shop.acme.com'] });
    expect(body.domains).toEqual(['shop.acme.com']);
  });
});

describe('POST /tenants/{tenant}/terms', () => {
  const accepted = { tos: true, dataSharing: true, acceptedBy: 'client-1' };

  it('records the acceptance once and hands out a signed link of this tenant', async () => {
    await call('POST', '/tenants', acme);
    const { body, status } = await call('POST', '/tenants/acme/terms', accepted);
    expect([status, body.status]).toEqual([200, 'terms-accepted']);
    const url = new URL(body.connectUrl);
    expect(`${url.origin}${url.pathname}`).toBe('https://connect.example/connect-meta/start');
    expect(verifyConnectLink(linkKey, 'acme', url.searchParams.get('link') ?? '', now)).toBe('valid');
    const again = await call('POST', '/tenants/acme/terms', { ...accepted, acceptedBy: 'somebody-else' });
    expect(again).toMatchObject({ status: 200, body: { terms: { acceptedBy: 'client-1' } } });
    expect(await auditActions()).toHaveLength(2);
  });

  it.each([{}, { ...accepted, tos: false }, { ...accepted, dataSharing: 'true' }, { ...accepted, acceptedBy: '' }])(
    'takes nothing less than both acceptances and a name: %j',
    async (body) => {
      await call('POST', '/tenants', acme);
      expect((await call('POST', '/tenants/acme/terms', body)).status).toBe(400);
      expect((await call('GET', '/tenants/acme')).body.status).toBe('created');
    },
  );
});

describe('GET /tenants/{tenant}', () => {
  it('shows whose move it is before the run, with the link when it is the client’s', async () => {
    await call('POST', '/tenants', acme);
    const before = await call('GET', '/tenants/acme');
    expect(before).toMatchObject({
      status: 200,
      body: { status: 'created', waits: [{ on: 'client', step: 'terms' }] },
    });
    expect(before.body.connectUrl).toBeUndefined();
    await call('POST', '/tenants/acme/terms', { tos: true, dataSharing: true, acceptedBy: 'client-1' });
    const after = await call('GET', '/tenants/acme');
    expect(after.body).toMatchObject({ status: 'terms-accepted', waits: [{ on: 'client', step: 'connect' }] });
    expect(after.body.connectUrl).toContain('link=');
  });

  it('shows where Meta has something else than was recorded, since when, and what Meta did not say', async () => {
    await call('POST', '/tenants', acme);
    const unseen = await call('GET', '/tenants/acme');
    expect(unseen.body).toMatchObject({ drift: { checkedAt: null, differences: [], unknown: [] } });
    const since = '2026-11-22T10:00:00.000Z';
    const drift: Drift = {
      tenantId: 'acme',
      nextCheckAt: '2026-11-24T10:00:00.000Z',
      checkedAt: now.toISOString(),
      differences: { 'spend-cap': { expected: '500000', found: 'none', since } },
      accepted: {},
      unknown: ['page-link'],
    };
    await db.doc(paths.drift('acme')).set(drift);
    const { body } = await call('GET', '/tenants/acme');
    expect(body).toMatchObject({
      drift: {
        checkedAt: now.toISOString(),
        differences: [{ item: 'spend-cap', since, expected: '500000', found: 'none', what: expect.any(String) }],
        unknown: ['page-link'],
      },
    });
  });

  it('takes the acceptance of exactly the difference that was seen, with a reason, once, from a known person', async () => {
    await call('POST', '/tenants', acme);
    const since = '2026-11-22T10:00:00.000Z';
    const found = 'not visible to Kobi';
    const drift: Drift = {
      tenantId: 'acme',
      nextCheckAt: '2026-11-24T10:00:00.000Z',
      checkedAt: now.toISOString(),
      differences: {
        'spend-cap': { expected: '500000', found: '700000', since },
        catalog: { expected: '5', found, since },
      },
      accepted: {},
      unknown: [],
    };
    await db.doc(paths.drift('acme')).set(drift);
    const reason = 'Raised for Black Friday, agreed with the client.';
    const accept = (item: string, body: object) => call('POST', `/tenants/acme/differences/${item}/accept`, body);
    const refusals = [
      await accept('spend-cap', { found: '700000' }),
      await accept('spend-cap', { found: '600000', reason }),
      await accept('catalog', { found, reason }),
      await accept('ad-account-name', { found: 'Mine', reason }),
      await accept('weather', { found: 'rain', reason }),
    ];
    expect(refusals.map(({ status, body }) => [status, body.error.code])).toEqual([
      [400, 'invalid-request'],
      [409, 'other-difference'],
      [409, 'not-acceptable'],
      [409, 'no-difference'],
      [404, 'unknown-item'],
    ]);
    for (const copy of ['first', 'second']) {
      const { status, body } = await accept('spend-cap', { found: '700000', reason });
      expect([copy, status]).toEqual([copy, 200]);
      expect(body).toMatchObject({
        drift: {
          differences: [{ item: 'catalog' }],
          accepted: [{ item: 'spend-cap', recorded: '500000', found: '700000', by: 'ada@kobi.example', reason }],
        },
      });
    }
    expect((await auditActions()).filter((action) => action.endsWith('difference-accepted'))).toHaveLength(1);
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  it('shows every step of the run', async () => {
    await runningTenant({
      state: 'waiting',
      wait: { on: 'client', for: 'page', what: 'Choose.', since: 'T', expiresAt: null },
    });
    const { body } = await call('GET', '/tenants/acme');
    expect(body).toMatchObject({
      status: 'waiting',
      runId: 'run-1',
      waits: [{ step: 'record-consent', what: 'Choose.' }],
    });
    expect(body.steps).toHaveLength(stepNames.length);
  });

  it.each(['/tenants/nobody', '/tenants/..%2Fplatform', '/tenants/a', '/tenants/acme%2Fruns'])(
    'answers 404: %s',
    async (path) => {
      expect(await call('GET', path)).toMatchObject({ status: 404 });
    },
  );
});

it('GET /tenants lists tenants a page at a time, each once', async () => {
  const slugs = ['delta', 'alpha', 'echo', 'bravo', 'charlie'];
  for (const slug of slugs) await call('POST', '/tenants', { ...acme, slug });
  const seen: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const { body } = await call('GET', `/tenants?limit=2${next === '' ? '' : `&after=${next}`}`);
    seen.push(...body.tenants.map((tenant) => tenant.tenantId));
    next = body.next;
  }
  expect(seen).toEqual(slugs.toSorted());
  for (const bad of ['limit=0', 'limit=201', 'limit=x', 'after=../x']) {
    expect((await call('GET', `/tenants?${bad}`)).status).toBe(400);
  }
});

describe('POST /tenants/{tenant}/steps/{step}/retry', () => {
  it('queues a failed step again, in the name of who asked', async () => {
    await runningTenant({ state: 'failed', reason: 'x' });
    const answer = await call('POST', '/tenants/acme/steps/record-consent/retry');
    expect(answer).toMatchObject({ status: 202, body: { step: 'record-consent', state: 'queued' } });
    expect(published).toEqual(['record-consent']);
    expect(await auditActions()).toContain('ada@kobi.example redrive');
  });

  it('keeps in the audit trail why, and the state before and after; an edit of that shows', async () => {
    await runningTenant({ state: 'failed', reason: 'x' });
    const reason = 'Meta support unlocked the account';
    expect((await call('POST', '/tenants/acme/steps/record-consent/retry', { reason })).status).toBe(202);
    expect((await call('POST', '/tenants/acme/steps/record-consent/retry', { reason: '' })).status).toBe(400);
    const entry = (await db.collection('tenants/acme/audit').where('action', '==', 'redrive').get()).docs[0];
    expect(entry?.get('detail')).toEqual({
      reason,
      before: 'failed',
      after: 'queued',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect((await call('GET', '/tenants/acme/audit/verify')).body).toMatchObject({ intact: true, problems: [] });
    await entry?.ref.update({ 'detail.reason': 'because' });
    expect((await call('GET', '/tenants/acme/audit/verify')).body).toMatchObject({
      intact: false,
      problems: [expect.stringContaining('was changed') as string],
    });
  });

  it('answers success when Pub/Sub is down: the message stays for the sweeper', async () => {
    await runningTenant({ state: 'failed' });
    const before = (await db.collection('outbox').get()).size;
    isPubsubDown = true;
    expect((await call('POST', '/tenants/acme/steps/record-consent/retry')).status).toBe(202);
    expect((await db.collection('outbox').get()).size).toBe(before + 1);
  });

  it.each<[StepName, Record<string, unknown>, RegExp]>([
    ['record-consent', { state: 'done' }, /is done/],
    ['record-consent', { state: 'running', lease: { owner: 'o', until: '2026-11-23T10:00:30.000Z' } }, /running/],
    ['create-pixel', { state: 'done' }, /has not started/],
  ])('refuses %s %j with the reason', async (step, state, reason) => {
    await runningTenant(state);
    const { body, status } = await call('POST', `/tenants/acme/steps/${step}/retry`);
    expect(status).toBe(409);
    expect(body.error.message).toMatch(reason);
    expect(published).toEqual([]);
  });

  it('answers 404 for an unknown step, with the steps there are, and 409 without a run', async () => {
    await call('POST', '/tenants', acme);
    const unknown = await call('POST', '/tenants/acme/steps/create-moon/retry');
    expect(unknown).toMatchObject({ status: 404, body: { error: { got: 'create-moon' } } });
    expect(unknown.body.error.expected).toContain('create-pixel');
    expect((await call('POST', '/tenants/acme/steps/create-pixel/retry')).status).toBe(409);
  });
});

describe('relay keys', () => {
  it('shows a key once and keeps only its hash', async () => {
    await call('POST', '/tenants', acme);
    const { body, status } = await call('POST', '/tenants/acme/relay-keys', { purpose: 'crm' });
    expect(status).toBe(201);
    const kept = (await db.doc(paths.relayKey(body.relayKeyId)).get()).data();
    expect(kept).toMatchObject({
      tenantId: 'acme',
      purpose: 'crm',
      sha256: parseRelayKey(body.key)?.sha256,
      revokedAt: null,
    });
    const secret = body.key.split('_').at(-1);
    const stored = JSON.stringify(firestore.dump());
    expect(stored + lines.join('')).not.toContain(secret);
  });

  it('revokes a key of its own tenant only, and repeatably', async () => {
    await call('POST', '/tenants', acme);
    await call('POST', '/tenants', { ...acme, slug: 'other' });
    const { relayKeyId } = (await call('POST', '/tenants/acme/relay-keys', { purpose: 'server' })).body;
    expect((await call('DELETE', `/tenants/other/relay-keys/${relayKeyId}`)).status).toBe(404);
    expect((await db.doc(paths.relayKey(relayKeyId)).get()).get('revokedAt')).toBeNull();
    const revoked = await call('DELETE', `/tenants/acme/relay-keys/${relayKeyId}`);
    expect(revoked).toMatchObject({ status: 200, body: { relayKeyId, revokedAt: now.toISOString() } });
    expect((await call('DELETE', `/tenants/acme/relay-keys/${relayKeyId}`)).status).toBe(200);
    expect((await call('DELETE', '/tenants/acme/relay-keys/..%2Fx')).status).toBe(404);
  });

  it('refuses an unknown purpose and an unknown tenant', async () => {
    await call('POST', '/tenants', acme);
    const { body, status } = await call('POST', '/tenants/acme/relay-keys', { purpose: 'fun' });
    expect([status, body.error.problems[0]?.expected]).toEqual([400, ['server', 'browser', 'crm']]);
    expect((await call('POST', '/tenants/nobody/relay-keys', { purpose: 'server' })).status).toBe(404);
  });
});

describe('POST /tenants/{tenant}/steps/{step}/adopt', () => {
  const business = { id: '123456789012345', reason: 'Made by hand in May.' };

  it('lets the step go on with an object that exists, and tells who said so and why', async () => {
    await runningTenant();
    const answer = await call('POST', '/tenants/acme/steps/create-child-business/adopt', business);
    expect(answer).toMatchObject({ status: 202, body: { step: 'create-child-business', state: 'pending' } });
    const step = (await steps.readSteps('acme', 'run-1')).find((record) => record.step === 'create-child-business');
    expect(step?.effects['child-business']).toMatchObject({
      state: 'done',
      how: 'adopted',
      result: { childBusinessId: business.id },
    });
    expect(await auditActions()).toContain('ada@kobi.example adopted');
  });

  it('refuses an id that is none of this kind, a missing reason, and a step that creates nothing', async () => {
    await runningTenant();
    const wrong = await call('POST', '/tenants/acme/steps/create-ad-account/adopt', { id: '1234567', reason: '' });
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.body)).toMatch(/act_/);
    const none = await call('POST', '/tenants/acme/steps/verify-domain/adopt', business);
    expect(none).toMatchObject({ status: 404, body: { error: { got: 'verify-domain' } } });
  });

  it('refuses while the step is being worked on', async () => {
    await runningTenant({ state: 'running', lease: { owner: 'o', until: '2026-11-23T10:00:30.000Z' } });
    await db.doc(paths.step('acme', 'run-1', 'create-child-business')).update({
      state: 'running',
      lease: { owner: 'o', until: '2026-11-23T10:00:30.000Z' },
    });
    expect((await call('POST', '/tenants/acme/steps/create-child-business/adopt', business)).status).toBe(409);
  });
});

describe('/readiness', () => {
  it('says of a platform nobody has described what is missing, who must act and what to do, as JSON and as text', async () => {
    const { status, body } = await call('GET', '/readiness');
    expect(status).toBe(200);
    expect(body).toMatchObject({ ready: false, missing: ['pre2', 'pre8', 'pre10'], checkedAt: null });
    const text = await (
      await fetch(`${origin}/readiness?format=text`, { headers: { authorization: operator } })
    ).text();
    expect(text).toContain('MISSING  PRE-10: 2-Tier Business Manager access\n         Meta must act: ');
    expect(text).toContain('UNKNOWN  Full Marketing API Access Tier');
    expect(text).toContain('Slots on the parent business: 0 of 5 in use.');
    expect(text).not.toContain('waiting');
  });

  it('names the tenants that wait for an item, and those with a slot on the parent business', async () => {
    await runningTenant();
    const wait = { on: 'meta', for: 'PRE-10', what: 'Grant it.', since: 'T', expiresAt: null };
    await db.doc(paths.step('acme', 'run-1', 'create-child-business')).update({ state: 'waiting', wait });
    const takenAt = now.toISOString();
    await db.doc(paths.fallbackSlots()).set({ slots: ['first', 'second'].map((tenantId) => ({ tenantId, takenAt })) });
    const { body } = await call('GET', '/readiness');
    expect(body).toMatchObject({
      items: [{ waiting: [] }, { waiting: [] }, { item: 'pre10', waiting: ['acme'] }, {}, {}],
      fallbackSlots: { inUse: ['first', 'second'], of: 5 },
    });
    const text = await (
      await fetch(`${origin}/readiness?format=text`, { headers: { authorization: operator } })
    ).text();
    expect(text).toMatch(/PRE-10: [^\n]+\n[^\n]+must act[^\n]+\n {9}1 tenant waiting: acme\n/);
    expect(text).toContain('Slots on the parent business: 2 of 5 in use: first, second.');
  });

  it('takes what a person says with its reason into the audit trail, and nothing without one', async () => {
    expect((await call('PATCH', '/readiness', { pre10: true })).status).toBe(400);
    expect((await call('PATCH', '/readiness', { reason: 'Nothing is said here.' })).status).toBe(400);
    expect((await call('PATCH', '/readiness', { pre10: 'yes', reason: 'Meta wrote so.' })).status).toBe(400);
    const answer = await call('PATCH', '/readiness', { pre10: true, reason: 'Meta wrote so on Tuesday.' });
    expect(answer).toMatchObject({ status: 200, body: { missing: ['pre2', 'pre8'] } });
    expect((await db.doc(paths.readiness()).get()).data()).toMatchObject({ pre10: true, pre2: false });
    const [entry] = (await db.collection(paths.audit(platformAudit)).get()).docs;
    expect(entry?.data()).toMatchObject({
      actor: 'ada@kobi.example',
      action: 'readiness-set',
      detail: { reason: 'Meta wrote so on Tuesday.', was: { pre10: false }, is: { pre10: true } },
    });
  });
});

describe('POST /tenants/{tenant}/steps/{step}/skip', () => {
  it('goes on without the step and starts what waited for it only', async () => {
    await runningTenant();
    const batch = db.batch();
    const others = ['verify-domain', 'create-catalog', 'prepare-offline-events', 'finish-run'];
    for (const step of stepNames.filter((name) => !others.includes(name))) {
      batch.update(db.doc(paths.step('acme', 'run-1', step)), { state: 'done' });
    }
    for (const step of ['create-catalog', 'prepare-offline-events'] as const) {
      batch.update(db.doc(paths.step('acme', 'run-1', step)), { state: 'skipped' });
    }
    batch.update(db.doc(paths.step('acme', 'run-1', 'verify-domain')), { state: 'waiting' });
    await batch.commit();
    const why = { reason: 'The client sends no web events.' };
    const answer = await call('POST', '/tenants/acme/steps/verify-domain/skip', why);
    expect(answer).toMatchObject({ status: 200, body: { step: 'verify-domain', state: 'skipped' } });
    expect(published).toEqual(['finish-run']);
    expect(await auditActions()).toContain('ada@kobi.example skipped');
    expect((await call('POST', '/tenants/acme/steps/verify-domain/skip', why)).status).toBe(409);
  });

  it('refuses a step on which others build', async () => {
    await runningTenant();
    const answer = await call('POST', '/tenants/acme/steps/create-ad-account/skip', { reason: 'No need for it.' });
    expect(answer.status).toBe(404);
    expect(answer.body.error.expected).not.toContain('create-ad-account');
  });
});

describe('POST /tenants/{tenant}/cancel', () => {
  it('ends the run once, starts its undo, and says who and why in the audit', async () => {
    await call('POST', '/tenants', acme);
    const why = { reason: 'the client went elsewhere' };
    expect((await call('POST', '/tenants/acme/cancel', why)).body.error.code).toBe('no-run');
    await steps.openRun('acme', 'run-1', 'two-tier', traceparent);
    expect((await call('POST', '/tenants/acme/cancel', {})).status).toBe(400);
    expect((await call('POST', '/tenants/acme/cancel', why)).status).toBe(202);
    expect((await call('POST', '/tenants/acme/cancel', why)).status).toBe(200);
    expect(published.filter((topic) => topic === 'undo-run')).toHaveLength(2);
    const shown = await call('GET', '/tenants/acme');
    expect(shown.body).toMatchObject({ status: 'cancelled', ending: { kind: 'undo', state: 'running' } });
    expect((await call('POST', '/tenants/acme/steps/record-consent/retry')).status).toBe(409);
    const entries = (await db.collection(paths.audit('acme')).get()).docs.map((row) => row.data());
    expect(entries.filter(({ action }) => action === 'run-cancelled')).toMatchObject([
      { actor: 'ada@kobi.example', detail: why },
    ]);
  });

  it('does not take a live tenant off the air by mistake', async () => {
    await call('POST', '/tenants', acme);
    await steps.openRun('acme', 'run-1', 'two-tier', traceparent);
    await db.doc(paths.tenant('acme')).update({ status: 'live' });
    const refused = await call('POST', '/tenants/acme/cancel', { reason: 'no longer wanted' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'not-cancellable']);
  });
});

describe('DELETE /tenants/{tenant}', () => {
  it('closes the relay before it answers, may be repeated, and lets nobody change the tenant or take its slug', async () => {
    expect((await call('DELETE', '/tenants/acme')).status).toBe(404);
    await call('POST', '/tenants', acme);
    const { relayKeyId } = (await call('POST', '/tenants/acme/relay-keys', { purpose: 'server' })).body;
    expect((await call('DELETE', '/tenants/acme')).status).toBe(202);
    expect((await db.doc(paths.relayKey(relayKeyId)).get()).get('revokedAt')).toBe(now.toISOString());
    expect((await call('DELETE', '/tenants/acme', { reason: 'and once more' })).status).toBe(202);
    expect(published).toEqual(['offboard-tenant', 'offboard-tenant']);
    expect((await call('GET', '/tenants/acme')).body).toMatchObject({
      status: 'offboarding',
      ending: { kind: 'offboarding' },
    });
    const refused = await call('POST', '/tenants/acme/terms', { tos: true, dataSharing: true, acceptedBy: 'owner' });
    expect(refused.status).toBe(409);
    expect((await call('POST', '/tenants', acme)).body.error.code).toBe('slug-retired');
  });
});

describe('PATCH /tenants/{tenant}', () => {
  const reason = 'The client asked for it.';
  /** A live tenant, whose steps are all over. */
  async function liveTenant(): Promise<void> {
    await runningTenant();
    const batch = db.batch();
    for (const step of stepNames)
      batch.update(db.doc(paths.step('acme', 'run-1', step)), { state: 'done', products: {} });
    batch.update(db.doc(paths.tenant('acme')), { status: 'live' });
    batch.update(db.doc(paths.run('acme', 'run-1')), { state: 'done' });
    await batch.commit();
    published.length = 0;
  }

  it('says what was, what is and what runs again, starts only that, and leaves the tenant live', async () => {
    await liveTenant();
    const answer = await call('PATCH', '/tenants/acme', { planId: 'growth', name: 'Acme', reason });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        before: { planId: 'starter', name: 'Acme Çiçek' },
        after: { planId: 'growth', name: 'Acme' },
        steps: { 'create-ad-account': 'queued' },
      },
    });
    expect(published).toEqual(['create-ad-account']);
    const { body } = await call('GET', '/tenants/acme');
    expect(body).toMatchObject({ status: 'live', planId: 'growth', name: 'Acme' });
    expect(JSON.stringify(body)).toContain('create-ad-account is being done again');
  });

  it('the same again changes nothing and is not audited twice', async () => {
    await liveTenant();
    await call('PATCH', '/tenants/acme', { planId: 'growth', reason });
    const again = await call('PATCH', '/tenants/acme', { planId: 'growth', reason });
    expect(again).toMatchObject({ status: 200, body: { before: {}, after: {}, steps: {} } });
    expect(published).toEqual(['create-ad-account']);
    expect((await auditActions()).filter((entry) => entry.endsWith('tenant-changed'))).toHaveLength(1);
  });

  it('is audited with who, why, before and after, in a trail that verifies', async () => {
    await liveTenant();
    await call('PATCH', '/tenants/acme', { planId: 'growth', reason });
    const entries = (await db.collection(paths.audit('acme')).get()).docs.map((entry) => entry.data());
    expect(entries.find(({ action }) => action === 'tenant-changed')).toMatchObject({
      actor: 'ada@kobi.example',
      detail: { reason, before: { planId: 'starter' }, after: { planId: 'growth' } },
    });
    expect(entries.find(({ action }) => action === 'reopened')).toMatchObject({
      subject: 'create-ad-account',
      detail: { because: reason, from: 'done', to: 'queued', effects: ['spend-cap'] },
    });
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  it('before there is a run only the fact changes', async () => {
    await call('POST', '/tenants', acme);
    const answer = await call('PATCH', '/tenants/acme', { skus: ['crm'], domainVerification: 'off', reason });
    expect(answer).toMatchObject({
      status: 200,
      body: { after: { skus: ['crm'], domainVerification: 'off' }, steps: {} },
    });
    expect(published).toEqual([]);
  });

  it('names every bad field and a missing reason at once, and changes nothing', async () => {
    await liveTenant();
    const answer = await call('PATCH', '/tenants/acme', { planId: 'gold', domains: ['co.uk'], slug: 'other' });
    expect(answer.status).toBe(400);
    const { problems } = (answer.body as unknown as { error: { problems: { field: string }[] } }).error;
    expect(problems.map(({ field }) => field).toSorted()).toEqual(['domains[0]', 'planId', 'reason', 'slug']);
    expect((await call('PATCH', '/tenants/acme', { reason })).status).toBe(400);
    expect((await call('GET', '/tenants/acme')).body).toMatchObject({ planId: 'starter' });
  });

  it('changes nothing of another tenant, and of none that is not there', async () => {
    await liveTenant();
    await call('POST', '/tenants', { ...acme, slug: 'other' });
    await call('PATCH', '/tenants/other', { planId: 'scale', reason });
    expect((await call('GET', '/tenants/acme')).body).toMatchObject({ planId: 'starter' });
    expect((await call('PATCH', '/tenants/nobody', { planId: 'scale', reason })).status).toBe(404);
    expect(published).toEqual([]);
  });

  it('opens one step again on request, for a reason, and only what can have changed at Meta', async () => {
    await liveTenant();
    const path = '/tenants/acme/steps/link-page-and-instagram/reopen';
    expect(await call('POST', path, { reason })).toMatchObject({ status: 202, body: { state: 'queued' } });
    expect(published).toEqual(['link-page-and-instagram']);
    expect((await call('POST', path, {})).status).toBe(400);
    expect((await call('POST', '/tenants/acme/steps/create-pixel/reopen', { reason })).status).toBe(404);
  });
});

describe('alerts', () => {
  it('are listed, and kept quiet for as long as a person says, for a reason', async () => {
    await call('POST', '/tenants', acme);
    const none = { publish: async () => {}, publishJson: async () => {}, close: async () => {} };
    const alerts = new AlertStore({ db, outbox: new Outbox(db, none), now: () => now });
    const facts = {
      tenantId: 'acme',
      kind: 'drift',
      severity: 'notice',
      summary: 'A cap differs.',
      detail: {},
    } as const;
    await alerts.raise(facts, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    const path = '/tenants/acme/alerts/drift/snooze';
    expect((await call('PUT', path, { reason: 'known since Monday', hours: 2 })).status).toBe(200);
    const until = new Date(now.getTime() + 7_200_000).toISOString();
    expect((await call('GET', '/tenants/acme/alerts')).body).toMatchObject({
      alerts: [{ kind: 'drift', snooze: { until, reason: 'known since Monday' } }],
    });
    expect((await call('DELETE', path)).status).toBe(200);
    const bad = await call('PUT', path, { hours: 1_000 });
    expect(JSON.stringify(bad.body)).toContain('whole hours from 1 to 336');
    expect((await call('PUT', '/tenants/acme/alerts/fire/snooze', { reason: 'known', hours: 1 })).status).toBe(404);
    expect((await call('DELETE', '/tenants/acme/alerts/meta-ga4-gap/snooze')).status).toBe(404);
  });
});
