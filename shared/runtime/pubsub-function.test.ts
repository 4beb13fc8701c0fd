import type { CloudEvent } from '@google-cloud/functions-framework';
import { describe, expect, it } from 'vitest';
import type { Envelope } from '../contracts/topics.ts';
import type { DeadLetterInput } from '../gcp/dead-letter-store.ts';
import { createLogger } from './logger.ts';
import { Failed, RetryLater, Waiting } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';
import { pubsubFunction } from './pubsub-function.ts';

const envelope: Envelope<'create-pixel'> = {
  eventId: 'acme:run-1:create-pixel:0',
  type: 'create-pixel',
  version: 1,
  tenantId: 'acme',
  runId: 'run-1',
  at: '2026-11-23T10:00:00.000Z',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  data: { cause: 'needs-met' },
};

function pushed(payload: unknown): CloudEvent<unknown> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const data = { message: { data: Buffer.from(text).toString('base64'), messageId: '1' } };
  return { specversion: '1.0', id: '1', source: 'pubsub', type: 'message', data };
}

function host(handle: () => Promise<Outcome>) {
  const dead: DeadLetterInput[] = [];
  const retries: { eventId: string; at: string }[] = [];
  const lines: string[] = [];
  const run = pubsubFunction(
    'create-pixel',
    () => ({
      projectId: 'kobi-test',
      log: createLogger({
        level: 'info',
        functionName: 'test',
        destination: { write: (line) => void lines.push(line) },
      }),
      deadLetters: { record: async (input) => (dead.push(input), 'dead-1') },
      retryAt: async ({ eventId }, at) => void retries.push({ eventId, at: at.toISOString() }),
      now: () => new Date('2026-11-23T10:00:00.000Z'),
    }),
    handle,
  );
  return { run, dead, retries, lines };
}

describe('a Pub/Sub function', () => {
  it('takes one parameter only, or functions-framework would wait for a callback for ever', () => {
    expect(host(async () => ({ kind: 'done' })).run).toHaveLength(1);
  });

  it.each(['no json', '[]', '{}', { ...envelope, type: 'create-catalog' }, { ...envelope, data: {} }])(
    'acknowledges and records as a dead letter what is no valid message: %j',
    async (payload) => {
      let handled = false;
      const { run, dead } = host(async () => ((handled = true), { kind: 'done' }));
      await run(pushed(payload));
      expect(handled).toBe(false);
      expect(dead).toMatchObject([{ topic: 'create-pixel', reason: 'malformed-message', payload: null }]);
      expect(dead[0]?.problems.length).toBeGreaterThan(0);
    },
  );

  it('acknowledges and records a push that functions-framework handed over unconverted', async () => {
    const { run, dead } = host(async () => ({ kind: 'done' }));
    await run({ message: { data: 'e30=', messageId: '1' } } as unknown as CloudEvent<unknown>);
    await run({ subscription: 's', message: { attributes: {} } } as unknown as CloudEvent<unknown>);
    expect(dead.map(({ reason }) => reason)).toEqual(['malformed-message', 'malformed-message']);
  });

  it('brings a message back once the named time has passed, and acknowledges it now', async () => {
    const { run, retries } = host(() => Promise.reject(new RetryLater('throttled', { afterMs: 420_000 })));
    await run(pushed(envelope));
    expect(retries).toEqual([{ eventId: envelope.eventId, at: '2026-11-23T10:07:00.000Z' }]);
  });

  it('leaves a retry without a time to the back-off of the subscription', async () => {
    const { run, retries } = host(() => Promise.reject(new RetryLater('busy')));
    await expect(run(pushed(envelope))).rejects.toThrow('retry');
    expect(retries).toEqual([]);
  });

  it.each([
    new Waiting({ on: 'client', for: 'dns-record', what: 'Publish it.', pollEveryMs: 1000 }),
    new Failed('it cannot work'),
  ])('acknowledges what waits and what failed: %s', async (outcome) => {
    const { run, retries } = host(() => Promise.reject(outcome));
    await run(pushed(envelope));
    expect(retries).toEqual([]);
  });

  it('answers an unexpected error with nothing of its text, and logs it', async () => {
    const { run, lines } = host(() => Promise.reject(new Error('token EAABsbCS1iHgBAKZC leaked')));
    const failure = await run(pushed(envelope)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(String(failure)).toBe('Nack: unexpected error');
    expect(lines.join()).toContain('unexpected error');
    expect(lines.join()).not.toContain('EAABsb');
  });

  it('binds tenant, run, event and trace to every line', async () => {
    const lines: string[] = [];
    const run = pubsubFunction(
      'create-pixel',
      () => ({
        projectId: 'kobi-test',
        log: createLogger({
          level: 'info',
          functionName: 'f',
          destination: { write: (line) => void lines.push(line) },
        }),
        deadLetters: { record: async () => '' },
        now: () => new Date(),
      }),
      async (_envelope, log) => (log.info('hello'), { kind: 'done' }),
    );
    await run(pushed(envelope));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      severity: 'INFO',
      function: 'f',
      tenantId: 'acme',
      runId: 'run-1',
      eventId: envelope.eventId,
      'logging.googleapis.com/trace': `projects/kobi-test/traces/${'a'.repeat(32)}`,
    });
  });
});
