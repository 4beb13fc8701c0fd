import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { FinishedSpan } from '../gcp/span-export.ts';
import type * as Trace from './trace.ts';
import type * as Tracing from './tracing.ts';

const exported: FinishedSpan[] = [];
let isExporterLoaded = false;
let isExporterBroken = false;

/** Where spans go, in place of OpenTelemetry: whether it is loaded at all is one of the questions. */
vi.mock('../gcp/span-export.ts', () => {
  isExporterLoaded = true;
  return {
    openSpanExport: () => {
      if (isExporterBroken) throw new Error('no exporter');
      return { add: (span: FinishedSpan) => void exported.push(span), flush: () => Promise.resolve() };
    },
  };
});

const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const call = {
  method: 'GET',
  path: '/{id}/owned_businesses',
  edge: 'owned_businesses',
  credential: 'user',
  status: 200,
  ms: 12,
  usage: [],
} as const;

/** The modules anew, as a process starts with this ratio. */
async function started(ratio: string): Promise<typeof Trace & typeof Tracing> {
  vi.resetModules();
  vi.stubEnv('TRACE_SAMPLE_RATIO', ratio);
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'kobi-test');
  return { ...(await import('./trace.ts')), ...(await import('./tracing.ts')) };
}

beforeEach(() => {
  exported.length = 0;
  isExporterLoaded = false;
  isExporterBroken = false;
});

describe('off', () => {
  test('nothing is recorded and no exporter loaded, whatever the messages ask for', async () => {
    const { flushSpans, inBatchSpan, recordCall, startSpan, traceparentOf } = await started('0');
    const span = startSpan('consumer', parent);
    span.run(() => recordCall(call));
    await inBatchSpan('deliver batch', [parent], async () => recordCall(call));
    span.end({ name: 'process capi-events' });
    await flushSpans();
    expect(span.traceparent).toBe(parent);
    expect(traceparentOf(parent).slice(-2)).toBe('00');
    expect(isExporterLoaded).toBe(false);
    expect(exported).toEqual([]);
  });
});

describe('on', () => {
  test('a call to Meta comes under the work it was made in, without ids and parameters', async () => {
    const { flushSpans, recordCall, startSpan } = await started('1');
    const span = startSpan('consumer', parent);
    await span.run(async () => recordCall({ ...call, errorReason: 'token-dead', errorCode: 190, fbtraceId: 'A1' }));
    span.end({ name: 'process create-pixel', attributes: { 'kobi.tenant_id': 'acme' } });
    await flushSpans();
    const [toMeta, message] = exported;
    expect(message).toMatchObject({ name: 'process create-pixel', parent, failed: false });
    expect(message!.traceparent.slice(0, 35)).toBe(parent.slice(0, 35));
    expect(toMeta).toMatchObject({ name: 'GET /{id}/owned_businesses', parent: message!.traceparent, failed: true });
    expect(toMeta!.endMs - toMeta!.startMs).toBe(call.ms);
  });

  test('what is under way in one trace is never said to be of another', async () => {
    const { flushSpans, inBatchSpan, recordCall, startSpan } = await started('1');
    const other = startSpan('consumer', parent);
    // A batch of messages nobody records, whose turn comes while another's span is open.
    await other.run(() => inBatchSpan('deliver batch', [], async () => recordCall(call)));
    await flushSpans();
    expect(exported).toEqual([]);
  });

  test('a batch is one span under its first message, with a link to each of the others', async () => {
    const { flushSpans, inBatchSpan, recordCall, startSpan } = await started('1');
    const first = startSpan('consumer', parent);
    const second = startSpan('consumer', `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`);
    const traces = [first.traceparent, second.traceparent, first.traceparent];
    await inBatchSpan('deliver batch', traces, async () => recordCall(call));
    await flushSpans();
    expect(exported).toMatchObject([
      { name: 'GET /{id}/owned_businesses', parent: exported[1]!.traceparent },
      { name: 'deliver batch', parent: first.traceparent, links: [second.traceparent] },
    ]);
  });

  test('about the part asked for is recorded, of traces that callers name as of others', async () => {
    const { traceparentOf } = await started('0.25');
    const given = [undefined, parent, parent.replace(/01$/, '00')];
    const traces = Array.from({ length: 6_000 }, (_, index) => traceparentOf(given[index % given.length]));
    const recorded = traces.filter((trace) => trace.endsWith('01')).length;
    expect(recorded).toBeGreaterThan(1_200);
    expect(recorded).toBeLessThan(1_800);
  });

  test('an exporter that cannot be opened costs the spans and nothing else', async () => {
    isExporterBroken = true;
    const { flushSpans, startSpan } = await started('1');
    const span = startSpan('consumer', parent);
    expect(span.run(() => 'done')).toBe('done');
    span.end({ name: 'process create-pixel' });
    await flushSpans();
    expect(exported).toEqual([]);
  });

  test('a wrong ratio stops the start and says what may be there', async () => {
    const { sampleRatio } = await started('5 %');
    expect(() => sampleRatio()).toThrow(/TRACE_SAMPLE_RATIO is not valid: expected a part of all traces from 0 to 1/);
  });
});
