/**
 * The gauges that `ops-metrics` writes every five minutes as one line, `message` being {@link gaugeMessage} and each name
 * a field with a number. `terraform/gauges.tf` makes a log-based metric of each, and alerts of some; a test holds them
 * to these names. What is counted as it happens stands in `terraform/logs.tf`, by the text of its line.
 */
export const gaugeMessage = 'gauges';

/** Name, unit at its end, to what it says. Zero is well. */
export const gauges = {
  oldestRunSeconds: 'age of the oldest onboarding that is still running',
  stepsWaitingOnClient: 'steps that wait for a client',
  stepsWaitingOnMeta: 'steps that wait for Meta',
  stepsWaitingOnKobi: 'steps that wait for Kobi',
  oldestOutboxSeconds: 'age of the oldest message that must leave and has not',
  deadLetters: 'dead letters kept',
  heldEvents: 'messages of events that wait for consent',
  openAlerts: 'troubles of tenants that are not over, match quality among them',
  deadTokens: 'tenants whose system token is dead',
  oldestTokenCheckSeconds: 'how long ago the token that waits longest was last checked at Meta',
} as const;

export type GaugeName = keyof typeof gauges;
export type Gauges = Readonly<Record<GaugeName, number>>;

/** What events are counted as over a whole process, in one line each time its counters are written. */
export const relayCountsMessage = 'events counted';

/** `refused:{reason}` counts as `refused`; times and identifiers are counted elsewhere. */
export const countedVerdicts = [
  'received',
  'refused',
  'dropped',
  'held',
  'delivered',
  'duplicate',
  'uncertain',
  'dead',
  'warned',
] as const;
export type CountedVerdict = (typeof countedVerdicts)[number];

/** The line about how near Meta's limits the calls of a process came (`shared/runtime/usage-log.ts`). */
export const usageMessage = 'usage at Meta';
/** The line about one tenant's match quality, once a poll. */
export const matchQualityMessage = 'match quality read';

/** A number in a line that is not written at fixed times: its metric is a distribution. */
interface Measure {
  /** The line's text and its field. */
  readonly message: string;
  readonly field: string;
  readonly unit: 'ms' | '%' | '1';
  /** Another field, by which it is told apart. */
  readonly label?: string;
}

/** Metric → where it comes from. `terraform/logs.tf` has the same table; a test holds one to the other. */
export const measures: Readonly<Record<string, Measure>> = {
  /** From queued to accepted by Meta, of each message that brought events there. */
  delivery_latency: { message: 'message settled', field: 'latencyMs', unit: 'ms' },
  accepted_events: { message: 'message settled', field: 'accepted', unit: '1' },
  /** Events in one call to Meta. */
  batch_events: { message: 'events sent', field: 'events', unit: '1' },
  usage_percent: { message: usageMessage, field: 'percent', unit: '%', label: 'useCase' },
  /** EMQ of a tenant, 0 to 10, its events weighted by how many there are. */
  match_quality: { message: matchQualityMessage, field: 'score', unit: '1' },
  ...Object.fromEntries(
    countedVerdicts.map((verdict): [string, Measure] => [
      `relay_${verdict}`,
      { message: relayCountsMessage, field: verdict, unit: '1' },
    ]),
  ),
};
