import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { Refused, errorAnswer, fbtraceIdOf, invalidParameter } from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';
import { maxMessageBytes, tooLarge } from './take-events.ts';

/** A body as the framework's own parsers would leave it. */
interface ReadRequest extends IncomingMessage {
  body?: unknown;
  rawBody?: Buffer;
}

/** Meta's forms have a handful of fields. */
const maxFormFields = 200;

/**
 * Express middleware that reads bodies in place of functions-framework's parsers, which take, and inflate, up to 1 GiB
 * before a function is called. At most {@link maxMessageBytes} are read, and inflated; more, and what cannot be read, is
 * answered at once in Meta's form.
 */
export function readBoundedBody(answer: (response: ServerResponse, given: RelayAnswer) => void) {
  return (request: ReadRequest, response: ServerResponse, next: () => void): void => {
    const { 'content-length': length, 'transfer-encoding': transferEncoding } = request.headers;
    if (transferEncoding === undefined && (length === undefined || length === '0')) return next();

    const refuse = (error: unknown): void => {
      // What still comes is thrown away, so that a sender that writes before it reads gets to read.
      request.removeAllListeners('data').removeAllListeners('end');
      request.resume();
      const fbtraceId = fbtraceIdOf(traceparentOf(request.headers['traceparent']));
      answer(response, errorAnswer(error instanceof Refused ? error.error : unreadable(400), fbtraceId));
    };
    if (Number(length) > maxMessageBytes) return refuse(new Refused(tooLarge));

    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxMessageBytes) refuse(new Refused(tooLarge));
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const sent = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      const use = (body: Buffer): void => {
        request.rawBody = body;
        request.body = parsed(body, request.headers['content-type'] ?? '');
        next();
      };
      const inflating = inflated(sent, request.headers['content-encoding']);
      try {
        if (inflating instanceof Buffer) use(inflating);
      } catch (error) {
        refuse(error);
      }
      if (inflating instanceof Promise) inflating.then(use).catch(refuse);
    });
    // The sender went away: nobody is left to be answered.
    request.on('error', () => undefined);
  };
}

const inflaters: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  gzip: (body) => promisify(gunzip)(body, { maxOutputLength: maxMessageBytes }),
  'x-gzip': (body) => promisify(gunzip)(body, { maxOutputLength: maxMessageBytes }),
  deflate: (body) => promisify(inflate)(body, { maxOutputLength: maxMessageBytes }),
  br: (body) => promisify(brotliDecompress)(body, { maxOutputLength: maxMessageBytes }),
};

/** The body before compression. Rejects with `Refused`: 415 for an encoding we do not know, 413 for a bomb, 400. */
function inflated(body: Buffer, contentEncoding = 'identity'): Buffer | Promise<Buffer> {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return body;
  const inflater = Object.hasOwn(inflaters, encoding) ? inflaters[encoding] : undefined;
  if (inflater === undefined) return Promise.reject(new Refused(unreadable(415)));
  return inflater(body).catch((error: unknown) => {
    const isBomb = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new Refused(isBomb ? tooLarge : unreadable(400));
  });
}

/** JSON and forms as values, text as text, anything else as bytes. @throws Refused */
function parsed(body: Buffer, contentType: string): unknown {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const mediaType = type.trim();
  if (mediaType === 'application/json' || mediaType === 'application/cloudevents+json') {
    const value = parseBoundedJson(decoded(body, parameters));
    if (value === undefined) throw new Refused(unreadable(400));
    return value;
  }
  if (mediaType === 'application/x-www-form-urlencoded') {
    const text = decoded(body, parameters);
    let fields = 1;
    for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) fields += 1;
    if (fields > maxFormFields) throw new Refused(unreadable(400));
    return Object.fromEntries(new URLSearchParams(text));
  }
  return mediaType.startsWith('text/') ? decoded(body, parameters) : body;
}

function decoded(body: Buffer, parameters: readonly string[]): string {
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([\w:.-]{1,40})"?\s*$/.exec(parameter)?.[1])
    .find((found) => found !== undefined);
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8') {
    if (!isUtf8(body)) throw new Refused(unreadable(400));
    const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
    return body.toString('utf8', hasMark ? 3 : 0);
  }
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch (error) {
    throw new Refused(unreadable(error instanceof RangeError ? 415 : 400));
  }
}

/** The body is not what it says it is. */
export function unreadable(status: number): ReturnType<typeof invalidParameter> {
  return invalidParameter(
    'The body could not be read',
    'Send valid JSON or a form, in UTF-8, plain or compressed with gzip, and its true content type.',
    status,
  );
}
