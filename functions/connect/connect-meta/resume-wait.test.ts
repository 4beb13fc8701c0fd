/** A wait's whole life: reminders and the link that ends it, over HTTP, with a clock that jumps. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Firestore } from '@google-cloud/firestore';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { paths, stepSchema } from '../../../shared/contracts/documents.ts';
import type { StepRecord } from '../../../shared/contracts/documents.ts';
import { parseEnvelope } from '../../../shared/contracts/topics.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { signResumeLink } from '../../../shared/domain/resume-link.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import { connectFirestore, readDocument } from '../../../shared/gcp/firestore.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { StepStore } from '../../../shared/gcp/step-store.ts';
import { WaitControl } from '../../../shared/gcp/wait-control.ts';
import { pushBody } from '../../../shared/runtime/delayed-retry.ts';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { createResumeLinks } from '../../../shared/runtime/resume-links.ts';
import { stepFunction } from '../../../shared/runtime/step-function.ts';
import { seedConnectedTenant } from '../../../test/faults/connected-tenant.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { resumeWaits } from '../../ops/resume-waits/resume-waits.ts';
import { askToResume, resumeWait } from './resume-wait.ts';
import { problemPage } from './pages.ts';

const baseUrl = 'https://connect.example/connect-meta';
const signingKey = 'k'.repeat(43);
const leaseMs = 60_000;
const runId = 'run-1';
const acme = { tenantId: 'acme', runId, step: 'verify-domain' } as const;
const rival = { ...acme, tenantId: 'rival' };
const dayMs = 86_400_000;

const start = new Date('2026-11-23T10:00:00.000Z');
const clock = { now: start };
const now = (): Date => clock.now;
const pass = (days: number): void => void (clock.now = new Date(clock.now.getTime() + days * dayMs));

const published: Envelope[] = [];
const lines: string[] = [];
let isDnsPublished = false;
let looks = 0;
let firestore: EmbeddedFirestore;
let db: Firestore;
let server: Server;
let origin: string;
let control: RunControl;
let waits: WaitControl;
let outbox: Outbox;

const log = createLogger({ level: 'debug', functionName: 'test', destination: { write: (line) => lines.push(line) } });
const links = createResumeLinks({
  secrets: { latest: async () => ({ version: '1', value: signingKey }) },
  now,
  baseUrl,
});

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
  outbox = new Outbox(db, {
    publish: () => Promise.reject(new Error('not used')),
    publishJson: async (_topic, json) => void published.push(JSON.parse(json) as Envelope),
    close: async () => undefined,
  });
  const runs = { db, outbox, now, leaseMs };
  control = new RunControl(runs);
  waits = new WaitControl(runs);
  const services = { resumeLinks: links, waits, baseUrl, deliver: outbox.deliver.bind(outbox) };
  const routes = [
    { callers: 'public', method: 'GET', path: '/resume', handle: askToResume(services) },
    { callers: 'public', method: 'POST', path: '/resume', handle: resumeWait(services) },
  ] as const;
  http(
    'resume-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes, answerProblem: problemPage })),
  );
  server = getTestServer('resume-test');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await db.terminate();
  await firestore.close();
});

beforeEach(async () => {
  firestore.clear();
  clock.now = start;
  isDnsPublished = false;
  looks = 0;
  for (const slug of ['acme', 'rival']) {
    await seedConnectedTenant(db, { slug, domains: ['shop.example'] }, { metaUserId: '1', pageId: '2' }, start);
    await control.openRun(slug, runId, 'two-tier', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    await db.doc(paths.step(slug, runId, 'verify-domain')).update({ state: 'queued' });
    await look({ ...acme, tenantId: slug });
  }
  published.length = 0;
  lines.length = 0;
  looks = 0;
});

/** One delivery of a step's start message to the real step recipe. */
async function look(ref: typeof acme | typeof rival): Promise<void> {
  const dependencies = {
    projectId: 'kobi-test',
    log,
    now,
    deadLetters: { record: async () => 'x' },
    retryAt: async () => undefined,
    steps: new StepStore({ db, outbox, now, leaseMs }),
    outbox,
  };
  const run = stepFunction(
    'verify-domain',
    () => dependencies,
    async ({ tenant }) => {
      looks += 1;
      if (isDnsPublished) return { products: { verifiedDomains: tenant.domains } };
      const what = 'Publish at your DNS provider: shop.example TXT "x"';
      throw new Waiting({
        on: 'client',
        for: 'dns-record',
        what,
        pollEveryMs: 6 * 3_600_000,
        expiresAfterMs: 30 * dayMs,
      });
    },
  );
  const envelope = {
    eventId: 'look',
    type: 'verify-domain',
    version: 1,
    ...ref,
    at: now().toISOString(),
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    data: { cause: 'resumed' },
  } as const;
  await run({ specversion: '1.0', id: '1', source: 's', type: 't', data: pushBody('kobi-test', envelope) });
}

