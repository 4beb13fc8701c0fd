/** The Conversions API: `POST /{dataset}/events` (Marketing API, "Conversions API: Using the API"). */
import * as v from 'valibot';
import type { CredentialFor } from './credentials.ts';
import { GraphError } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** Meta takes at most this many events in one call. */
export const maxEventsPerCall = 1_000;

/** Delivery is off the request path, so we wait longer than Meta's advised 1.5 s: fewer outcomes stay unknown. */
const timeoutMs = 10_000;

export interface EventBatch {
  readonly datasetId: string;
  /** Server events in Meta's wire form, hashed; 1 to {@link maxEventsPerCall}. */
  readonly events: readonly object[];
  /** Shows the events in Events Manager's test tab. They still count in production. */
  readonly testEventCode?: string;
  /** `[partner]_[major]_[minor]`, by which Dataset Quality tells senders apart. */
  readonly partnerAgent?: string;
}

export interface EventReceipt {
  readonly eventsReceived: number;
  /** Meta's warnings, as sent. */
  readonly messages: readonly unknown[];
  readonly fbtraceId?: string | undefined;
}

const receipt = v.object({
  events_received: v.number(),
  messages: v.optional(v.array(v.unknown()), []),
  fbtrace_id: v.optional(v.string()),
});

/**
 * Sends one batch. All or nothing: one event Meta refuses (`config-bug`) refuses the batch, so the caller bisects.
 * Meta does not promise to drop a second copy from a server, so after `unknown` the same `event_id`s must be sent.
 *
 * @throws GraphError `bad-request` without a call for an empty batch or one over the limit
 */
export async function sendEvents(
  graph: GraphAs<CredentialFor<'send-events'>>,
  batch: EventBatch,
): Promise<EventReceipt> {
  if (batch.events.length === 0 || batch.events.length > maxEventsPerCall) {
    throw new GraphError({
      class: 'config-bug',
      reason: 'bad-request',
      outcome: 'not-applied',
      call: 'POST /{id}/events',
      detail: `${batch.events.length} events; 1 to ${maxEventsPerCall} are allowed`,
    });
  }
  const answer = await graph.post(
    graphPath(batch.datasetId, 'events'),
    { data: batch.events, test_event_code: batch.testEventCode, partner_agent: batch.partnerAgent },
    receipt,
    { json: true, timeoutMs },
  );
  return { eventsReceived: answer.events_received, messages: answer.messages, fbtraceId: answer.fbtrace_id };
}
