import type { WaitParty } from './provisioning-steps.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Days after the start of a wait on which somebody is reminded; after the last, once a week. */
const reminderDays = {
  client: [1, 3, 7, 14, 21, 28],
  kobi: [1, 2, 4, 7, 14, 21, 28],
  // Meta cannot be reminded: Kobi is, so that somebody asks there.
  meta: [2, 7, 14, 21, 28],
} as const satisfies Record<WaitParty, readonly number[]>;

/** Who is told that something still waits. */
export function remindedParty(on: WaitParty): 'client' | 'kobi' {
  return on === 'client' ? 'client' : 'kobi';
}

/**
 * When the next reminder of a wait is due after `after`; null when the wait ends before it. Reminders that were missed
 * (the system stood still, the clock jumped) are not made up for.
 */
export function nextReminderAt(
  wait: { readonly on: WaitParty; readonly since: string; readonly expiresAt: string | null },
  after: Date,
): string | null {
  const sinceMs = Date.parse(wait.since);
  const days = reminderDays[wait.on];
  const passed = (after.getTime() - sinceMs) / dayMs;
  const day = days.find((planned) => planned > passed) ?? Math.floor(passed / 7) * 7 + 7;
  const at = new Date(sinceMs + day * dayMs).toISOString();
  return wait.expiresAt !== null && at >= wait.expiresAt ? null : at;
}
