import type { AlertKind } from '../../../shared/contracts/alert-documents.ts';
import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { MatchQuality } from '../../../shared/contracts/quality-documents.ts';
import { causesOf } from '../../../shared/domain/match-quality/causes.ts';
import type { CauseCandidate, ConfigurationChange } from '../../../shared/domain/match-quality/causes.ts';
import { qualityProblems } from '../../../shared/domain/match-quality/detect.ts';
import type { QualityFinding } from '../../../shared/domain/match-quality/detect.ts';
import type { MatchWeights } from '../../../shared/domain/match-quality/predict.ts';
import { dayMs, pollEveryMs } from '../../../shared/domain/match-quality/reading.ts';
import type { Reading } from '../../../shared/domain/match-quality/reading.ts';
import { shareWithoutConsent } from '../../../shared/domain/match-quality/traffic.ts';
import type { Totals } from '../../../shared/domain/match-quality/traffic.ts';
import type { AlertFacts, AlertStore } from '../../../shared/gcp/alert-store.ts';
import type { AuditedChange } from '../../../shared/gcp/match-quality-store.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';

/**
 * Brings a tenant's alerts in line with its picture. `readings` by event name, oldest first; undefined when the poll
 * brought nothing: then only its staleness is told, for nothing else has changed.
 */
export type TellAlerts = (
  picture: MatchQuality,
  readings: ReadonlyMap<string, readonly Reading[]> | undefined,
) => Promise<void>;

export interface AlertServices {
  readonly alerts: Pick<AlertStore, 'ofTenant' | 'raise' | 'resolve'>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  readonly changesSince: (tenantId: string, since: Date) => Promise<readonly AuditedChange[]>;
  readonly totals: (tenantId: string, from: Date, to: Date) => Promise<Totals>;
  readonly weights: () => Promise<MatchWeights>;
  readonly now: () => Date;
}

type Facts = Omit<AlertFacts, 'tenantId' | 'kind'>;

const staleAfterMs = 2.5 * pollEveryMs;
const consideredMs = 9 * dayMs;

/** One alert a kind and tenant, with every event name it is about and what may have caused it; resolved by itself. */
export function tellAlerts(services: AlertServices): TellAlerts {
  const { alerts, deliver, now } = services;

  return async (picture, readings) => {
    const { tenantId } = picture;
    const known = await alerts.ofTenant(tenantId);
    const open = new Set(known.flatMap(({ kind, resolvedAt }) => (resolvedAt === null ? [kind] : [])));
    const set = async (kind: AlertKind, facts: Facts | undefined): Promise<void> => {
      if (facts === undefined && !open.has(kind)) return;
      const traceparent = traceparentOf(undefined);
      const messages =
        facts === undefined
          ? await alerts.resolve(tenantId, kind, 'auto', traceparent)
          : await alerts.raise({ tenantId, kind, ...facts }, traceparent);
      await deliver(messages);
    };
    await set('match-quality-stale', staleness(picture, now()));
    if (readings === undefined) return;
    const findings = Object.entries(picture.events).flatMap(([eventName, { finding }]) =>
      finding === null ? [] : [{ eventName, finding }],
    );
    const changes = findings.length === 0 ? undefined : await knownChanges(tenantId, findings, services);
    for (const problem of qualityProblems) {
      const own = findings
        .filter(({ finding }) => finding.problem === problem)
        .map(({ eventName, finding }) => ({
          eventName,
          finding,
          causes: changes === undefined ? [] : causesOf(finding, readings.get(eventName) ?? [], changes),
        }));
      await set(problem, own.length === 0 ? undefined : factsOf(own));
    }
  };
}

function staleness(picture: MatchQuality, at: Date): Facts | undefined {
  const { lastReadingAt, trouble } = picture;
  if (lastReadingAt === null || at.getTime() - Date.parse(lastReadingAt) < staleAfterMs) return undefined;
  const because = trouble === null ? '' : ` ${trouble.what}`;
  return {
    severity: 'notice',
    summary: `Meta has said nothing about the match quality since ${lastReadingAt}.${because}`,
    detail: { lastReadingAt, ...(trouble !== null && { reason: trouble.reason, since: trouble.since }) },
  };
}

interface Told {
  readonly eventName: string;
  readonly finding: QualityFinding;
  readonly causes: readonly CauseCandidate[];
}

function factsOf(told: readonly Told[]): Facts {
  const sentences = told.map(({ eventName, finding: { problem, before, now, sinceMs }, causes }) => {
    const since = new Date(sinceMs).toISOString().slice(0, 16).replace('T', ' ');
    const what =
      problem === 'events-stopped'
        ? `${eventName}: about ${Math.round(before)} events a day, none since ${since}.`
        : `${eventName}: ${before.toFixed(1)} until ${since} UTC, now ${now.toFixed(1)}.`;
    const [likely] = causes;
    return likely === undefined ? what : `${what} ${likely.because}`;
  });
  return {
    severity: told.some(({ finding }) => finding.problem !== 'match-quality-decay') ? 'page' : 'notice',
    summary: sentences.join(' '),
    detail: {
      events: told.map(({ eventName, finding, causes }) => ({
        eventName,
        before: finding.before,
        now: finding.now,
        since: new Date(finding.sinceMs).toISOString(),
        causes: causes.slice(0, 5),
      })),
    },
  };
}

/** What else changed around the time the findings began. */
async function knownChanges(
  tenantId: string,
  findings: readonly { readonly finding: QualityFinding }[],
  { changesSince, totals, weights, now }: AlertServices,
): Promise<Parameters<typeof causesOf>[2]> {
  const at = now();
  const earliest = Math.min(...findings.map(({ finding }) => finding.sinceMs));
  const from = new Date(Math.max(earliest - consideredMs, at.getTime() - 60 * dayMs));
  const changes: ConfigurationChange[] = (await changesSince(tenantId, from)).map((change) => ({
    atMs: Date.parse(change.at),
    action: change.action,
    actor: change.actor,
  }));
  const before = await totals(tenantId, new Date(earliest - 2 * dayMs), new Date(earliest - dayMs));
  const today = await totals(tenantId, new Date(at.getTime() - dayMs), at);
  const consent = { before: shareWithoutConsent(before), now: shareWithoutConsent(today) };
  return { weights: await weights(), changes, consent };
}
