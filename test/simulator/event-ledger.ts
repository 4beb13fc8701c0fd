/** One event as the dataset accepted it. */
export interface AcceptedEvent {
  readonly dataset: string;
  readonly event_name: string;
  readonly event_id: string | undefined;
  readonly receivedAtMs: number;
  readonly test_event_code: string | undefined;
  /** True when the same event_name and event_id were accepted on this dataset before. */
  readonly isDuplicate: boolean;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface DatasetEvents {
  accepted: number;
  duplicates: number;
  calls: number;
  rejectedCalls: number;
  seen: Set<string>;
  byName: Map<string, number>;
  retained: AcceptedEvent[];
}

export interface DatasetSummary {
  accepted: number;
  unique: number;
  duplicates: number;
  calls: number;
  rejectedCalls: number;
  byName: Record<string, number>;
  retained: number;
}

/**
 * What every dataset accepted. Counts are complete; payloads are kept up to a bound. Copies of an event are counted and
 * kept, not dropped: Meta does not promise to discard the second of two server events.
 */
export class EventLedger {
  readonly #datasets = new Map<string, DatasetEvents>();

  accept(
    dataset: string,
    events: readonly Readonly<Record<string, unknown>>[],
    at: { nowMs: number; testEventCode: string | undefined; retainAtMost: number },
  ): void {
    const ledger = this.#of(dataset);
    ledger.calls += 1;
    for (const payload of events) {
      const name = String(payload['event_name']);
      const eventId = payload['event_id'] as string | undefined;
      const identity = eventId === undefined ? undefined : `${name}\n${eventId}`;
      const isDuplicate = identity !== undefined && ledger.seen.has(identity);
      ledger.accepted += 1;
      if (isDuplicate) ledger.duplicates += 1;
      if (identity !== undefined) ledger.seen.add(identity);
      ledger.byName.set(name, (ledger.byName.get(name) ?? 0) + 1);
      if (ledger.retained.length < at.retainAtMost) {
        ledger.retained.push({
          dataset,
          event_name: name,
          event_id: eventId,
          receivedAtMs: at.nowMs,
          test_event_code: at.testEventCode,
          isDuplicate,
          payload,
        });
      }
    }
  }

  reject(dataset: string): void {
    this.#of(dataset).rejectedCalls += 1;
  }

  retained(dataset: string): readonly AcceptedEvent[] {
    return this.#datasets.get(dataset)?.retained ?? [];
  }

  summary(dataset: string): DatasetSummary {
    const { accepted, duplicates, calls, rejectedCalls, byName, retained } = this.#of(dataset);
    return {
      accepted,
      unique: accepted - duplicates,
      duplicates,
      calls,
      rejectedCalls,
      byName: Object.fromEntries(byName),
      retained: retained.length,
    };
  }

  datasets(): Iterable<string> {
    return this.#datasets.keys();
  }

  #of(dataset: string): DatasetEvents {
    let ledger = this.#datasets.get(dataset);
    if (ledger === undefined) {
      ledger = {
        accepted: 0,
        duplicates: 0,
        calls: 0,
        rejectedCalls: 0,
        seen: new Set(),
        byName: new Map(),
        retained: [],
      };
      this.#datasets.set(dataset, ledger);
    }
    return ledger;
  }
}
