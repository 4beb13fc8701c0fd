import { expect, it } from 'vitest';
import { parseEnvelope } from '../contracts/topics.ts';
import type { Envelope } from '../contracts/topics.ts';
import { delayedRetry } from './delayed-retry.ts';

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

/** A queue that takes each key once and for ever, as Cloud Tasks does for an hour after the task ran. */
function queue() {
  const taken = new Map<string, unknown>();
  const bringBack = delayedRetry({
    tasks: {
      schedule: async ({ key, body }) => void (taken.has(key) || taken.set(key, body)),
      close: async () => undefined,
    },
    projectId: 'kobi-test',
    functionBaseUrl: 'https://functions.example',
    functionName: 'create-pixel',
  });
  const delivered = (): Envelope[] =>
    [...taken.values()].map((body) => {
      const { data } = (body as { message: { data: string } }).message;
      const parsed = parseEnvelope('create-pixel', JSON.parse(Buffer.from(data, 'base64').toString()));
      if (!parsed.ok) throw new Error(parsed.problems.join());
      return parsed.envelope;
    });
  return { bringBack, delivered };
}

const at = new Date('2026-11-23T10:07:00.000Z');

it('copies of a message asked back for the same time come once', async () => {
  const { bringBack, delivered } = queue();
  await bringBack(envelope, at);
  await bringBack(envelope, at);
  expect(delivered()).toHaveLength(1);
});

it('a message that comes back a moment early and asks for the same time again is not lost', async () => {
  const { bringBack, delivered } = queue();
  await bringBack(envelope, at);
  const [early] = delivered();
  if (early === undefined) throw new Error('nothing came');
  await bringBack(early, at);
  expect(delivered().map(({ eventId, hop }) => [eventId, hop])).toEqual([
    [envelope.eventId, 1],
    [envelope.eventId, 2],
  ]);
});
