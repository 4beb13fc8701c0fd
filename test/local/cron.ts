/** The five cron fields Cloud Scheduler knows, as far as manifests use them: lists, ranges, steps; no names, no `L` or `#`. */

const ranges = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12 },
  { name: 'day of week', min: 0, max: 7 },
] as const;

/** Whether a schedule is due in a minute, in UTC. */
export type CronMatcher = (at: Date) => boolean;

/**
 * Reads a cron line such as `0,30 2-4 * * 1`. As in cron, a day matches when either day field does and both are restricted.
 *
 * @throws Error naming the field that is not understood
 */
export function parseCron(line: string): CronMatcher {
  const fields = line.trim().split(/\s+/);
  if (fields.length !== ranges.length) throw new Error(`"${line}": expected five cron fields`);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields.map((field, index) => valuesOf(field, index, line));
  const [isAnyDayOfMonth, isAnyDayOfWeek] = [fields[2] === '*', fields[4] === '*'];
  return (at) => {
    const isDayOfMonth = dayOfMonth?.has(at.getUTCDate()) ?? false;
    // 7 is Sunday too.
    const weekday = at.getUTCDay();
    const isDayOfWeek = (dayOfWeek?.has(weekday) || (weekday === 0 && dayOfWeek?.has(7))) ?? false;
    const isDay = isAnyDayOfMonth || isAnyDayOfWeek ? isDayOfMonth && isDayOfWeek : isDayOfMonth || isDayOfWeek;
    return (
      isDay &&
      (minute?.has(at.getUTCMinutes()) ?? false) &&
      (hour?.has(at.getUTCHours()) ?? false) &&
      (month?.has(at.getUTCMonth() + 1) ?? false)
    );
  };
}

function valuesOf(field: string, index: number, line: string): Set<number> {
  const range = ranges[index];
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null || range === undefined) throw new Error(`"${line}": ${range?.name ?? 'field'} "${part}"`);
    const [, from, to, step] = match;
    const first = from === undefined ? range.min : Number(from);
    const last = to !== undefined ? Number(to) : from === undefined || step !== undefined ? range.max : first;
    const stride = step === undefined ? 1 : Number(step);
    if (first < range.min || last > range.max || first > last || stride < 1) {
      throw new Error(`"${line}": ${range.name} "${part}" is outside ${range.min}-${range.max}`);
    }
    for (let value = first; value <= last; value += stride) values.add(value);
  }
  return values;
}
