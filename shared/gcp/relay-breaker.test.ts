import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { verifyAuditTrail } from './audit-trail.ts';
import { connectFirestore } from './firestore.ts';
import { createRelayBreaker, probeEveryMs } from './relay-breaker.ts';
import type { RelayBreaker } from './relay-breaker.ts';

let firestore: EmbeddedFirestore;
let db: Firestore;
let nowMs: number;

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-breaker' });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore('kobi-breaker');
});
afterAll(async () => {
  await db.terminate();
  await firestore.close();
});
beforeEach(() => {
  firestore.clear();
  nowMs = Date.parse('2026-11-23T12:00:00Z');
});

const instance = (): RelayBreaker => createRelayBreaker(db, { now: () => new Date(nowMs) });
const trouble = { reason: 'POST /{id}/events: token-dead', advice: 'Mint a token.' };
const audited = async (field: string): Promise<unknown[]> =>
  (await db.collection('tenants/acme/audit').get()).docs.map((row): unknown => row.get(field));

describe('relay breaker', () => {
  test('a tenant without trouble is never held', async () => {
    expect(await instance().ask('acme')).toEqual({ kind: 'closed' });
  });

  test('however many calls see the trouble at once, on however many instances, one of them tells a person', async () => {
    const instances = [instance(), instance(), instance()];
    const opened = await Promise.all(
      [...instances, ...instances].map((each) => each.open('acme', trouble, 'capi-deliver')),
    );
    expect(opened.filter(Boolean)).toHaveLength(1);
    expect(await audited('action')).toEqual(['relay-held']);
    expect(await instance().ask('acme')).toMatchObject({ kind: 'held', untilMs: nowMs + probeEveryMs });
  });

  test('in an hour one probe is let through, over all instances; what comes beside it waits for its answer', async () => {
    await instance().open('acme', trouble, 'capi-deliver');
    nowMs += probeEveryMs;
    const answers = await Promise.all(Array.from({ length: 6 }, () => instance().ask('acme')));
    expect(answers.filter(({ kind }) => kind === 'probe')).toHaveLength(1);
    const waits = answers.flatMap((answer) => (answer.kind === 'held' ? [answer.untilMs - nowMs] : []));
    expect(waits).toEqual(Array.from({ length: 5 }, () => 30_000));
    nowMs += 31_000;
    expect(await instance().ask('acme')).toMatchObject({ kind: 'held', untilMs: nowMs - 31_000 + probeEveryMs });
  });

  test('closed after the fix, events flow on every instance within seconds, and the audit says who and why', async () => {
    const [first, second] = [instance(), instance()];
    await first.open('acme', trouble, 'token-check');
    expect(await second.ask('acme')).toMatchObject({ kind: 'held' });
    expect(await first.close('acme', 'token-fanout')).toBe(true);
    expect(await first.ask('acme')).toEqual({ kind: 'closed' });
    nowMs += 5_000;
    expect(await second.ask('acme')).toEqual({ kind: 'closed' });
    expect(await audited('action')).toEqual(['relay-held', 'relay-resumed']);
    expect(await audited('actor')).toEqual(['token-check', 'token-fanout']);
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  test('closing what is not open does nothing', async () => {
    expect(await instance().close('acme', 'token-fanout')).toBe(false);
    expect(await audited('action')).toEqual([]);
  });

  test('one tenant in trouble holds no other', async () => {
    await instance().open('acme', trouble, 'capi-deliver');
    expect(await instance().ask('other')).toEqual({ kind: 'closed' });
  });
});
