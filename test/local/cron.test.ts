import { expect, test } from 'vitest';
import { parseCron } from './cron.ts';

const at = (iso: string): Date => new Date(`${iso}Z`);

test.each([
  ['* * * * *', '2026-08-01T00:00', true],
  ['*/5 * * * *', '2026-08-01T10:35', true],
  ['*/5 * * * *', '2026-08-01T10:36', false],
  ['0 3 * * *', '2026-08-01T03:00', true],
  ['0 3 * * *', '2026-08-01T04:00', false],
  ['0,30 2-4 * * *', '2026-08-01T04:30', true],
  ['0 0 1 * *', '2026-08-01T00:00', true],
  ['0 0 1 * *', '2026-08-02T00:00', false],
  // 2026-08-02 is a Sunday.
  ['0 0 * * 7', '2026-08-02T00:00', true],
  ['0 0 * * 0', '2026-08-02T00:00', true],
  ['0 0 * * 1', '2026-08-02T00:00', false],
  // Both day fields restricted: either is enough.
  ['0 0 15 * 0', '2026-08-02T00:00', true],
])('%s at %s is due: %s', (line, iso, due) => {
  expect(parseCron(line)(at(iso))).toBe(due);
});

test.each(['* * * *', '60 * * * *', '*/0 * * * *', '5-2 * * * *', 'MON * * * *'])(
  'the line %s is refused with its field',
  (line) => {
    expect(() => parseCron(line)).toThrow(line);
  },
);
