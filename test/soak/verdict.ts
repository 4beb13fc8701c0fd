/** Holds what Meta got, what the dead letters hold and what the ledger admits against what was sent. */
import { eventKey } from '../../shared/gcp/delivery-ledger.ts';
import type { AcceptedEvent } from '../simulator/event-ledger.ts';
import type { Traffic } from './traffic.ts';

type Documents = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Verdict {
  readonly good: number;
  readonly deliveredOnce: number;
  /** Copies beyond the first, all of events the ledger calls uncertain. */
  readonly repeats: number;
  /** Events the ledger calls uncertain at some call, repeated or not. */
  readonly uncertain: number;
  readonly poison: number;
  readonly deadLetters: number;
  readonly ledgerDocuments: number;
  /** Empty when every guarantee held. */
  readonly violations: readonly string[];
}

export function judge(
  datasetId: string,
  traffic: Traffic,
  accepted: readonly AcceptedEvent[],
  documents: Documents,
  poisonReason: string,
): Verdict {
  const copies = new Map<string, number>();
  for (const { event_id: id = '' } of accepted) copies.set(id, (copies.get(id) ?? 0) + 1);
  const admitted = admittedRepeats(documents);
  const violations: string[] = [];
  let [deliveredOnce, repeats] = [0, 0];
  for (const id of traffic.good) {
    const count = copies.get(id) ?? 0;
    if (count === 0) violations.push(`${id} never reached Meta`);
    if (count === 1) deliveredOnce += 1;
    if (count <= 1) continue;
    repeats += count - 1;
    const allowed = admitted.get(eventKey(datasetId, { event_name: 'Purchase', event_id: id })) ?? 0;
    if (count - 1 > allowed) violations.push(`${id} reached Meta ${count} times, the ledger admits ${allowed + 1}`);
  }
  const dead = new Map<string, string>();
  for (const [path, document] of Object.entries(documents)) {
    if (!path.startsWith('deadLetters/')) continue;
    for (const id of idsIn(document['payload'])) dead.set(id, String(document['reason']));
  }
  for (const id of traffic.poison) {
    if (copies.has(id)) violations.push(`${id} is poison, and Meta has it`);
    const reason = dead.get(id);
    if (reason !== poisonReason) violations.push(`${id} is poison, and its dead letter says ${reason ?? 'nothing'}`);
  }
  for (const [id, reason] of dead) {
    if (!traffic.poison.has(id)) violations.push(`${id} is good, and lies in the dead letters as ${reason}`);
  }
  return {
    good: traffic.good.size,
    deliveredOnce,
    repeats,
    uncertain: admitted.size,
    poison: traffic.poison.size,
    deadLetters: dead.size,
    ledgerDocuments: Object.keys(documents).filter((path) => path.startsWith('deliveryLedger/')).length,
    violations,
  };
}

/** How often each key may have reached Meta without the ledger knowing: once per claim that never got its answer. */
function admittedRepeats(documents: Documents): Map<string, number> {
  const admitted = new Map<string, number>();
  for (const [path, document] of Object.entries(documents)) {
    if (!path.startsWith('deliveryLedger/')) continue;
    const keys = (document['unconfirmed'] ?? document['keys']) as string[];
    for (const key of keys) admitted.set(key, (admitted.get(key) ?? 0) + 1);
  }
  return admitted;
}

function idsIn(payload: unknown): string[] {
  if (typeof payload !== 'string') return [];
  const { data } = JSON.parse(payload) as { data: { events: { event_id: string }[] } };
  return data.events.map(({ event_id: id }) => id);
}
