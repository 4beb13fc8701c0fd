/** Turns an HTTP answer of Graph into what was asked for, or into the {@link GraphError} it stands for. */
import * as v from 'valibot';
import { GraphError, errorFromEnvelope, traceId } from './errors.ts';
import type { FailedCall } from './errors.ts';
import { parseGraphJson } from './graph-body.ts';
import type { HttpAnswer } from './transport.ts';

/**
 * @returns the body as `schema` describes it
 * @throws GraphError for an error envelope, a body that is not Graph's, and a body that lacks what we need; for a write
 *   the last two leave the outcome `unknown`
 */
export function readAnswer<T>(received: HttpAnswer, schema: v.GenericSchema<unknown, T>, asked: FailedCall): T {
  const body = parseGraphJson(received.text);
  const retryAfterSeconds = retryAfter(received.headers['retry-after']);
  const failure = errorFromEnvelope(body, received.status, { ...asked, retryAfterSeconds });
  if (failure) throw failure;
  if (body === undefined || received.status < 200 || received.status > 299) {
    throw notGraph(received, { ...asked, retryAfterSeconds });
  }
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return parsed.output;
  throw new GraphError({
    class: 'config-bug',
    reason: 'unexpected-answer',
    outcome: asked.isWrite ? 'unknown' : 'not-applied',
    call: asked.call,
    httpStatus: received.status,
    fbtraceId: traceId(received.headers['x-fb-trace-id']),
    // Paths and expected types only: the values received could be tokens or personal data.
    detail: `the answer lacks ${parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'body'} (${issue.expected ?? issue.type})`).join(', ')}`,
    advice: 'Meta answered in a form this version does not know.',
  });
}

/** An answer without Graph's envelope: a proxy or load balancer on the way, an HTML page, a body cut short. */
function notGraph(received: HttpAnswer, asked: FailedCall): GraphError {
  const { status } = received;
  const facts = {
    reason: 'not-graph',
    call: asked.call,
    httpStatus: status,
    fbtraceId: traceId(received.headers['x-fb-trace-id']),
    advice: 'The answer did not come from Graph.',
  } as const;
  if (status === 429) {
    const retryAtMs = asked.regainAtMs ?? asked.nowMs + (asked.retryAfterSeconds ?? 60) * 1_000;
    return new GraphError({ ...facts, class: 'throttled', outcome: 'not-applied', retryAtMs });
  }
  if (asked.isWrite) return new GraphError({ ...facts, class: 'unknown-outcome', outcome: 'unknown' });
  const passes = status >= 500 || status < 400;
  return new GraphError({ ...facts, class: passes ? 'transient' : 'config-bug', outcome: 'not-applied' });
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
