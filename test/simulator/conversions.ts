import { endpoint } from './endpoint.ts';
import { checkEvent } from './event-rules.ts';
import { GraphError, invalidParameter } from './graph-error.ts';
import {
  fromJson,
  json,
  listOf,
  map,
  Mismatch,
  optional,
  type ParameterType,
  required,
  text,
  unsigned,
} from './parameters.ts';

const mostEvents = 1_000;

/** Described as `list<string>`: each entry is an event, as an object or as JSON text. */
const events: ParameterType<Record<string, unknown>[]> = {
  described: 'list<string>',
  read(raw) {
    const list = fromJson(raw);
    if (!Array.isArray(list)) throw new Mismatch('must be an array.');
    if (list.length === 0) throw new Mismatch('must be a non-empty array.');
    if (list.length > mostEvents) throw new Mismatch(`must hold at most ${String(mostEvents)} events.`);
    return list.map((entry) => {
      const event = fromJson(entry);
      if (typeof event !== 'object' || event === null || Array.isArray(event)) {
        throw new Mismatch('must be an array of events.');
      }
      return event as Record<string, unknown>;
    });
  },
};

/**
 * `POST /{dataset}/events` (Conversions API). One bad event refuses the whole call and nothing is kept: all events are
 * judged before any is accepted.
 */
const sendEvents = endpoint({
  operation: 'send_events',
  method: 'POST',
  on: 'pixel',
  edge: 'events',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  tasks: ['ADVERTISE', 'EDIT', 'UPLOAD'],
  parameters: {
    data: required(events),
    test_event_code: optional(text),
    partner_agent: optional(text),
    namespace_id: optional(text),
    upload_id: optional(text),
    upload_tag: optional(text),
    upload_source: optional(text),
    platforms: optional(listOf(map)),
    progress: optional(json),
    trace: optional(unsigned),
  },
  handle({ node: dataset, params, context, nowMs }) {
    for (const [index, event] of params.data.entries()) {
      const fault = checkEvent(event, nowMs, context.switches);
      if (fault === undefined) continue;
      context.events.reject(dataset.id);
      const userMessage = context.switches.event_error_names_index
        ? `data[${String(index)}]: ${fault.problem}`
        : fault.problem;
      throw new GraphError({
        code: 100,
        message: 'Invalid parameter',
        userTitle: fault.title,
        userMessage,
        reason: `event ${String(index)}: ${fault.problem}`,
        ...(fault.subcode === undefined ? {} : { subcode: fault.subcode }),
      });
    }
    if (params.partner_agent !== undefined && params.partner_agent.length > 100) {
      throw invalidParameter('partner_agent', 'is too long.');
    }
    context.events.accept(dataset.id, params.data, {
      nowMs,
      testEventCode: params.test_event_code,
      retainAtMost: context.switches.retained_events_per_dataset,
    });
    dataset.lastFiredMs = nowMs;
    return { events_received: params.data.length, messages: [] };
  },
});

export const conversionEndpoints = [sendEvents];
