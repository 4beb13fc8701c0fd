/**
 * Spans of recorded traces: HTTP request → message → task → call to Meta, each under the one that caused it. The trace
 * context travels in the messages (`traceparent`), so nothing has to be patched into any library.
 *
 * Recording is off unless `TRACE_SAMPLE_RATIO` says otherwise; then the exporter is loaded by the first span that ends, and
 * no module of OpenTelemetry before it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FinishedSpan, SpanExport } from '../gcp/span-export.ts';
import type { GraphCall } from '../meta/observer.ts';
import { beforeTermination } from './before-termination.ts';
import { readConfig } from './config.ts';
import {
  childOf,
  currentTraceparent,
  isContinued,
  isRecorded,
  sampleRatio,
  traceparentOfRequest,
  within,
} from './trace.ts';

/**
 * What a span says: names and templates of ours, ids of tenants and runs, numbers, reasons. Never a URL, a parameter, a
 * header, the text of an error or anything of a person; traces are read by more people than the database.
 */
export type SpanAttributes = FinishedSpan['attributes'];

/** Work under way. */
export interface Span {
  /** The trace context of what the work causes: the span's own, or its parent's where nothing is recorded. */
  readonly traceparent: string;
  /** Runs the work, so that calls to Meta and new traces in it come under this span. */
  run<T>(work: () => T): T;
  end(facts: { readonly name: string; readonly attributes?: SpanAttributes; readonly failed?: boolean }): void;
}

/** Begins a span under `parent`, the trace context that came in. One object and nothing else when it is not recorded. */
export function startSpan(kind: FinishedSpan['kind'], parent: string): Span {
  return isRecorded(parent) ? recordedSpan(kind, childOf(parent), parent, []) : unrecordedSpan(parent);
}

/** The same for a request: where it continues no trace, its span is the first of a new one. */
export function startRequestSpan(headers: IncomingHttpHeaders): Span {
  const traceparent = traceparentOfRequest(headers);
  if (!isRecorded(traceparent)) return unrecordedSpan(traceparent);
  return isContinued(headers)
    ? recordedSpan('server', childOf(traceparent), traceparent, [])
    : recordedSpan('server', traceparent, undefined, []);
}

/**
 * Runs what is done for several pieces of work at once, under a span of the first that links the others. `pieces` are the
 * trace contexts of the recorded ones ({@link currentTraceparent}).
 */
export async function inBatchSpan<T>(name: string, pieces: readonly string[], work: () => Promise<T>): Promise<T> {
  if (sampleRatio() === 0) return work();
  const [parent, ...links] = new Set(pieces);
  // Whose turn it was that led here may be another batch: its span is not ours.
  if (parent === undefined) return within(undefined, work);
  const span = recordedSpan('internal', childOf(parent), parent, links);
  let failed = true;
  try {
    const result = await span.run(work);
    failed = false;
    return result;
  } finally {
    span.end({ name, failed });
  }
}

/** Notes an exchange with Meta that is just over, under the span it was made in. */
export function recordCall({ path, method, ms, usage: _usage, ...call }: GraphCall): void {
  const parent = currentTraceparent();
  if (parent === undefined) return;
  const endMs = Date.now();
  finish({
    name: `${method} ${path}`,
    kind: 'client',
    traceparent: childOf(parent),
    parent,
    links: [],
    startMs: endMs - ms,
    endMs,
    attributes: {
      'http.request.method': method,
      'url.template': path,
      'http.response.status_code': call.status,
      'error.type': call.errorReason,
      'meta.error_class': call.errorClass,
      'meta.credential': call.credential,
      'meta.error_code': call.errorCode,
      'meta.error_subcode': call.errorSubcode,
      'meta.fbtrace_id': call.fbtraceId,
    },
    failed: call.errorReason !== undefined,
  });
}

function unrecordedSpan(traceparent: string): Span {
  return { traceparent, run: (work) => work(), end: () => undefined };
}

function recordedSpan(
  kind: FinishedSpan['kind'],
  traceparent: string,
  parent: string | undefined,
  links: readonly string[],
): Span {
  const startMs = Date.now();
  const begun = performance.now();
  return {
    traceparent,
    run: (work) => within(traceparent, work),
    end: ({ name, attributes = {}, failed = false }) =>
      finish({
        name,
        kind,
        traceparent,
        parent,
        links,
        startMs,
        endMs: startMs + performance.now() - begun,
        attributes,
        failed,
      }),
  };
}

let exporting: Promise<SpanExport | undefined> | undefined;

/** Whatever is wrong with the exporter is no trouble of the work: its spans are then lost. */
function finish(span: FinishedSpan): void {
  exporting ??= openExport().catch(() => undefined);
  void exporting.then((open) => open?.add(span));
}

async function openExport(): Promise<SpanExport> {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'K_SERVICE', 'TRACE_EMULATOR_HOST']);
  const { openSpanExport } = await import('../gcp/span-export.ts');
  const open = openSpanExport({
    projectId: config.GOOGLE_CLOUD_PROJECT,
    serviceName: config.K_SERVICE,
    emulatorHost: config.TRACE_EMULATOR_HOST,
  });
  beforeTermination(() => open.flush());
  return open;
}

/** Sends what has ended and was not sent yet. */
export async function flushSpans(): Promise<void> {
  await (await exporting)?.flush();
}
