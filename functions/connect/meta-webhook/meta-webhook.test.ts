import { createHmac } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FieldValue } from '@google-cloud/firestore';
import type { Firestore } from '@google-cloud/firestore';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { IssueStore } from '../../../shared/gcp/issue-store.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { PersonStore } from '../../../shared/gcp/person-store.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { signedRequest } from '../../../test/simulator/callbacks.ts';
import { seed } from '../../../test/simulator/seed.ts';
import { webhookRoutes } from './routes.ts';

const now = new Date('2026-11-23T10:00:00.000Z');
const seconds = now.getTime() / 1000;
const verifyToken = 'agreed-with-meta';
const metaUserId = '11000000000000077';
let firestore: EmbeddedFirestore;
let db: Firestore;
let server: Server;
let url: string;
let secrets: Map<string, string>;
const lines: string[] = [];

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
  http(
    'meta-webhook-test',
    httpFunction(() => ({
      projectId: 'kobi-test',
      log: createLogger({ level: 'debug', functionName: 'test', destination: { write: (line) => lines.push(line) } }),
      maxBodyBytes: 4 * 1024 * 1024,
      routes: webhookRoutes({
        issues: new IssueStore(db, () => now),
        persons: new PersonStore(db, () => now),
        secrets: {
          latest: async (secretId) => {
            const value = secrets.get(secretId);
            return value === undefined ? undefined : { version: '1', value };
          },
          destroyAll: async (secretId) => void secrets.delete(secretId),
        },
        appSecret: async () => seed.appSecret,
        baseUrl: 'https://kobi.example/meta-webhook',
      }),
    })),
  );
  server = getTestServer('meta-webhook-test');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await db.terminate();
  await firestore.close();
});

beforeEach(async () => {
  firestore.clear();
  lines.length = 0;
  secrets = new Map([
    [secretName.webhookVerifyToken, verifyToken],
    [secretName.userToken('acme'), 'user-token'],
    [secretName.userToken('other'), 'other-token'],
  ]);
  await connectedTenant('acme', metaUserId, 'act_18001');
  await connectedTenant('other', '11000000000000088', 'act_18002');
});

async function connectedTenant(slug: string, userId: string, adAccountId: string): Promise<void> {
  const outbox = new Outbox(db, { publish: async () => {}, publishJson: async () => {}, close: async () => {} });
  const tenants = new TenantStore({ db, outbox, now: () => now });
  const facts = { name: slug, planId: 'starter', vertical: 'ecommerce', country: 'TR', currency: 'TRY' } as const;
  await tenants.create({ slug, ...facts, skus: [], timezone: 'Europe/Istanbul', domains: [] }, 'ada');
  await tenants.connect({ tenantId: slug, metaUserId: userId, pageId: '12', userTokenVersion: '1' }, '');
  const assets = { runId: 'run-1', operator: 'child', businessId: '14', adAccountId, datasetId: '19', catalogId: null };
  await db.doc(paths.tenant(slug)).update({ assets });
}

const notification = (changes: object[], { id = '18001', time = seconds, object = 'ad_account' } = {}): object => ({
  object,
  entry: [{ id, time, changes }],
});
const issue = { id: '29001', level: 'CAMPAIGN', error_code: '567', error_summary: 'Çok düşük', error_message: 'Bütçe' };
const troubled = { field: 'with_issues_ad_objects', value: issue };

async function send(body: object, sign = (text: string): string => text): Promise<number> {
  const text = JSON.stringify(body);
  const signature = createHmac('sha256', seed.appSecret).update(sign(text)).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
  return (await fetch(`${url}/ads`, { method: 'POST', headers, body: text })).status;
}

