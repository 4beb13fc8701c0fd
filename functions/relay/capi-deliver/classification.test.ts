/**
 * What becomes of an event for each error that `POST /{dataset}/events` is known to answer. Meta publishes no such table;
 * the rows come from other relays' sources and from live answers.
 */
import { describe, expect, test } from 'vitest';
import { errorFromEnvelope } from '../../../shared/meta/errors.ts';
import type { FailedCall } from '../../../shared/meta/errors.ts';
import { readAnswer } from '../../../shared/meta/answer.ts';
import * as v from 'valibot';
import { fateOf } from './fate.ts';
import type { FailedFate } from './fate.ts';

const now = new Date('2026-11-23T12:00:00Z');
const failed: FailedCall = { call: 'POST /{id}/events', isWrite: true, nowMs: now.getTime(), secrets: [] };

type Way = 'quarantine' | 'hold the tenant' | 'retry' | 'retry a few times' | 'back off';

/** HTTP status as seen or mapped; 400 where nobody saw one. */
const rows: readonly (readonly [code: number, subcode: number | null, httpStatus: number, way: Way])[] = [
  [100, 2804003, 400, 'quarantine'],
  [100, 2804009, 400, 'quarantine'],
  [100, 2804050, 400, 'quarantine'],
  [100, 2804036, 400, 'quarantine'],
  [100, 2804116, 400, 'quarantine'],
  [100, 2804001, 400, 'quarantine'],
  [100, 2804007, 400, 'quarantine'],
  [100, 2804016, 400, 'quarantine'],
  [100, 2804017, 400, 'quarantine'],
  [100, 2804019, 400, 'quarantine'],
  [100, 2804048, 400, 'quarantine'],
  [2804030, null, 400, 'quarantine'],
  [100, 33, 400, 'hold the tenant'],
  [100, 34, 404, 'hold the tenant'],
  [100, 38, 400, 'quarantine'],
  [190, null, 401, 'hold the tenant'],
  [190, null, 500, 'hold the tenant'],
  [190, 460, 400, 'hold the tenant'],
  [190, 463, 400, 'hold the tenant'],
  [190, 452, 400, 'retry'],
  [200, null, 403, 'hold the tenant'],
  [3, 10, 400, 'hold the tenant'],
  [10, null, 400, 'hold the tenant'],
  [1, null, 500, 'retry'],
  [1, 99, 500, 'retry'],
  [2, null, 500, 'retry'],
  [341, null, 500, 'back off'],
  [368, null, 500, 'hold the tenant'],
  [5000, null, 500, 'retry'],
  [21009, null, 400, 'retry'],
  [4, null, 429, 'back off'],
  [17, null, 429, 'back off'],
  [17, null, 500, 'back off'],
  [80003, null, 429, 'back off'],
  [105, null, 400, 'quarantine'],
  [5, 12, 412, 'retry a few times'],
];

function wayOf(fate: FailedFate): Way {
  if (fate.kind === 'quarantined') return 'quarantine';
  if (fate.advice !== undefined) return 'hold the tenant';
  if (fate.burnsAttempt) return 'retry a few times';
  return fate.afterMs === undefined ? 'retry' : 'back off';
}

function errorOf(code: number, subcode: number | null, httpStatus: number): unknown {
  const error = {
    message: 'm',
    type: 'OAuthException',
    code,
    fbtrace_id: 'T',
    ...(subcode !== null && { error_subcode: subcode }),
  };
  return errorFromEnvelope({ error }, httpStatus, failed);
}

describe('what Meta answers decides what becomes of an event', () => {
  test.each(rows)('code %s subcode %s, HTTP %s: %s', (code, subcode, httpStatus, way) => {
    expect(wayOf(fateOf(errorOf(code, subcode, httpStatus), now))).toBe(way);
  });

  test('an HTML page where JSON should be is a 500: tried again, and it may have been taken', () => {
    let error: unknown;
    try {
      readAnswer({ status: 200, headers: {}, text: '<!DOCTYPE html><html></html>' }, v.object({}), failed);
    } catch (thrown) {
      error = thrown;
    }
    const fate = fateOf(error, now);
    expect(wayOf(fate)).toBe('retry');
    expect(fate).toMatchObject({ uncertain: true });
  });

  test('after the last attempt an error nobody knows is the event’s own', () => {
    expect(wayOf(fateOf(errorOf(5, 12, 412), now, true))).toBe('quarantine');
  });

  test('what may have been taken is never halved to find a culprit, known error or not', () => {
    expect(wayOf(fateOf(errorOf(99_999, null, 500), now, true))).toBe('retry');
  });
});
