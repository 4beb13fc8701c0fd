import { expect, it } from 'vitest';
import { parseEnvelope } from './topics.ts';

const valid = {
  eventId: 'acme:run-1:create-pixel:0',
  type: 'create-pixel',
  version: 1,
  tenantId: 'acme',
  runId: 'run-1',
  at: '2026-11-23T10:00:00.000Z',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  data: { cause: 'needs-met' },
};

it('a valid message comes out as it went in', () => {
  expect(parseEnvelope('create-pixel', valid)).toEqual({ ok: true, envelope: valid });
});

it('a message of another topic is not taken for this one', () => {
  expect(parseEnvelope('create-catalog', valid)).toMatchObject({ ok: false });
});

it('what is wrong is named by field and expectation, never by its value', () => {
  const parsed = parseEnvelope('create-pixel', {
    ...valid,
    at: 'jane@example.com',
    data: { cause: 'jane@example.com' },
  });
  expect(parsed).toMatchObject({ ok: false });
  const problems = parsed.ok ? [] : parsed.problems;
  expect(problems.map((problem) => problem.split(':')[0])).toEqual(['at', 'data.cause']);
  expect(problems.join()).not.toContain('jane');
});

it.each([undefined, null, 'text', 7, [], {}])('what is no message at all is refused: %s', (message) => {
  expect(parseEnvelope('create-pixel', message).ok).toBe(false);
});
