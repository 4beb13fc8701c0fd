/** A stand-in for Google's Telemetry API: takes spans over OTLP (HTTP with JSON bodies) and keeps them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';

const attribute = v.object({
  key: v.string(),
  value: v.object({
    stringValue: v.optional(v.string()),
    intValue: v.optional(v.union([v.number(), v.string()])),
    doubleValue: v.optional(v.number()),
    boolValue: v.optional(v.boolean()),
  }),
});

const request = v.object({
  resourceSpans: v.array(
    v.object({
      resource: v.object({ attributes: v.array(attribute) }),
      scopeSpans: v.array(
        v.object({
          spans: v.array(
            v.object({
              traceId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
              spanId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
              parentSpanId: v.optional(v.string()),
              name: v.string(),
              kind: v.number(),
              startTimeUnixNano: v.string(),
              endTimeUnixNano: v.string(),
              attributes: v.array(attribute),
              links: v.array(v.object({ traceId: v.string(), spanId: v.string() })),
              status: v.object({ code: v.optional(v.number()) }),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly failed: boolean;
  readonly links: readonly string[];
  readonly startNs: bigint;
  readonly endNs: bigint;
}

export interface SpanCollector {
  /** `host:port`, for `TRACE_EMULATOR_HOST`. */
  readonly host: string;
  readonly spans: readonly CollectedSpan[];
  /** Everything that was sent, as it came. */
  readonly bodies: readonly string[];
  close(): void;
}

const failedStatus = 2;

export async function startSpanCollector(): Promise<SpanCollector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const take = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(incoming);
    bodies.push(body);
    for (const { scopeSpans } of v.parse(request, JSON.parse(body)).resourceSpans)
      for (const each of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({
          traceId: each.traceId,
          spanId: each.spanId,
          parentSpanId: each.parentSpanId,
          name: each.name,
          attributes: Object.fromEntries(
            each.attributes.map(({ key, value }) => [
              key,
              value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
            ]),
          ),
          failed: each.status.code === failedStatus,
          links: each.links.map(({ spanId }) => spanId),
          startNs: BigInt(each.startTimeUnixNano),
          endNs: BigInt(each.endTimeUnixNano),
        });
    response.setHeader('content-type', 'application/json').end('{}');
  };
  const server = createServer((incoming, response) => void take(incoming, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { host: `127.0.0.1:${port}`, spans, bodies, close: () => void server.close() };
}
