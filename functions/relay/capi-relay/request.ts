/** What a caller sent, read as Meta's own endpoint reads it. */
import type { IncomingHttpHeaders } from 'node:http';
import { parseBoundedJson } from './bounded-json.ts';
import { Refused, invalidParameter } from './meta-answer.ts';

/** A request after the framework's parsing: `body` is what its content type made of it. */
export interface RelayRequest {
  readonly method: string;
  /** Path and query, without origin. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  readonly body: unknown;
  /** Bytes of the body after decompression. */
  readonly bodyBytes: number;
}

/** The endpoint a path names. */
export interface Target {
  /** Undefined when the path's id is no number and so no dataset's. */
  readonly datasetId: string | undefined;
  /** Meta's Gateway ingress: the key is `accessKey` and success is 202. */
  readonly isGateway: boolean;
}

/** Top level of a request; each value still as it came. */
export interface RequestFields {
  readonly data: unknown;
  readonly key: string | undefined;
  readonly testEventCode: string | undefined;
}

const targetPattern = /^(?:\/v\d{1,3}\.\d{1,2}|(\/capi))?\/([^/]{1,64})\/(?:events|segment|ga4)\/?$/;
const idPattern = /^\d{1,20}$/;

/** Undefined for a path at which no events are taken. */
export function targetOf(url: string): Target | undefined {
  const query = url.indexOf('?');
  const match = targetPattern.exec(query === -1 ? url : url.slice(0, query));
  if (match === null) return undefined;
  const [, gateway, id = ''] = match;
  return { datasetId: idPattern.test(id) ? id : undefined, isGateway: gateway !== undefined };
}

/** @throws Refused when the body cannot be read or a field is not what it must be */
export function fieldsOf(
  { body, headers, url }: Pick<RelayRequest, 'body' | 'headers' | 'url'>,
  { isGateway }: Target,
): RequestFields {
  const fields = bodyFields(body);
  const bearer = bearerOf(headers.authorization);
  const inBody = textOf(fields[isGateway ? 'accessKey' : 'access_token']);
  return {
    data: fields['data'],
    key: bearer ?? inBody ?? inQuery(url, 'access_token'),
    testEventCode: testEventCodeOf(fields['test_event_code']),
  };
}

type MultipartRequest = RelayRequest & { readonly body: Buffer };

/** Whether the body is a form that still has to be taken apart, with {@link multipartFields}. */
export function isMultipart(request: RelayRequest): request is MultipartRequest {
  const { body, headers } = request;
  return Buffer.isBuffer(body) && headers['content-type']?.startsWith('multipart/') === true;
}

/** The fields of a multipart form, which `curl -F` sends, as Meta's own examples do; undefined when it is broken. */
export async function multipartFields({ body, headers }: MultipartRequest): Promise<unknown> {
  try {
    const type = headers['content-type'] ?? '';
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    return Object.fromEntries(form);
  } catch {
    return undefined;
  }
}

/** The value of `data`, or of the list a source calls otherwise, as a list of events. @throws Refused */
export function eventsOf(data: unknown, maxEvents: number, name = 'data'): readonly unknown[] {
  const events = typeof data === 'string' ? parseBoundedJson(data) : data;
  if (!Array.isArray(events)) {
    throw new Refused(
      invalidParameter(`Param ${name} must be an array`, `Send the events as a JSON list in \`${name}\`.`),
    );
  }
  if (events.length === 0 || events.length > maxEvents) {
    const limit = `Param ${name} must have 1 to ${maxEvents} elements, it has ${events.length}`;
    throw new Refused(invalidParameter(limit, `Send at most ${maxEvents} events in one request.`));
  }
  return events;
}

/** JSON and forms come parsed; text (sendBeacon) and unknown types do not. @throws Refused when there is no object in it */
export function bodyFields(body: unknown): Readonly<Record<string, unknown>> {
  const fields = typeof body === 'string' || Buffer.isBuffer(body) ? parseBoundedJson(String(body)) : body;
  if (isRecord(fields)) return fields;
  throw new Refused(
    invalidParameter(
      'The body could not be read',
      'Send JSON or a form with the events in `data`, with its content type.',
    ),
  );
}

/** @throws Refused */
export function testEventCodeOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && /^[\w-]{1,100}$/.test(value)) return value;
  throw new Refused(
    invalidParameter(
      'Param test_event_code must be a string',
      'Copy the test code from Events Manager, e.g. TEST12345.',
    ),
  );
}

/** The credential of `Authorization: Bearer`. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** A parameter of the query. */
export function inQuery(url: string, name: string): string | undefined {
  const query = url.indexOf('?');
  if (query === -1) return undefined;
  return new URLSearchParams(url.slice(query + 1)).get(name) ?? undefined;
}

/** A text that is there. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
