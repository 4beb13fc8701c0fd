import { describe, expect, it, test } from 'vitest';
import { runIdOf, slotAfter, slotAtOrBefore } from './schedule.ts';

const utc = 'Etc/UTC';
const at = (iso: string): Date => new Date(iso);

test.each([
  ['* * * * *', utc, '2026-08-01T00:00:00Z', '2026-08-01T00:00:00.000Z'],
  ['*/5 * * * *', utc, '2026-08-01T10:36:12Z', '2026-08-01T10:35:00.000Z'],
  ['17 * * * *', utc, '2026-08-01T10:16:59.999Z', '2026-08-01T09:17:00.000Z'],
  ['0,30 2-4 * * *', utc, '2026-08-01T23:00:00Z', '2026-08-01T04:30:00.000Z'],
  ['0 0 1 * *', utc, '2026-08-31T12:00:00Z', '2026-08-01T00:00:00.000Z'],
  ['0 6 * * 1', 'Europe/Istanbul', '2026-11-25T12:00:00Z', '2026-11-23T03:00:00.000Z'],
  // Both day fields restricted: either is enough, as in cron. 2026-08-02 is a Sunday.
  ['0 0 15 * 0', utc, '2026-08-02T01:00:00Z', '2026-08-02T00:00:00.000Z'],
])('the slot of "%s" in %s at %s is %s', (schedule, timeZone, instant, slot) => {
  expect(slotAtOrBefore({ schedule, timeZone }, at(instant))?.toISOString()).toBe(slot);
});

describe('a change of the clocks', () => {
  const daily = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };
  const slotsFrom = (schedule: { schedule: string; timeZone: string }, from: string, count: number): string[] => {
    const slots: Date[] = [];
    for (let last = at(from); slots.length < count; slots.push(last)) last = slotAfter(schedule, last) ?? at('invalid');
    return slots.map((slot) => runIdOf('job', slot, schedule.timeZone));
  };

  it('gives a daily job one slot on the day an hour repeats, and one on the day an hour is missing', () => {
    expect(slotsFrom(daily, '2026-10-24T12:00:00Z', 2)).toEqual([
      'job:2026-10-25T02:30+02:00',
      'job:2026-10-26T02:30+01:00',
    ]);
    expect(slotsFrom(daily, '2026-03-28T12:00:00Z', 2)).toEqual([
      'job:2026-03-29T03:00+02:00',
      'job:2026-03-30T02:30+02:00',
    ]);
  });

  it('gives an hourly job a slot in each of the 25 hours, each with a name of its own', () => {
    const slots = slotsFrom({ schedule: '17 * * * *', timeZone: 'Europe/Berlin' }, '2026-10-24T22:00:00Z', 25);
    expect(new Set(slots).size).toBe(25);
    expect(slots.at(-1)).toBe('job:2026-10-25T23:17+01:00');
  });
});

test.each(['* * * *', '60 * * * *', '*/0 * * * *', '5-2 * * * *', '0 0 * * 1 2026'])(
  'the line "%s" is refused by name',
  (schedule) => {
    expect(() => slotAfter({ schedule, timeZone: utc }, at('2026-01-01T00:00:00Z'))).toThrow(schedule);
  },
);

test('a zone that does not exist is refused by name', () => {
  expect(() => slotAfter({ schedule: '* * * * *', timeZone: 'Europe/Atlantis' }, new Date(0))).toThrow('Atlantis');
});
