/** Days as an ad account counts them: calendar days of its own time zone, `YYYY-MM-DD`. */

const dayMs = 86_400_000;

/** Meta changes a day's numbers for this long (Marketing API, "Insights": stable after 28 days). */
const restatedDays = 28;
/** Meta answers error 3018 for reports that begin earlier. */
const keptMonths = 37;

const formats = new Map<string, Intl.DateTimeFormat>();

/** The day it is in a zone at an instant. */
export function dayIn(timeZone: string, instant: Date): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  return format.format(instant);
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}

/** Whole days from one day to another; negative when it lies before. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
}

export interface DayRange {
  readonly since: string;
  /** Inclusive, as Meta's `time_range` is. */
  readonly until: string;
}

/**
 * The first day that Meta surely still reports: today less 37 months. Where that month is too short for the day, the days
 * that are too many run over into the next: the later of two readings, which is never refused.
 */
export function earliestReportDay(today: string): string {
  const earliest = new Date(Date.parse(today));
  earliest.setUTCMonth(earliest.getUTCMonth() - keptMonths);
  return earliest.toISOString().slice(0, 10);
}

/** Today and the 28 days before it: every day Meta may still change, and none it no longer reports. */
export function restatedRange(timeZone: string, now: Date): DayRange {
  const until = dayIn(timeZone, now);
  const [since, earliest] = [addDays(until, -restatedDays), earliestReportDay(until)];
  return { since: since < earliest ? earliest : since, until };
}

/** Two ranges that together are this one; undefined for a single day. */
export function halves({ since, until }: DayRange): readonly [DayRange, DayRange] | undefined {
  const days = daysBetween(since, until);
  if (days < 1) return undefined;
  const middle = addDays(since, Math.floor(days / 2));
  return [
    { since, until: middle },
    { since: addDays(middle, 1), until },
  ];
}

/** ISO 8601 week of a day, `2026-W48`. */
export function isoWeekOf(day: string): string {
  const date = new Date(Date.parse(day));
  // The week belongs to the year of its Thursday.
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const first = Date.UTC(date.getUTCFullYear(), 0, 1);
  const week = Math.ceil(((date.getTime() - first) / dayMs + 1) / 7);
  return `${date.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

/** Monday to Sunday of an ISO week; undefined for what is none. */
export function daysOfIsoWeek(week: string): DayRange | undefined {
  const match = /^(\d{4})-W(\d{2})$/.exec(week);
  if (match === null) return undefined;
  const fourth = Date.UTC(Number(match[1]), 0, 4);
  const monday = fourth - ((new Date(fourth).getUTCDay() || 7) - 1) * dayMs + (Number(match[2]) - 1) * 7 * dayMs;
  const since = new Date(monday).toISOString().slice(0, 10);
  return isoWeekOf(since) === week ? { since, until: addDays(since, 6) } : undefined;
}
