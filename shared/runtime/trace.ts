import { randomFillSync } from 'node:crypto';

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

/** The caller's W3C trace context when it sent a valid one, otherwise a new trace. */
export function traceparentOf(header: unknown): string {
  if (typeof header === 'string' && traceparentPattern.test(header)) return header;
  return `00-${randomHex(traceIdBytes)}-${randomHex(spanIdBytes)}-01`;
}
