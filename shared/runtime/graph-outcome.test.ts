import { describe, expect, it } from 'vitest';
import { GraphError } from '../meta/errors.ts';
import type { GraphErrorFacts } from '../meta/errors.ts';
import { backOffMs, outcomeOf } from './graph-outcome.ts';
import { Failed } from './outcomes.ts';

const now = new Date('2026-11-23T10:00:00.000Z');
const error = (facts: Partial<GraphErrorFacts>): GraphError =>
  new GraphError({
    class: 'transient',
    reason: 'service-trouble',
    outcome: 'not-applied',
    call: 'POST /{id}/adaccount',
    ...facts,
  });

describe('what Meta answered, as an outcome', () => {
  it('a throttle is tried again exactly when Meta said it would be lifted, and burns no attempt', () => {
    const throttled = error({
      class: 'throttled',
      reason: 'business-use-case-limit',
      retryAtMs: now.getTime() + 420_000,
    });
    expect(outcomeOf(throttled, 'child', 3, now)).toMatchObject({
      kind: 'retry',
      afterMs: 420_000,
      burnsAttempt: false,
    });
  });

  it('trouble at Meta is tried again, each time later, at most an hour apart', () => {
    expect(outcomeOf(error({}), 'child', 0, now)).toMatchObject({ kind: 'retry', afterMs: 5_000, burnsAttempt: true });
    expect(outcomeOf(error({}), 'child', 2, now)).toMatchObject({ afterMs: 20_000 });
    expect(backOffMs(50)).toBe(3_600_000);
  });

  it('a lost answer is looked for after a grace time', () => {
    const lost = error({
      class: 'unknown-outcome',
      reason: 'answer-lost',
      outcome: 'unknown',
    });
    expect(outcomeOf(lost, 'child', 0, now)).toMatchObject({ kind: 'retry', afterMs: 30_000 });
  });

  it('a dead user token waits on the client, a dead system token on Kobi', () => {
    const dead = error({ class: 'token-dead', reason: 'token-expired' });
    expect(outcomeOf(dead, 'user', 0, now)).toMatchObject({
      kind: 'waiting',
      wait: { on: 'client', for: 'reconnect' },
    });
    expect(outcomeOf(dead, 'child', 0, now)).toMatchObject({ kind: 'waiting', wait: { on: 'kobi' } });
  });

  it('a policy block waits on Meta, a wrong request stops for a person', () => {
    expect(outcomeOf(error({ class: 'policy-block', reason: 'temporarily-blocked' }), 'child', 0, now)).toMatchObject({
      kind: 'waiting',
      wait: { on: 'meta' },
    });
    expect(outcomeOf(error({ class: 'config-bug', reason: 'invalid-parameter' }), 'child', 0, now)).toMatchObject({
      kind: 'failed',
    });
  });

  it('our own outcomes say it themselves; anything else is nobody’s outcome', () => {
    expect(outcomeOf(new Failed('no'), 'none', 0, now)).toEqual({ kind: 'failed', reason: 'no' });
    expect(outcomeOf(new TypeError('bug'), 'none', 0, now)).toBeUndefined();
  });
});
