import { setTimeout as sleep } from 'node:timers/promises';
import type { AcceptedEvent } from '../simulator/event-ledger.ts';
import { makeEvent, messageOf } from './traffic.ts';
import type { Sender } from './traffic.ts';

export interface Fairness {
  /** From published to accepted by Meta, the quiet tenant alone. */
  readonly aloneP99Ms: number;
  /** The same while another tenant sends a hundred times as much. */
  readonly besideP99Ms: number;
  readonly ratio: number;
}

export interface FairnessOptions {
  readonly publish: (json: string) => Promise<void>;
  readonly quiet: Sender;
  readonly loud: Sender;
  readonly accepted: () => readonly AcceptedEvent[];
}

const rounds = 40;
const roundMs = 100;
const loudFactor = 100;
const loudMessages = 10;

/** Sends one event a round for the quiet tenant, first alone, then beside a tenant that sends a hundred in the same round. */
export async function measureFairness(options: FairnessOptions): Promise<Fairness> {
  await sendRounds(options, 'warm-up', false, 30);
  const aloneP99Ms = p99(await sendRounds(options, 'alone', false, rounds));
  const besideP99Ms = p99(await sendRounds(options, 'beside', true, rounds));
  return { aloneP99Ms, besideP99Ms, ratio: Math.round((besideP99Ms / aloneP99Ms) * 100) / 100 };
}

async function sendRounds(
  { publish, quiet, loud, accepted }: FairnessOptions,
  name: string,
  isLoud: boolean,
  count: number,
): Promise<number[]> {
  const sentAtMs = new Map<string, number>();
  const sending: Promise<void>[] = [];
  for (let round = 0; round < count; round += 1) {
    const nowMs = Date.now();
    const events = (prefix: string, many: number) =>
      Array.from({ length: many }, (_, index) =>
        makeEvent(`${name}-${prefix}-${round}-${index}`, Math.floor(nowMs / 1_000), false),
      );
    for (let message = 0; message < (isLoud ? loudMessages : 0); message += 1) {
      sending.push(publish(messageOf(loud, events(`loud-${message}`, loudFactor / loudMessages), nowMs)));
    }
    sentAtMs.set(`${name}-quiet-${round}-0`, nowMs);
    sending.push(publish(messageOf(quiet, events('quiet', 1), nowMs)));
    await sleep(roundMs);
  }
  await Promise.all(sending);
  const deadlineMs = Date.now() + 10 * 60_000;
  for (;;) {
    const times = accepted().flatMap(({ event_id: id = '', receivedAtMs }) => {
      const sentMs = sentAtMs.get(id);
      return sentMs === undefined ? [] : [receivedAtMs - sentMs];
    });
    if (times.length >= sentAtMs.size) return times;
    if (Date.now() > deadlineMs) throw new Error(`${name}: ${times.length} of ${sentAtMs.size} events arrived in time`);
    await sleep(100);
  }
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? 0;
}
