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