const post = async (path: string, request: string): Promise<{ status: number; body: Record<string, string> }> => {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    body: new URLSearchParams({ signed_request: request }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
};

const openIssues = (tenantId = 'acme'): Promise<unknown[]> => new IssueStore(db, () => now).open(tenantId);

describe('the verification of the address', () => {
  const ask = async (query: Record<string, string>): Promise<[number, string]> => {
    const answer = await fetch(`${url}/ads?${new URLSearchParams(query).toString()}`);
    return [answer.status, await answer.text()];
  };
  const right = { 'hub.mode': 'subscribe', 'hub.verify_token': verifyToken, 'hub.challenge': '1158201444' };

  it('answers the bare challenge to whoever knows the verify token, and to nobody else', async () => {
    expect(await ask(right)).toEqual([200, '1158201444']);
    expect((await ask({ ...right, 'hub.verify_token': 'guessed' }))[0]).toBe(403);
    expect((await ask({ ...right, 'hub.mode': 'unsubscribe' }))[0]).toBe(403);
    expect((await ask({ ...right, 'hub.challenge': '<script>' }))[0]).toBe(400);
    secrets.delete(secretName.webhookVerifyToken);
    expect((await ask({ ...right, 'hub.verify_token': '' }))[0]).toBe(403);
  });
});

describe('a webhook', () => {
  it('that Meta signed is recorded on the tenant whose ad account it is, and on no other', async () => {
    expect(await send(notification([troubled]))).toBe(200);
    expect(await openIssues()).toMatchObject([
      {
        objectId: '29001',
        level: 'CAMPAIGN',
        reports: { with_issues_ad_objects: { code: '567', summary: 'Çok düşük' } },
      },
    ]);
    expect(await openIssues('other')).toEqual([]);
  });

  it('about the account of a tenant that is not live yet is recorded on it: the step that opened it knows whose it is', async () => {
    await db.doc(paths.tenant('acme')).update({ assets: FieldValue.delete() });
    const outbox = new Outbox(db, { publish: async () => {}, publishJson: async () => {}, close: async () => {} });
    const steps = new RunControl({ db, outbox, now: () => now, leaseMs: 150_000 });
    await steps.openRun('acme', 'run-1', 'two-tier', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    const step = db.doc(paths.step('acme', 'run-1', 'create-ad-account'));
    await step.update({ state: 'done', products: { adAccountId: 'act_18003', spendCapMinor: 1 } });
    expect(await send(notification([troubled], { id: '18003' }))).toBe(200);
    expect(await openIssues()).toMatchObject([{ objectId: '29001', adAccountId: 'act_18003' }]);
    expect(await openIssues('other')).toEqual([]);
  });

  it('with one byte changed, another secret or no signature is refused and leaves nothing', async () => {
    expect(await send(notification([troubled]), (text) => text.replace('567', '568'))).toBe(401);
    expect((await fetch(`${url}/ads`, { method: 'POST', body: '{}' })).status).toBe(401);
    const headers = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    expect((await fetch(`${url}/ads`, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    expect(await openIssues()).toEqual([]);
  });

  it('delivered three times, late and in reverse, ends the same', async () => {
    const healthy = { field: 'effective_status', value: { id: '29001', effective_status: 'ACTIVE' } };
    const first = notification([troubled]);
    const later = notification([healthy], { time: seconds + 60 });
    for (const body of [first, later, first, later, later]) expect(await send(body)).toBe(200);
    const inOrder = firestore.dump();
    expect(await openIssues()).toEqual([]);
    firestore.clear();
    await connectedTenant('acme', metaUserId, 'act_18001');
    await connectedTenant('other', '11000000000000088', 'act_18002');
    for (const body of [later, first, later]) expect(await send(body)).toBe(200);
    const issuesIn = (dump: ReturnType<EmbeddedFirestore['dump']>): unknown =>
      Object.entries(dump).filter(([path]) => path.includes('/issues/'));
    expect(issuesIn(firestore.dump())).toEqual(issuesIn(inOrder));
  });

  it('that an object with an issue has been processed into a healthy state ends the issue', async () => {
    await send(notification([troubled]));
    const processed = (status_name: string, time: number): Promise<number> => {
      const value = { id: '29001', level: 'CAMPAIGN', status_name };
      return send(notification([{ field: 'in_process_ad_objects', value }], { time }));
    };
    await processed('With Issues', seconds + 60);
    expect(await openIssues()).toHaveLength(1);
    await processed('Campaign Paused', seconds + 120);
    expect(await openIssues()).toEqual([]);
  });

  it('that a state changed, which does not say to what, leaves an issue open and nothing aside', async () => {
    await send(notification([troubled]));
    const value = { object_id: '29001', object_type: 'campaign', changed_fields: ['effective_status'] };
    await send(notification([{ field: 'field_changed', value }], { time: seconds + 60 }));
    expect(await openIssues()).toMatchObject([
      { objectId: '29001', level: 'CAMPAIGN', reports: { field_changed: { status: null, aside: null } } },
    ]);
  });

  it('of a field nobody knows yet is kept aside; other objects, strange entries and accounts of nobody pass', async () => {
    expect(await send(notification([{ field: 'brand_new', value: { id: '29002', depth: { a: [1] } } }]))).toBe(200);
    expect(await send(notification([troubled], { object: 'page' }))).toBe(200);
    expect(await send(notification([troubled], { id: '99999' }))).toBe(200);
    expect(await send({ object: 'ad_account', entry: [{ id: {}, changes: 7 }, 'text'] })).toBe(200);
    expect(await send([notification([troubled])] as object)).toBe(200);
    expect(await openIssues()).toHaveLength(1);
    const aside = Object.values(firestore.dump()).find(({ objectId }) => objectId === '29002');
    expect(aside).toMatchObject({
      isOpen: false,
      reports: { brand_new: { aside: '{"id":"29002","depth":{"a":[1]}}' } },
    });
  });

  it('of a thousand changes is taken whole', async () => {
    const changes = Array.from({ length: 1_000 }, (_, index) => ({
      field: 'with_issues_ad_objects',
      value: { ...issue, id: String(29_000 + index) },
    }));
    expect(await send(notification(changes))).toBe(200);
    const stored = Object.keys(firestore.dump()).filter((path) => path.includes('/issues/'));
    expect(stored).toHaveLength(1_000);
  }, 20_000);
});

describe('a person who takes the app off', () => {
  it('leaves the tenant waiting for its client, without the dead token, however often Meta says so', async () => {
    const request = signedRequest(seed.appSecret, metaUserId, seconds);
    for (let copy = 0; copy < 3; copy += 1) expect((await post('/deauthorize', request)).status).toBe(200);
    const tenant = (await db.doc(paths.tenant('acme')).get()).data();
    expect(tenant?.['connection']).toMatchObject({ deauthorizedAt: now.toISOString(), metaUserId });
    expect(secrets.has(secretName.userToken('acme'))).toBe(false);
    expect(secrets.has(secretName.userToken('other'))).toBe(true);
    const entries = (await db.collection(paths.audit('acme')).get()).docs.map((row) => String(row.get('action')));
    expect(entries.filter((action) => action === 'deauthorized')).toHaveLength(1);
  });

  it.each([
    ['another secret', signedRequest('not the secret', metaUserId, seconds)],
    ['another algorithm', signedRequest(seed.appSecret, metaUserId, seconds, 'none')],
    ['no signature', `.${signedRequest(seed.appSecret, metaUserId, seconds).split('.')[1] ?? ''}`],
    ['nothing', ''],
  ])('is not believed with %s', async (_what, request) => {
    expect((await post('/deauthorize', request)).status).toBe(401);
    expect((await post('/data-deletion', request)).status).toBe(401);
    expect(secrets.has(secretName.userToken('acme'))).toBe(true);
  });
});

describe('a person who asks for their data to be deleted', () => {
  it('is in no document, secret or log line afterwards; the business stays, and the audit verifies', async () => {
    expect(JSON.stringify(firestore.dump())).toContain(metaUserId);
    const request = signedRequest(seed.appSecret, metaUserId, seconds);
    const { body, status } = await post('/data-deletion', request);
    expect(status).toBe(200);
    expect(body).toEqual({
      url: `https://kobi.example/meta-webhook/data-deletion/${body['confirmation_code'] ?? ''}`,
      confirmation_code: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    const left = JSON.stringify(firestore.dump()) + lines.join('\n') + JSON.stringify([...secrets]);
    expect(left).not.toContain(metaUserId);
    expect(secrets.has(secretName.userToken('acme'))).toBe(false);
    expect((await db.doc(paths.tenant('acme')).get()).get('connection.pageId')).toBe('12');
    expect((await db.doc(paths.tenant('other')).get()).get('connection.metaUserId')).toBe('11000000000000088');
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  it('gets the same code for the same request, and a page that says when and nothing about whom', async () => {
    const request = signedRequest(seed.appSecret, metaUserId, seconds);
    const first = await post('/data-deletion', request);
    const again = await post('/data-deletion', request);
    expect(again.body).toEqual(first.body);
    const code = first.body['confirmation_code'] ?? '';
    const shown = await fetch(`${url}/data-deletion/${code}`);
    const text = await shown.text();
    expect([shown.status, text.includes('Deleted'), text.includes(metaUserId), text.includes('acme')]).toEqual([
      200,
      true,
      false,
      false,
    ]);
    expect((await fetch(`${url}/data-deletion/${'0'.repeat(32)}`)).status).toBe(404);
    expect((await fetch(`${url}/data-deletion/..%2Ftenants`)).status).toBe(404);
  });
});
