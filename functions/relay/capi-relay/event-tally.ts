import type { Verdict } from '../../../shared/domain/server-event/server-event.ts';
import type { RelayCounters, RelayVerdict } from '../../../shared/gcp/relay-counters.ts';

/** The name a refused event is counted under: what it called itself may be anything, personal data too. */
const unnamed = 'other';

export function countedName(verdict: Verdict): string {
  return verdict.verdict === 'accepted' ? verdict.event.event_name : unnamed;
}

/** What became of the events of one request, by event name; counted once the request has succeeded. */
export class EventTally {
  readonly #counts = new Map<string, Map<RelayVerdict, number>>();

  add(eventName: string, verdict: RelayVerdict): void {
    let verdicts = this.#counts.get(eventName);
    if (verdicts === undefined) this.#counts.set(eventName, (verdicts = new Map()));
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }

  countInto(counters: Pick<RelayCounters, 'count'>, tenantId: string): void {
    for (const [eventName, verdicts] of this.#counts)
      for (const [verdict, n] of verdicts) counters.count(tenantId, eventName, verdict, n);
  }
}
