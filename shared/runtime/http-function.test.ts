import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jsonAnswer } from './http-answer.ts';
import { httpFunction, jsonBody } from './http-function.ts';
import type { HttpCall } from './http-function.ts';
import { HttpProblem } from './http-problem.ts';
import { createLogger } from './logger.ts';

const lines: string[] = [];
const calls: HttpCall[] = [];
let server: Server;
let origin: string;

beforeAll(async () => {
  const log = createLogger({ level: 'info', functionName: 'test', destination: { write: (line) => lines.push(line) } });
  http(
    'http-function-test',
    httpFunction(() => ({
      projectId: 'kobi-test',
      log,
      maxBodyBytes: 100,
      routes: [
        {
          method: 'POST',
          path: '/things/{thing}',
          callers: 'iam',
          handle: async (call) => {
            calls.push(call);
            return jsonAnswer(201, { thing: call.param('thing'), body: jsonBody(call), caller: call.caller });
          },
        },
        {
          method: 'DELETE',
          path: '/things/{thing}',
          callers: 'public',
          handle: async () => {
            throw new HttpProblem(409, 'busy', 'Not now.', { field: 'thing', got: 1, expected: ['2'] });
          },
        },
        {
          method: 'GET',
          path: '/broken',
          callers: 'public',
          handle: async () => {
            throw new Error('the database said EAAcanary0123456789abcdef0123456789');
          },
        },
        {
          method: 'GET',
          path: '/',
          callers: 'public',
          handle: async (call) => {
            calls.push(call);
            return jsonAnswer(200, { cookie: call.cookie('b') ?? null, q: call.query.get('q') });
          },
        },
      ],
    })),
  );
  server = getTestServer('http-function-test');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  lines.length = 0;
  calls.length = 0;
});

function idToken(claims: object): string {
  return `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.SIGNATURE_REMOVED_BY_GOOGLE`;
}

const asOperator = { authorization: idToken({ email: 'ada@kobi.example' }) };

async function post(body: string, headers: Record<string, string> = asOperator) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body };
  return fetch(`${origin}/things/a%20b`, init);
}

describe('an HTTP function', () => {
  it('hands a handler decoded segments, the JSON body and the e-mail address IAM has verified', async () => {
    const answer = await post('{"x":1}');
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({ thing: 'a b', body: { x: 1 }, caller: 'ada@kobi.example' });
  });

  it('reads JSON whatever content type it was sent with', async () => {
    const answer = await post('{"x":1}', { ...asOperator, 'content-type': 'application/x-www-form-urlencoded' });
    expect(await answer.json()).toMatchObject({ body: { x: 1 } });
  });

  it('refuses an IAM route without an identity', async () => {
    for (const authorization of [
      undefined,
      'Bearer x',
      'Bearer a.b.c',
      'Basic abc',
      idToken({}),
      idToken({ email: 7 }),
    ]) {
      const answer = await post('{}', authorization === undefined ? {} : { authorization });
      expect(answer.status).toBe(401);
    }
    expect(calls).toEqual([]);
  });

  it('answers 404 for an unknown path and 405 with Allow for a known one', async () => {
    expect((await fetch(`${origin}/nothing`)).status).toBe(404);
    expect((await fetch(`${origin}/things/`)).status).toBe(404);
    const answer = await fetch(`${origin}/things/1`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, DELETE']);
  });

  it('answers a path that cannot be decoded 400 in JSON', async () => {
    const answer = await fetch(`${origin}/things/%E0%A4%A`);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'malformed-path' } }]);
  });

  it('does not take HEAD for GET: a link preview must not use up a login', async () => {
    expect((await fetch(`${origin}/`, { method: 'HEAD' })).status).toBe(405);
  });

  it.each(['', '{', 'null,', '{"x":}'])('answers malformed JSON 400 in JSON, without a stack: %j', async (body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'malformed-json', expected: ['a JSON object'] } });
    expect(text).not.toContain('node_modules');
  });

  it('answers an oversized body 413 without calling the handler', async () => {
    expect((await post(JSON.stringify({ x: 'x'.repeat(200) }))).status).toBe(413);
    expect(calls).toEqual([]);
  });

  it('answers a problem with code, field, what came and what is valid', async () => {
    const answer = await fetch(`${origin}/things/1`, { method: 'DELETE' });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toEqual({
      error: { code: 'busy', message: 'Not now.', field: 'thing', got: 1, expected: ['2'] },
    });
  });

  it('answers an unexpected error with a request id only, and logs it scrubbed under that id', async () => {
    const answer = await fetch(`${origin}/broken?secret=query-canary`);
    const text = await answer.text();
    const requestId = answer.headers.get('x-request-id');
    expect(answer.status).toBe(500);
    expect(text).toContain(requestId);
    expect(text).not.toMatch(/database|canary/);
    const logged = lines.join('');
    expect(logged).toContain(requestId);
    expect(logged).not.toMatch(/EAAcanary|query-canary/);
  });

  it('logs one line per request, with the route and never the query', async () => {
    await fetch(`${origin}/?q=query-canary`);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ method: 'GET', route: '/', status: 200 });
    expect(lines[0]).not.toContain('canary');
  });

  it('continues the caller’s trace, in W3C or Google form, and starts one otherwise', async () => {
    const trace = 'a'.repeat(32);
    await fetch(origin, { headers: { traceparent: `00-${trace}-${'b'.repeat(16)}-01` } });
    await fetch(origin, { headers: { 'x-cloud-trace-context': `${trace}/255;o=1` } });
    await fetch(origin, { headers: { traceparent: 'garbage' } });
    const [w3c, google, fresh] = calls.map((call) => call.traceparent);
    expect(w3c).toBe(`00-${trace}-${'b'.repeat(16)}-00`);
    expect(google).toBe(`00-${trace}-00000000000000ff-00`);
    expect(fresh).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('reads one cookie among others', async () => {
    const answer = await fetch(`${origin}/?q=1`, { headers: { cookie: 'ab=1; b=x=y; c=2' } });
    expect(await answer.json()).toEqual({ cookie: 'x=y', q: '1' });
  });
});
