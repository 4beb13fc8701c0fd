/** What Meta sends of itself: webhooks of ad accounts (Graph API, "Webhooks"; Marketing API, "Ads Webhooks"). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';

/**
 * Whether `X-Hub-Signature-256` signs these very bytes with the app secret. Compared in constant time; over the bytes as
 * they came, because Meta escapes what a JSON library would write otherwise.
 */
export function isSignedByMeta(appSecret: string, rawBody: Uint8Array, signature: string | undefined): boolean {
  const given = /^sha256=([0-9a-f]{64})$/i.exec(signature ?? '')?.[1];
  if (given === undefined) return false;
  const expected = createHmac('sha256', appSecret).update(rawBody).digest();
  return timingSafeEqual(expected, Buffer.from(given, 'hex'));
}

/** One change of one ad account, as Meta tells it. */
export interface AdAccountChange {
  /** `act_…`. */
  readonly adAccountId: string;
  readonly field: string;
  /** When it happened, as Meta says. */
  readonly at: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** `ignored` counts what was of no ad account, or had no form we know. */
export interface Notification {
  readonly changes: readonly AdAccountChange[];
  readonly ignored: number;
}

const change = v.object({ field: v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,60}$/)), value: v.unknown() });
const entry = v.object({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.regex(/^(act_)?\d{1,20}$/)),
  time: v.pipe(v.number(), v.minValue(0), v.maxValue(9_999_999_999)),
  changes: v.array(v.unknown()),
});
const envelope = v.object({ object: v.string(), entry: v.array(v.unknown()) });

/**
 * Reads a notification: an envelope, or several in an array as one of Meta's samples has it, with up to 1,000 changes.
 * What has another form is counted, never an error: Meta adds fields and objects when it likes. Undefined: no JSON.
 */
export function readNotification(text: string): Notification | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  const changes: AdAccountChange[] = [];
  let ignored = 0;
  for (const sent of Array.isArray(body) ? body : [body]) {
    const known = v.safeParse(envelope, sent);
    if (!known.success || known.output.object !== 'ad_account') {
      ignored += 1;
      continue;
    }
    for (const row of known.output.entry) {
      const account = v.safeParse(entry, row);
      if (!account.success) {
        ignored += 1;
        continue;
      }
      const { changes: told, id, time } = account.output;
      for (const one of told) {
        const read = v.safeParse(change, one);
        if (!read.success) {
          ignored += 1;
          continue;
        }
        const { field, value } = read.output;
        changes.push({
          adAccountId: id.startsWith('act_') ? id : `act_${id}`,
          field,
          at: new Date(time * 1_000).toISOString(),
          value: isRecord(value) ? value : { value },
        });
      }
    }
  }
  return { changes, ignored };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
