/**
 * Spans to Cloud Trace, over OTLP: Google's own Trace exporters for Node are archived since October 2026 and lead to the
 * Telemetry API (docs.cloud.google.com/trace/docs/migrate-to-otlp-endpoints). Imported only when a span is to be sent.
 */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { GoogleAuth } from 'google-auth-library';

/** A span that is over. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: 'server' | 'consumer' | 'client' | 'internal';
  /** Its own place, as W3C trace context. */
  readonly traceparent: string;
  /** That of its parent, which may lie in another process; undefined for the first span of a trace. */
  readonly parent: string | undefined;
  /** Other spans whose work it does too. */
  readonly links: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** Those that are undefined are left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly failed: boolean;
}

export interface SpanExport {
  /** Sends it with others of these seconds. */
  add(span: FinishedSpan): void;
  /** Sends what was added and is not sent yet. */
  flush(): Promise<void>;
}

export interface SpanExportOptions {
  readonly projectId: string;
  readonly serviceName: string;
  readonly emulatorHost?: string | undefined;
}

const telemetryApi = 'https://telemetry.googleapis.com';
/** What Google's page asks for; what an account may do is said by its role. */
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const timeoutMs = 4_000;

const kinds = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

/** What cannot be sent is lost after OpenTelemetry's own repeats; nothing waits for it. */
export function openSpanExport({ projectId, serviceName, emulatorHost }: SpanExportOptions): SpanExport {
  const auth = new GoogleAuth({ scopes: [scope] });
  const exporter = new OTLPTraceExporter({
    url: `${emulatorHost === undefined ? telemetryApi : `http://${emulatorHost}`}/v1/traces`,
    timeoutMillis: timeoutMs,
    ...(emulatorHost === undefined && {
      headers: async () => Object.fromEntries((await auth.getRequestHeaders(telemetryApi)).entries()),
    }),
  });
  const processor = new BatchSpanProcessor({ exporter, exportTimeoutMillis: timeoutMs });
  const resource = resourceFromAttributes({ 'gcp.project_id': projectId, 'service.name': serviceName });
  return {
    add: (span) =>
      processor.onEnd({
        name: span.name,
        kind: kinds[span.kind],
        spanContext: () => contextOf(span.traceparent),
        ...(span.parent !== undefined && {
          parentSpanContext: {
            ...contextOf(span.parent),
            isRemote: span.kind === 'server' || span.kind === 'consumer',
          },
        }),
        startTime: hrTime(span.startMs),
        endTime: hrTime(span.endMs),
        duration: hrTime(Math.max(0, span.endMs - span.startMs)),
        status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
        attributes: definedOf(span.attributes),
        links: span.links.map((link) => ({ context: contextOf(link) })),
        events: [],
        ended: true,
        resource,
        instrumentationScope: { name: 'kobi-meta-ads' },
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        droppedLinksCount: 0,
      }),
    flush: () => processor.forceFlush(),
  };
}

function contextOf(traceparent: string): SpanContext {
  const [, traceId = '', spanId = '', flags = '0'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1_000_000)];
}

function definedOf(attributes: FinishedSpan['attributes']): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
