import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { claimLeaseMs, createDeliveryLedger, dedupeWindowMs, eventKey } from './delivery-ledger.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import { connectFirestore } from './firestore.ts';

let firestore: EmbeddedFirestore;
let db: Firestore;
let nowMs: number;
let billed: { read: number; write: number; delete: number };

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-ledger' });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore('kobi-ledger');
});
afterAll(async () => {
  await db.terminate();
  await firestore.close();
});
beforeEach(() => {
  firestore.clear();
  nowMs = Date.parse('2026-11-23T12:00:00Z');
  billed = { read: 0, write: 0, delete: 0 };
});

const instance = (): DeliveryLedger =>
  createDeliveryLedger(db, {
    now: () => new Date(nowMs),
    onOperations: (kind, count) => void (billed[kind] += count),
  });
const keys = (count: number, prefix = 'k'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('delivery ledger', () => {
  test('what reached Meta is known as delivered to every instance, in whatever other company it comes again', async () => {
    const claim = await instance().claim(['a', 'b', 'c']);
    await claim.settle(['a', 'b', 'c'], []);
    const again = await instance().claim(['x', 'b', ...keys(100)]);
    expect(['x', 'b', 'k0'].map((key) => again.standingOf(key).kind)).toEqual(['send', 'delivered', 'send']);
  });

  test('of many instances that claim the same events at once, exactly one sends each', async () => {
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, index) => instance().claim([...keys(40), `own-${index}`])),
    );
    for (const key of keys(40)) {
      const kinds = claims.map((claim) => claim.standingOf(key).kind);
      expect(kinds.filter((kind) => kind === 'send')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'busy')).toHaveLength(7);
    }
    for (const [index, claim] of claims.entries()) expect(claim.standingOf(`own-${index}`).kind).toBe('send');
  });

  test('what a dead claimer held is taken over after its lease, as a possible repeat, by one', async () => {
    await instance().claim(['a']);
    nowMs += claimLeaseMs - 1;
    expect((await instance().claim(['a'])).standingOf('a')).toMatchObject({ kind: 'busy', untilMs: nowMs + 1 });
    nowMs += 1;
    const takers = await Promise.all([instance().claim(['a']), instance().claim(['a'])]);
    const standings = takers.map((taker) => taker.standingOf('a'));
    expect(standings.map(({ kind }) => kind).toSorted()).toEqual(['busy', 'repeat']);
    expect(standings).toContainEqual({ kind: 'repeat', firstSentAtMs: nowMs - claimLeaseMs });
  });

  test('what was confirmed before its claimer died is delivered; only the rest is uncertain', async () => {
    const claim = await instance().claim(['a', 'b']);
    await claim.confirm(['a']);
    nowMs += claimLeaseMs;
    const next = await instance().claim(['a', 'b']);
    expect([next.standingOf('a').kind, next.standingOf('b').kind]).toEqual(['delivered', 'repeat']);
  });

  test('what was not sent is free at once, what may have been sent stays uncertain beyond 48 hours', async () => {
    const claim = await instance().claim(['free', 'lost', 'taken']);
    await claim.settle(['taken'], ['lost']);
    const standingsNow = async () => {
      const next = await instance().claim(['free', 'lost', 'taken']);
      const kinds = ['free', 'lost', 'taken'].map((key) => next.standingOf(key).kind);
      await next.settle([], []);
      return kinds;
    };
    expect(await standingsNow()).toEqual(['send', 'repeat', 'delivered']);
    nowMs += 3 * dedupeWindowMs;
    expect((await standingsNow())[1]).toBe('repeat');
  });

  test('what was delivered is forgotten after 48 hours, deleted by Firestore or not', async () => {
    await (await instance().claim(['a'])).settle(['a'], []);
    nowMs += dedupeWindowMs - 1;
    expect((await instance().claim(['a'])).standingOf('a').kind).toBe('delivered');
    nowMs += 1;
    expect((await instance().claim(['a'])).standingOf('a').kind).toBe('send');
  });

  test('a claimer that yields and dies leaves nothing that looks as if it had sent', async () => {
    const claim = await instance().claim(['a']);
    await instance().claim(['a', 'b']);
    await claim.settle([], []);
    nowMs += claimLeaseMs;
    const next = await instance().claim(['a', 'b']);
    expect([next.standingOf('a').kind, next.standingOf('b').kind]).toEqual(['send', 'repeat']);
  });

  test('a million events in full calls cost some 34,000 reads and 2,000 writes; alone, an event costs 1 and 2', async () => {
    for (let call = 0; call < 3; call += 1) {
      const full = keys(1_000, `call-${call}-`);
      await (await instance().claim(full)).settle(full, []);
    }
    expect(billed).toEqual({ read: 3 * 34, write: 3 * 2, delete: 0 });
    billed = { read: 0, write: 0, delete: 0 };
    await (await instance().claim(['single'])).settle(['single'], []);
    expect(billed).toEqual({ read: 1, write: 2, delete: 0 });
  });

  test('an event is the same by dataset, name and id, whatever else it says', () => {
    const event = { event_name: 'Purchase', event_id: 'o-1', event_time: 1 };
    expect(eventKey('1', { ...event, event_time: 2 })).toBe(eventKey('1', event));
    const others = [
      eventKey('2', event),
      eventKey('1', { ...event, event_name: 'Lead' }),
      eventKey('1', { ...event, event_id: 'o-2' }),
    ];
    expect(new Set([eventKey('1', event), ...others]).size).toBe(4);
    expect(eventKey('1', { event_name: 'Lead', event_time: 1 })).not.toBe(
      eventKey('1', { event_name: 'Lead', event_time: 2 }),
    );
  });
});
