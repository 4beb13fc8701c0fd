/** What the soak sends: messages of many sizes with poison among them, copies of messages, and events that meet again in other messages. */
import { eventsMessage } from '../../functions/relay/events-message.ts';
import type { HashedEvent } from '../../functions/relay/events-message.ts';

export interface Traffic {
  readonly messages: readonly string[];
  /** `event_id`s of events Meta takes, each to arrive once. */
  readonly good: ReadonlySet<string>;
  readonly poison: ReadonlySet<string>;
}

export interface Sender {
  readonly tenantId: string;
  readonly datasetId: string;
}

/** What the dead letter of a poison event says. */
export const poisonReason = 'invalid-parameter';

const messageSizes = [1, 10, 50, 100, 500, 1_000, 1_000];
const copiedShare = 0.1;
const regroupedShare = 0.05;

export function makeTraffic(
  sender: Sender,
  options: {
    readonly events: number;
    readonly poisonEvery: number;
    readonly random: () => number;
    readonly nowMs: number;
  },
): Traffic {
  const { events: wanted, poisonEvery, random, nowMs } = options;
  const good = new Set<string>();
  const poison = new Set<string>();
  const all = Array.from({ length: wanted }, (_, index) => {
    const isPoison = index % poisonEvery === poisonEvery - 1;
    const event = makeEvent(`soak-${index}`, Math.floor(nowMs / 1_000) - 60, isPoison);
    (isPoison ? poison : good).add(String(event['event_id']));
    return event;
  });
  const messages: string[] = [];
  for (let from = 0; from < all.length;) {
    const size = messageSizes[Math.floor(random() * messageSizes.length)] ?? 1;
    const message = messageOf(sender, all.slice(from, from + size), nowMs);
    messages.push(message);
    // What a client sends again, or Pub/Sub delivers twice.
    if (random() < copiedShare) messages.push(message);
    // What a client sends again in another request than before.
    if (random() < regroupedShare && from > 0) {
      messages.push(messageOf(sender, all.slice(Math.max(0, from - 20), from + 20), nowMs));
    }
    from += size;
  }
  return { messages, good, poison };
}

/** One event as the relay hands it on. Poison is what Meta refuses and our own rules let through: a Purchase without currency. */
export function makeEvent(id: string, timeSeconds: number, isPoison: boolean): HashedEvent {
  return {
    event_name: 'Purchase',
    event_time: timeSeconds,
    event_id: id,
    action_source: 'website',
    event_source_url: 'https://shop.example/thanks',
    user_data: {
      em: ['973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b'],
      client_user_agent: 'Mozilla/5.0',
    },
    custom_data: isPoison ? { value: 10 } : { value: 10, currency: 'TRY' },
  };
}

export function messageOf(sender: Sender, events: readonly HashedEvent[], nowMs: number): string {
  const head = { ...sender, testEventCode: undefined, at: new Date(nowMs).toISOString(), traceparent };
  return eventsMessage(head, events).json;
}

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