async function read(ref: typeof acme | typeof rival = acme): Promise<StepRecord> {
  const record = readDocument(await db.doc(paths.step(ref.tenantId, runId, ref.step)).get(), stepSchema);
  if (record?.wait === undefined) throw new Error('no such step');
  return record;
}

async function linkOf(ref: typeof acme | typeof rival = acme): Promise<URLSearchParams> {
  const { wait } = await read(ref);
  if (wait === null) throw new Error('it does not wait');
  return new URL(await links.urlFor(ref, wait)).searchParams;
}

async function press(link: URLSearchParams): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${origin}/resume`, { method: 'POST', body: link });
  return { status: answer.status, text: await answer.text() };
}

const tick = (): Promise<unknown> => resumeWaits({ steps: control, waits, outbox });

describe('a resume link', () => {
  it('opened changes nothing, so a mail scanner cannot use it up; its button wakes exactly its step', async () => {
    const link = await linkOf();
    const before = firestore.dump();
    const opened = await fetch(`${origin}/resume?${link.toString()}`);
    expect(opened.status).toBe(200);
    expect(await opened.text()).toMatch(/Verify the client&#39;s domains[\s\S]*name="link" value="1\.\d+\./);
    expect(firestore.dump()).toEqual(before);

    expect(await press(link)).toMatchObject({ status: 200, text: expect.stringContaining('Thank you') as string });
    expect(published).toMatchObject([{ type: 'verify-domain', tenantId: 'acme', data: { cause: 'resumed' } }]);
    expect(await read()).toMatchObject({ state: 'queued', wait: { linkNumber: 2 } });
    expect(await read(rival)).toMatchObject({ state: 'waiting', wait: { linkNumber: 1 } });

    isDnsPublished = true;
    await look(acme);
    expect((await read()).state).toBe('done');
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  it('works once: not again while the step is queued, not after it went back to waiting, not twice at the same time', async () => {
    const link = await linkOf();
    const answers = await Promise.all([press(link), press(link), press(link)]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '410', '410']);
    expect(published).toHaveLength(1);
    expect(await press(link)).toMatchObject({ status: 410, text: expect.stringContaining('Already used') as string });
    await look(acme);
    expect(await read()).toMatchObject({ state: 'waiting', wait: { since: start.toISOString(), linkNumber: 2 } });
    expect((await press(link)).status).toBe(410);
    expect((await press(await linkOf())).status).toBe(200);
  });

  it('is refused when it is another tenant’s, step’s or run’s, tampered with, cut off, or signed by another key', async () => {
    const good = await linkOf();
    const wrong = (changes: Record<string, string>): URLSearchParams =>
      new URLSearchParams({ ...Object.fromEntries(good), ...changes });
    const [number, expiry, signature] = (good.get('link') ?? '').split('.');
    const target = { ...acme, linkNumber: 1 };
    const refused = [
      wrong({ tenant: 'rival' }),
      wrong({ step: 'create-pixel' }),
      wrong({ run: 'run-2' }),
      wrong({ link: `${number}.${Number(expiry) + 9_999_999}.${signature}` }),
      wrong({ link: `2.${expiry}.${signature}` }),
      wrong({ link: `${number}.${expiry}.${signature?.slice(0, -1)}` }),
      wrong({ link: `${number}.${expiry}.${'A'.repeat(43)}` }),
      wrong({ link: '' }),
      wrong({ link: signResumeLink('another key, also long enough to be one', target, now(), null) }),
      wrong({ tenant: '../../etc' }),
      wrong({ run: 'a/b' }),
      wrong({ step: 'no-such-step' }),
      new URLSearchParams(),
    ];
    const before = firestore.dump();
    for (const link of refused) {
      const answer = await press(link);
      expect([400, 403], link.toString()).toContain(answer.status);
      expect(answer.text).toContain('This link is not valid');
      expect(answer.text).not.toContain('<script');
      expect((await fetch(`${origin}/resume?${link.toString()}`)).status).toBe(answer.status);
    }
    expect(firestore.dump()).toEqual(before);
    expect(published).toEqual([]);
    expect(lines.join()).not.toContain(signature);
  });

  it('nine days old has expired, and a fresh one of the same wait works', async () => {
    const old = await linkOf();
    pass(9);
    expect(await press(old)).toMatchObject({ status: 403, text: expect.stringContaining('has expired') as string });
    expect(published).toEqual([]);
    expect((await press(await linkOf())).status).toBe(200);
  });

  it('of a step that is being looked at this moment keeps working, and ends nothing that is over', async () => {
    const link = await linkOf();
    const lease = { owner: 'x', until: new Date(start.getTime() + leaseMs).toISOString() };
    await db.doc(paths.step('acme', runId, 'verify-domain')).update({ state: 'running', lease });
    expect(await press(link)).toMatchObject({ status: 409, text: expect.stringContaining('still works') as string });
    await db.doc(paths.step('acme', runId, 'verify-domain')).update({ state: 'waiting', lease: null });
    await control.skip(acme, 'the client has no domain', 'op@kobi', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    published.length = 0;
    expect(await press(link)).toMatchObject({ status: 410, text: expect.stringContaining('Nothing to do') as string });
    expect(published).toEqual([]);
  });

  it('does not make a step call Meta before the time that Meta named', async () => {
    const link = await linkOf();
    const wakeAt = new Date(start.getTime() + 7 * 60_000).toISOString();
    await db.doc(paths.step('acme', runId, 'verify-domain')).update({ state: 'retrying', wakeAt });
    expect((await press(link)).status).toBe(200);
    expect(await read()).toMatchObject({ state: 'retrying', wakeAt });
    expect((await press(link)).status).toBe(410);
  });
});

describe('reminders', () => {
  beforeEach(async () => {
    await db.doc(paths.step('rival', runId, 'verify-domain')).delete();
  });

  const reminders = (): Envelope[] =>
    published.filter(({ type, tenantId }) => type === 'wait-reminder' && tenantId === 'acme');

  it('are due on days 1, 3 and 7, once each however often the job runs, and keep no step from looking', async () => {
    const days: number[] = [];
    for (let hour = 12; hour <= 8 * 24; hour += 12) {
      clock.now = new Date(start.getTime() + hour * 3_600_000);
      await tick();
      await look(acme);
      clock.now = new Date(clock.now.getTime() + 60_000);
      await Promise.all([tick(), tick()]);
      if (reminders().length > days.length) days.push(hour / 24);
    }
    expect(days).toEqual([1, 3, 7]);
    expect(reminders().map((message) => message.data)).toMatchObject([{ number: 1 }, { number: 2 }, { number: 3 }]);
    expect(await read()).toMatchObject({
      wait: { since: start.toISOString(), remindersSent: 3, remindAt: '2026-12-07T10:00:00.000Z' },
    });
    expect(looks).toBe(16);
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  it('come once after a jump of nine days, with everything the portal needs, and no link in the queue', async () => {
    pass(9);
    await tick();
    await look(acme);
    await tick();
    expect(reminders()).toHaveLength(1);
    const [message] = reminders();
    expect(parseEnvelope('wait-reminder', message)).toMatchObject({ ok: true });
    expect(message?.data).toEqual({
      step: 'verify-domain',
      to: 'client',
      on: 'client',
      for: 'dns-record',
      what: 'Publish at your DNS provider: shop.example TXT "x"',
      since: start.toISOString(),
      expiresAt: new Date(start.getTime() + 30 * dayMs).toISOString(),
      number: 1,
    });
    expect(await read()).toMatchObject({
      state: 'waiting',
      wait: { remindersSent: 1, remindAt: '2026-12-07T10:00:00.000Z' },
    });
  });

  it('stop when the wait is over, however it ended', async () => {
    await control.skip(acme, 'the client has no domain', 'op@kobi', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    pass(9);
    await tick();
    await tick();
    expect(reminders()).toEqual([]);
    expect(await waits.dueReminders(10)).toEqual([]);
  });

  it('a wait nobody ended within its time fails, and a redrive waits anew instead of failing again', async () => {
    pass(30);
    await tick();
    await look(acme);
    expect(await read()).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('waited in vain') as string,
    });
    const messages = await control.wake(acme, 'redrive', 'op@kobi', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    expect(messages).toHaveLength(1);
    await look(acme);
    expect(await read()).toMatchObject({
      state: 'waiting',
      wait: { since: clock.now.toISOString(), remindersSent: 0 },
    });
  });
});
