import { randomBytes } from 'node:crypto';

const traceparentPattern = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's W3C trace context when it sent a valid one, otherwise a new trace. */
export function traceparentOf(header: unknown): string {
  if (typeof header === 'string' && traceparentPattern.test(header)) return header;
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
