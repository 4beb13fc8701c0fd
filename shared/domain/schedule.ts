/**
 * Slots: the instants at which a schedule says that a job is due. A slot is known by its wall-clock time and offset in the
 * schedule's zone, so a run can be named after it. An hour that a change of the clocks skips or repeats gives one slot of
 * a daily schedule, never none and never two.
 */
import { Cron } from 'croner';

/** A unix-cron line of five fields and the IANA zone it is read in, as Cloud Scheduler takes them. */
export interface Schedule {
  readonly schedule: string;
  readonly timeZone: string;
}

const known = new Map<string, Cron>();

/** @throws Error naming the line, when it or its zone is not understood */
function cronOf({ schedule, timeZone }: Schedule): Cron {
  const key = `${schedule} ${timeZone}`;
  let cron = known.get(key);
  if (cron === undefined) {
    try {
      cron = new Cron(schedule, { timezone: timeZone, mode: '5-part' });
      cron.nextRun();
    } catch (error) {
      throw new Error(`"${schedule}" in ${timeZone}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    known.set(key, cron);
  }
  return cron;
}

/** The newest slot that is not after `at`; undefined when the schedule never was due. @throws Error as above */
export function slotAtOrBefore(schedule: Schedule, at: Date): Date | undefined {
  // The library looks strictly before its reference.
  return cronOf(schedule).previousRuns(1, new Date(at.getTime() + 1))[0];
}

/** The first slot after `at`; undefined when the schedule is never due again. @throws Error as above */
export function slotAfter(schedule: Schedule, at: Date): Date | undefined {
  return cronOf(schedule).nextRuns(1, at)[0];
}

/** `insights-report:2026-11-25T05:15+03:00`: the same for every attempt at one slot, another for every other. */
export function runIdOf(job: string, slot: Date, timeZone: string): string {
  const parts = new Map<string, string>(
    new Intl.DateTimeFormat('en-CA', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    })
      .formatToParts(slot)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: string): string => parts.get(type) ?? '';
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  return `${job}:${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}${offset}`;
}
