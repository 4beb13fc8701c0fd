import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createPublicFetch } from '../../../shared/runtime/public-fetch.ts';
import type { PublicFetch } from '../../../shared/runtime/public-fetch.ts';
import { notify } from './notify.ts';

const now = (): Date => new Date('2026-11-25T12:00:00Z');
const signingKey = 'k'.repeat(32);
const raised: Envelope<'alert-changed'> = {
  eventId: 'acme:alert-raised:match-quality-drop:1',
  type: 'alert-changed',
  version: 1,
  tenantId: 'acme',
  at: '2026-11-25T11:59:00Z',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  data: {
    state: 'raised',
    kind: 'match-quality-drop',
    severity: 'page',
    summary: 'Purchase: 8.0 until <!channel> & now 5.0.',
    occurrence: 1,
    since: '2026-11-25T11:00:00Z',
  },
};

let receiver: Server;
let url: string;
let posts: { headers: Record<string, unknown>; body: string }[];
let status: number;
let said: string[];
let local: PublicFetch;
let guarded: PublicFetch;

beforeEach(async () => {
  posts = [];
  said = [];
  status = 200;
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      posts.push({ headers: request.headers, body });
      response.writeHead(status, { location: url }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  local = createPublicFetch({ isAllowed: () => true });
  guarded = createPublicFetch();
});
afterEach(async () => {
  await Promise.all([local.close(), guarded.close()]);
  receiver.close();
});

/** How the message ends; everything that was logged or thrown is kept in `said`. */
async function post(
  envelope: typeof raised,
  secret: object | string | undefined,
  publicFetch = local,
): Promise<unknown> {
  const value = typeof secret === 'string' ? secret : JSON.stringify(secret);
  const destination = { write: (line: string) => void said.push(line) };
  const log = createLogger({ level: 'info', functionName: 'alert-notify', destination });
  const secrets = { latest: async () => (secret === undefined ? undefined : { version: '1', value }) };
  try {
    return (await notify({ publicFetch, now, secrets })(envelope, log)).kind;
  } catch (error) {
    said.push(String(error));
    return (error as { outcome?: { kind: string } }).outcome?.kind ?? error;
  }
}

describe('an alert', () => {
  test('reaches a Slack-compatible webhook as text that no word of a tenant turns into markup, signed', async () => {
    expect(await post(raised, { format: 'slack', url, signingKey })).toBe('done');
    const [{ headers, body }] = posts as [(typeof posts)[0]];
    expect(JSON.parse(body)).toEqual({
      text: '*match-quality-drop of acme (page)*\nPurchase: 8.0 until &lt;!channel&gt; &amp; now 5.0.\nSince 2026-11-25T11:00:00Z.',
    });
    const signed = `${raised.eventId}.${now().getTime() / 1000}.${body}`;
    expect(headers).toMatchObject({
      'webhook-id': raised.eventId,
      'webhook-signature': `v1,${createHmac('sha256', signingKey).update(signed).digest('base64')}`,
    });
  });

  test('reaches an e-mail gateway, also when it is over', async () => {
    const over = { ...raised, data: { ...raised.data, state: 'resolved' as const } };
    expect(await post(over, { format: 'email', url, signingKey, to: ['ops@kobi.example'] })).toBe('done');
    expect(JSON.parse(posts[0]!.body)).toMatchObject({
      to: ['ops@kobi.example'],
      subject: 'Resolved: match-quality-drop of acme',
    });
  });

  test('goes nowhere, and fails nowhere, without a webhook', async () => {
    expect(await post(raised, undefined)).toBe('done');
    expect(posts).toEqual([]);
  });

  test('is posted again when the receiver is in trouble, not when it refuses, and no redirect is followed', async () => {
    const webhook = { format: 'slack', url, signingKey };
    const outcomes: unknown[] = [];
    for (status of [503, 429, 410, 302]) outcomes.push(await post(raised, webhook));
    expect(outcomes).toEqual(['retry', 'retry', 'failed', 'failed']);
    expect(posts).toHaveLength(4);
    status = 503;
    expect(await post({ ...raised, at: '2026-11-23T00:00:00Z' }, webhook)).toBe('failed');
  });

  test.each([
    'http://127.0.0.1:1/',
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'http://10.0.0.7/',
    'ftp://a.example/',
  ])('is never posted into our own network: %s', async (address) => {
    expect(await post(raised, { format: 'slack', url: address, signingKey }, guarded)).toBe('failed');
  });

  test.each(['not json', { format: 'slack' }, { format: 'fax', url: 'https://a.example', signingKey }])(
    'with a secret that is not usable fails with what is wrong, and never shows it',
    async (secret) => {
      expect(await post(raised, secret)).toBe('failed');
      expect(posts).toEqual([]);
      expect(said.join('\n')).toContain('alert-webhook');
      expect(said.join('\n')).not.toContain(signingKey);
    },
  );
});
