/**
 * What one poll of Dataset Quality said about one event name, next to what we know ourselves. A poll that failed is no
 * reading at all: nothing here stands for "missing" but absence.
 */
export interface Reading {
  /** Unix milliseconds. */
  readonly atMs: number;
  /** Meta's composite score, 0 to 10; null where Meta has seen too few events to give one. */
  readonly score: number | null;
  /** Identifier (Meta's name) → percentage of events that carry it, 0 to 100. */
  readonly coverage: Readonly<Record<string, number>>;
  /** Events of this name that we delivered in the 24 hours before; null when our own numbers could not be read. */
  readonly eventsPerDay: number | null;
}

/** Dataset Quality's identifiers and the `user_data` keys they stand for. */
export const identifierKeys = {
  email: 'em',
  phone: 'ph',
  external_id: 'external_id',
  fbc: 'fbc',
  fbp: 'fbp',
  ip_address: 'client_ip_address',
  user_agent: 'client_user_agent',
} as const;

export const dayMs = 24 * 60 * 60_000;

/** A poll every six hours: Meta recomputes over one to two days, so polling more often shows only noise. */
export const pollEveryMs = 6 * 60 * 60_000;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** The usual distance from the median, on the scale of a standard deviation; an outlier hardly moves it. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)));
}
