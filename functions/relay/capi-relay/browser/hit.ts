import * as v from 'valibot';
import { maxEvents } from '../take-events.ts';

/**
 * One `POST /collect`, as `kobi.js` sends it. What the events say is judged later, event by event; here only what the
 * request as a whole needs.
 */
export const hitSchema = v.object({
  /** A relay key of purpose `browser`. */
  key: v.string(),
  dataset: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  /** What the visitor said; absent when the page does not ask. */
  consent: v.optional(v.nullable(v.picklist(['granted', 'denied']))),
  test_event_code: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/)))),
  load: v.fallback(
    v.optional(
      v.object({
        at: v.pipe(v.number(), v.safeInteger(), v.minValue(1_000_000_000_000), v.maxValue(9_999_999_999_999)),
        draw: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2_147_483_647)),
      }),
    ),
    undefined,
  ),
  fbclid: v.fallback(v.optional(v.string()), undefined),
  fbp: v.fallback(v.optional(v.string()), undefined),
  fbc: v.fallback(v.optional(v.string()), undefined),
  user_data: v.fallback(v.record(v.string(), v.unknown()), {}),
  data: v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(maxEvents)),
});
export type Hit = v.InferOutput<typeof hitSchema>;

/** What a page may say of one event. Source, address and user agent are not its to say. */
const hitEventSchema = v.object({
  event_name: v.unknown(),
  event_id: v.optional(v.unknown()),
  event_source_url: v.optional(v.unknown()),
  referrer_url: v.optional(v.unknown()),
  custom_data: v.optional(v.unknown()),
  /** How long ago it happened. Not a time: clocks of browsers are wrong, and Meta refuses a future. */
  age_ms: v.fallback(v.pipe(v.number(), v.minValue(0)), 0),
});

/** The hit's events in Meta's wire format, with the visitor's ids; what is no event stays for the judge to refuse. */
export function wireEvents(
  { consent, data, user_data: given }: Hit,
  ids: { readonly fbp: string | undefined; readonly fbc: string | undefined },
  receivedAt: Date,
): unknown[] {
  const { client_ip_address: _address, client_user_agent: _agent, ...identifiers } = given;
  const user_data = { ...identifiers, ...ids };
  return data.map((event) => {
    const read = v.safeParse(hitEventSchema, event);
    if (!read.success) return event;
    const { age_ms: ageMs, ...said } = read.output;
    const event_time = Math.floor((receivedAt.getTime() - ageMs) / 1_000);
    return { ...said, event_time, action_source: 'website', user_data, ...(consent && { consent }) };
  });
}
