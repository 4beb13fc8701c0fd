import { problem, type Normalised, type Problem } from './finding.ts';
import { withAsciiDigits } from './letters.ts';

/** The order in which a tenant writes day, month and year. */
export type DateOrder = 'dmy' | 'mdy' | 'ymd';

const NOT_A_DATE = problem('not_a_date', 'expected YYYYMMDD, YYYY-MM-DD or a numeric date with a four-digit year');
const IMPOSSIBLE = problem('impossible_date', 'no such day in the calendar, or not a birth date');
const AMBIGUOUS = problem('ambiguous_date', 'day or month first? Send YYYY-MM-DD, or set the date order of the tenant');

/** Only year-first, or day and month and a four-digit year; a time of day after an ISO date is cut off. */
const YEAR_FIRST = /^(\d{4})([-/.\s]?)(\d{1,2})\2(\d{1,2})(?:[T\s]\d{2}:.*)?$/;
const EIGHT_DIGITS = /^\d{8}$/;
const YEAR_LAST = /^(\d{1,2})([-/.\s])(\d{1,2})\2(\d{4})$/;

const EARLIEST_YEAR = 1900;
const LATEST_YEAR = 2099;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Month first where a country writes so; Canada writes both, so there only dates that can be read one way are taken. */
export function dateOrderOf(country: string | undefined): DateOrder | undefined {
  if (country === undefined || country === 'ca') return undefined;
  return country === 'us' || country === 'ph' ? 'mdy' : 'dmy';
}

/**
 * `db`: YYYYMMDD. With the year last, the tenant's order decides which part is the day; without an order a date is taken
 * only when it can be read in one way. Two-digit years and days that do not exist are refused.
 */
export function normaliseBirthDate(text: string, order: DateOrder | undefined): Normalised {
  if (EIGHT_DIGITS.test(text)) {
    const number = Number(text);
    return isBirthDate(Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100) ? text : IMPOSSIBLE;
  }
  const date = withAsciiDigits(text);
  const yearFirst = YEAR_FIRST.exec(date);
  if (yearFirst) {
    const [, year = '', separator = '', month = '', day = ''] = yearFirst;
    if (separator === '' && (month.length < 2 || day.length < 2)) return NOT_A_DATE;
    return calendarDay(year, month, day);
  }
  const yearLast = YEAR_LAST.exec(date);
  if (!yearLast) return NOT_A_DATE;
  const [, first = '', , second = '', year = ''] = yearLast;
  if (order === 'dmy') return calendarDay(year, second, first);
  if (order === 'mdy') return calendarDay(year, first, second);
  if (first === second) return calendarDay(year, first, second);
  if (Number(first) > 12) return calendarDay(year, second, first);
  if (Number(second) > 12) return calendarDay(year, first, second);
  return AMBIGUOUS;
}

function calendarDay(year: string, month: string, day: string): string | Problem {
  if (!isBirthDate(Number(year), Number(month), Number(day))) return IMPOSSIBLE;
  return year + month.padStart(2, '0') + day.padStart(2, '0');
}

function isBirthDate(year: number, month: number, day: number): boolean {
  if (year < EARLIEST_YEAR || year > LATEST_YEAR) return false;
  const last = month === 2 && !isLeapYear(year) ? 28 : DAYS_IN_MONTH[month - 1];
  return last !== undefined && day >= 1 && day <= last;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
