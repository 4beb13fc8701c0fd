import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { readConfig } from './config.ts';

const traceparentPattern = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const traceIdBytes = 16;
const spanIdBytes = 8;
/** Random bytes for some requests at a time: asking the system for each costs more than all the rest of a trace. */
const random = Buffer.alloc(170 * (traceIdBytes + spanIdBytes));
let used = random.length;

function randomHex(bytes: number): string {
  if (used + bytes > random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += bytes;
  return random.toString('hex', used - bytes, used);
}

let ratio: number | undefined;

/** The part of new traces that is recorded; 0: none, and spans cost nothing. */
export function sampleRatio(): number {
  return (ratio ??= readConfig(['TRACE_SAMPLE_RATIO']).TRACE_SAMPLE_RATIO);
}

/** The trace context of the recorded work under way. */
const underWay = new AsyncLocalStorage<string | undefined>();

/** Runs `work` as part of a recorded span; `undefined`: of none, whatever was under way around it. */
export function within<T>(traceparent: string | undefined, work: () => T): T {
  return underWay.run(traceparent, work);
}

/** The trace context of the recorded span under way; undefined when there is none. */
export function currentTraceparent(): string | undefined {
  return underWay.getStore();
}

/**
 * The trace of what comes in or begins here, as W3C trace context: the caller's own when it sent a valid one, else that of
 * the work under way, else a new one.
 *
 * Whether it is recorded is decided here, once, and travels in the flag with every message. A caller's own flag is not
 * asked: anybody may call the relay, and each recorded trace is paid for.
 */
export function traceparentOf(header: unknown): string {
  if (typeof header === 'string' && traceparentPattern.test(header)) return `${header.slice(0, -2)}${flag()}`;
  return underWay.getStore() ?? `00-${randomHex(traceIdBytes)}-${randomHex(spanIdBytes)}-${flag()}`;
}

/** The same for a request: `traceparent`, or Google's `X-Cloud-Trace-Context: TRACE_ID/SPAN_ID;o=1` with a decimal id. */
export function traceparentOfRequest(headers: IncomingHttpHeaders): string {
  const [, traceId, spanId] = googlePattern.exec(googleTraceOf(headers)) ?? [];
  if (headers['traceparent'] !== undefined || traceId === undefined || spanId === undefined) {
    return traceparentOf(headers['traceparent']);
  }
  const span = BigInt.asUintN(64, BigInt(spanId)).toString(16).padStart(16, '0');
  return traceparentOf(`00-${traceId}-${span}-00`);
}

const googlePattern = /^([0-9a-f]{32})\/(\d{1,20})(?:;o=\d)?$/;

function googleTraceOf(headers: IncomingHttpHeaders): string {
  return String(headers['x-cloud-trace-context'] ?? '');
}

/** Whether a request belongs to a trace that began before it. */
export function isContinued(headers: IncomingHttpHeaders): boolean {
  return traceparentPattern.test(String(headers['traceparent'] ?? '')) || googlePattern.test(googleTraceOf(headers));
}

/** A new span's place under `parent`: same trace, same flag. */
export function childOf(parent: string): string {
  return `${parent.slice(0, 36)}${randomHex(spanIdBytes)}${parent.slice(52)}`;
}

/** Whether spans under this are recorded: it says so, and recording is on here. */
export function isRecorded(traceparent: string): boolean {
  return traceparent.endsWith('1') && sampleRatio() > 0;
}

function flag(): '00' | '01' {
  const part = sampleRatio();
  return part > 0 && Math.random() < part ? '01' : '00';
}
