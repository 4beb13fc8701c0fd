/** The canary against stand-ins of Cloud Run's Admin API and Cloud Monitoring, over HTTP. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { canary, googleRevisions, judge } from '../../terraform/release/canary.ts';
import type { Answers, CanaryOutcome } from '../../terraform/release/canary.ts';

const service = '/v2/projects/kobi/locations/europe-west1/services/capi-relay';

let server: Server;
let url: string;
let traffic: Record<string, number>;
let newest: string;
let answers: (percentOfNewest: number) => Record<string, Answers>;
let failing: ((request: IncomingMessage) => boolean) | undefined;
let splits: Record<string, number>[];
let reconcilings: number;
let monitored: URLSearchParams[];
let nowMs: number;

beforeEach(async () => {
  traffic = { 'capi-relay-00001': 100 };
  newest = 'capi-relay-00002';
  answers = () => ({ [newest]: { requests: 1_000, errors: 0 }, 'capi-relay-00001': { requests: 9_000, errors: 1 } });
  failing = undefined;
  splits = [];
  monitored = [];
  reconcilings = 0;
  nowMs = Date.parse('2026-11-25T12:00:00Z');
  server = createServer(
    (request, response) =>
      void answer(request).then(({ status, body }) => response.writeHead(status).end(JSON.stringify(body))),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  if (request.headers.authorization !== 'Bearer deployer') return { status: 401, body: {} };
  if (failing?.(request) === true) return { status: 503, body: {} };
  if (pathname === '/v3/projects/kobi/timeSeries') {
    monitored.push(searchParams);
    const series = Object.entries(answers(traffic[newest] ?? 0)).flatMap(([revision, { requests, errors }]) =>
      (['2xx', '5xx'] as const).map((code) => ({
        resource: { labels: { revision_name: revision } },
        metric: { labels: { response_code_class: code } },
        points: [{ value: { int64Value: String(code === '5xx' ? errors : requests - errors) } }],
      })),
    );
    return { status: 200, body: { timeSeries: series } };
  }
  if (pathname !== service) return { status: 404, body: {} };
  if (request.method === 'PATCH') {
    if (searchParams.get('updateMask') !== 'traffic') return { status: 400, body: {} };
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as { traffic: { type: string; revision: string; percent: number }[] };
    const total = body.traffic.reduce((sum, { percent }) => sum + percent, 0);
    if (total !== 100 || body.traffic.some(({ type }) => type !== 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION'))
      return { status: 400, body: {} };
    traffic = Object.fromEntries(body.traffic.map(({ revision, percent }) => [revision, percent]));
    splits.push(traffic);
    reconcilings = 1;
    return { status: 200, body: { name: 'operation' } };
  }
  return {
    status: 200,
    body: {
      latestReadyRevision: `projects/kobi/locations/europe-west1/services/capi-relay/revisions/${newest}`,
      reconciling: reconcilings-- > 0,
      trafficStatuses: Object.entries(traffic).map(([revision, percent]) => ({ revision, percent })),
    },
  };
}

async function release(): Promise<{ outcome: CanaryOutcome; said: string }> {
  const said: string[] = [];
  const now = (): Date => new Date(nowMs);
  const sleep = async (ms: number): Promise<void> => void (nowMs += ms);
  const token = async (): Promise<string> => 'deployer';
  const google = { projectId: 'kobi', region: 'europe-west1', service: 'capi-relay', token, now, sleep };
  const control = googleRevisions({ ...google, runUrl: url, monitoringUrl: url });
  return { outcome: await canary({ control, now, sleep, say: (line) => said.push(line) }), said: said.join('\n') };
}

test('a revision that answers well gets 5, 25, 50 and then all of the traffic, by its name', async () => {
  expect((await release()).outcome).toBe('promoted');
  expect(splits.map((split) => split[newest])).toEqual([5, 25, 50, 100]);
  expect(traffic).toEqual({ 'capi-relay-00002': 100 });
});

test('it is watched from the moment it gets its share, for five minutes each time', async () => {
  await release();
  expect(monitored).toHaveLength(15);
  expect(monitored[4]?.get('interval.startTime')).toBe('2026-11-25T12:00:00.000Z');
  expect(Date.parse(monitored[4]?.get('interval.endTime') ?? '')).toBeGreaterThanOrEqual(
    Date.parse('2026-11-25T12:05:00Z'),
  );
  expect(monitored[0]?.get('filter')).toContain('resource.label.service_name="capi-relay"');
});

test('a revision that answers 5xx more than before loses its traffic by itself, and the release fails', async () => {
  answers = (percent) => ({ [newest]: { requests: 1_000, errors: percent >= 25 ? 30 : 0 } });
  const { outcome, said } = await release();
  expect(outcome).toBe('returned');
  expect(splits.map((split) => split[newest])).toEqual([5, 25, undefined]);
  expect(traffic).toEqual({ 'capi-relay-00001': 100 });
  expect(said).toContain('3.0 % of 1000 requests were answered 5xx, 0.0 % by the revision before it');
});

test('when Google cannot be asked how it does, the traffic goes back', async () => {
  failing = (request) => (request.url ?? '').startsWith('/v3/') && (traffic[newest] ?? 0) === 25;
  const { outcome, said } = await release();
  expect(outcome).toBe('returned');
  expect(traffic).toEqual({ 'capi-relay-00001': 100 });
  expect(said).toContain('answered 503');
});

test('without a new revision nothing is touched', async () => {
  traffic = { [newest]: 100 };
  expect((await release()).outcome).toBe('nothing-new');
  expect(splits).toEqual([]);
});

test.each<[string, Answers | undefined, Answers | undefined, boolean]>([
  ['no answers yet', undefined, undefined, false],
  ['too few to say', { requests: 199, errors: 199 }, undefined, false],
  ['one in a hundred', { requests: 200, errors: 2 }, undefined, false],
  ['more than one in a hundred', { requests: 200, errors: 3 }, { requests: 9_000, errors: 0 }, true],
  [
    'many, as the old one in the same minutes',
    { requests: 1_000, errors: 100 },
    { requests: 9_000, errors: 800 },
    false,
  ],
  ['more than twice as many as the old one', { requests: 1_000, errors: 100 }, { requests: 9_000, errors: 400 }, true],
])('judged by its answers: %s', (_what, fresh, old, isBad) => {
  expect(judge(fresh, old) !== undefined).toBe(isBad);
});
