import { expect, it } from 'vitest';
import { nextReminderAt } from './wait-reminders.ts';

const since = '2026-11-01T10:00:00.000Z';
const day = (number: number): Date => new Date(Date.parse(since) + number * 86_400_000);
const onClient = { on: 'client', since, expiresAt: null } as const;

it('a client is reminded on days 1, 3, 7, 14, 21 and 28, then weekly, however long the wait', () => {
  const days: number[] = [];
  for (let at = day(0); days.length < 9;) {
    at = new Date(nextReminderAt(onClient, at) ?? '');
    days.push((at.getTime() - day(0).getTime()) / 86_400_000);
  }
  expect(days).toEqual([1, 3, 7, 14, 21, 28, 35, 42, 49]);
});

it('reminders missed while the clock jumped are not made up for', () => {
  expect(nextReminderAt(onClient, day(9))).toBe(day(14).toISOString());
});

it('nobody is reminded of a wait that has ended by then', () => {
  const expiresAt = day(14).toISOString();
  expect(nextReminderAt({ ...onClient, expiresAt }, day(3))).toBe(day(7).toISOString());
  expect(nextReminderAt({ ...onClient, expiresAt }, day(7))).toBeNull();
});
