import type { IncomingMessage } from 'node:http';
import { malformedBody } from './graph-error.ts';

const maxBodyBytes = 32 * 1024 * 1024;

/** The whole body as text; nothing if it is more than 32 MiB. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Parameters of a body: form fields as text, a JSON object's values as they are. Other content types are refused. */
export function parseBody(contentType: string | undefined, body: string): Map<string, unknown> {
  if (body === '') return new Map();
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      throw malformedBody('not valid JSON.');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw malformedBody('the JSON must be an object of parameters.');
    }
    return new Map(Object.entries(value));
  }
  if (type === 'application/x-www-form-urlencoded') return parseForm(new URLSearchParams(body));
  throw malformedBody(`content type "${type ?? ''}" is neither a form nor JSON.`);
}

/** Form or query fields; a name given twice is refused, because which one Graph would take is not documented. */
export function parseForm(fields: URLSearchParams): Map<string, unknown> {
  const parsed = new Map<string, unknown>();
  for (const [name, value] of fields) {
    if (parsed.has(name)) throw malformedBody(`parameter ${name} is given twice.`);
    parsed.set(name, value);
  }
  return parsed;
}
