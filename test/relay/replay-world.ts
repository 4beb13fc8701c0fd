/** The relay's operator API and the replay's worker on Firestore's engine in this process, with a clock, a Pub/Sub and tasks that tests own. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Firestore } from '@google-cloud/firestore';
import { cloudEvent, http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { expect } from 'vitest';
import { replaySlice } from '../../functions/relay/capi-replay/replay-slice.ts';
import { relayAdminRoutes } from '../../functions/relay/relay-admin/routes.ts';
import { ttlCollectionGroups } from '../../shared/contracts/documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import type { DeadLetterInput } from '../../shared/gcp/dead-letter-store.ts';
import { MatchQualityStore } from '../../shared/gcp/match-quality-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { readRelayNumbers } from '../../shared/gcp/relay-numbers.ts';
import { ReplayStore } from '../../shared/gcp/replay-store.ts';
import { ReplayWork } from '../../shared/gcp/replay-work.ts';
import { pushBody } from '../../shared/runtime/delayed-retry.ts';
import { httpFunction } from '../../shared/runtime/http-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { pubsubFunction } from '../../shared/runtime/pubsub-function.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import type { InProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';

export const startMs = Date.parse('2026-11-23T20:00:00.000Z');
const minuteMs = 60_000;
const operator = `Bearer e30.${Buffer.from('{"email":"ada@kobi.example"}').toString('base64url')}.x`;
const ttl = ttlCollectionGroups.map((collectionGroup) => ({ collectionGroup, field: 'expireAt' }));

/** Every field any answer may have. */
export interface Answered {
  readonly deadLetters: { deadLetterId: string; tenantId: string; count: number; events: number }[];
  readonly next: string | null;
  readonly groups: { tenantId: string | null; reason: string; count: number; sampleIds: string[] }[];
  readonly replay: { outcome: string; count: number };
  readonly message: Envelope;
  readonly replayId: string;
  readonly state: string;
  readonly planned: number;
  readonly outcomes: Record<string, number>;
  readonly wouldReplay: number;
  readonly wouldNot: Record<string, number>;
  readonly warnings: { replayedBefore: number };
  readonly error: { code: string; message: string; problems: { field: string }[]; field: string };
}

export interface ReplayWorld {
  readonly firestore: InProcessFirestore;
  readonly db: Firestore;
  readonly letters: DeadLetterStore;
  nowMs: number;
  /** What reached a topic, in order. */
  readonly published: { topic: string; envelope: Envelope; atMs: number }[];
  /** Slices waiting for their time. */
  readonly due: { envelope: Envelope; at: Date }[];
  /** Called before each publish; throws to play a failure of Pub/Sub. */
  beforePublish: () => void;
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Answered }>;
  /** Without an identity. */
  callUnknown(path: string): Promise<number>;
  record(...inputs: DeadLetterInput[]): Promise<string[]>;
  /** Starts a replay, a moment after whatever died before. Returns its id. */
  replay(body: Record<string, unknown>): Promise<string>;
  outcomes(replayId: string): Promise<Record<string, number>>;
  /** Delivers one slice to the worker, as Pub/Sub would; returns the status. */
  push(envelope: Envelope): Promise<number>;
  /** Runs the slices that are due, moving the clock to each; one that is not acknowledged comes again in a minute. */
  work(most?: number): Promise<void>;
  /** `event_id`s that were published, in order. */
  eventIds(): unknown[];
  reset(): void;
  close(): Promise<void>;
}

/** Every replay asks for this, unless told. */
export const asked = { ratePerSecond: 100, reason: 'Meta is well again' };

export async function startReplayWorld(): Promise<ReplayWorld> {
  const firestore = createInProcessFirestore({ projectId: 'kobi-test', ttl });
  const db = firestore.connect();
  const now = (): Date => new Date(world.nowMs);
  const log = createLogger({ level: 'silent', functionName: 'test' });
  const publish = async (topic: string, json: string): Promise<void> => {
    world.beforePublish();
    const envelope = JSON.parse(json) as Envelope;
    if (topic === 'capi-replay') world.due.push({ envelope, at: now() });
    else world.published.push({ topic, envelope, atMs: world.nowMs });
  };
  const outbox = new Outbox(db, { publish: async () => {}, publishJson: publish, close: async () => {} });
  const letters = new DeadLetterStore(db, now);
  let ids = 0;
  const routes = relayAdminRoutes({
    deadLetters: letters,
    replays: new ReplayStore({ db, outbox, now }),
    deliver: (messages) => outbox.deliver(messages),
    counters: (tenantId, from, to) => readRelayNumbers(db, tenantId, from, to),
    matchQuality: new MatchQualityStore(db),
    newReplayId: () => `replay-${(ids += 1)}`,
    now,
  });
  http(
    'relay-admin-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes })),
  );
  const slice = {
    replays: new ReplayWork(db, now),
    deadLetters: letters,
    publish,
    bringBack: async (envelope: Envelope, at: Date) => {
      const isScheduled = world.due.some(({ envelope: known }) => known.eventId === envelope.eventId);
      if (!isScheduled) world.due.push({ envelope, at });
    },
    now,
    sleep: async (ms: number) => void (world.nowMs += ms),
  };
  cloudEvent(
    'capi-replay-test',
    pubsubFunction(
      'capi-replay',
      () => ({ projectId: 'kobi-test', log, deadLetters: letters, now }),
      (envelope, bound) => replaySlice(envelope, slice, bound),
    ),
  );
  const servers = [getTestServer('relay-admin-test'), getTestServer('capi-replay-test')];
  const [admin = '', worker = ''] = await Promise.all(servers.map(listen));

  const world: ReplayWorld = {
    firestore,
    db,
    letters,
    nowMs: startMs,
    published: [],
    due: [],
    beforePublish: () => undefined,
    async call(method, path, body) {
      const answer = await fetch(`${admin}${path}`, {
        method,
        headers: { authorization: operator, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as Answered };
    },
    callUnknown: async (path) => (await fetch(`${admin}${path}`, { method: 'POST', body: '{}' })).status,
    async record(...inputs) {
      const recorded: string[] = [];
      for (const input of inputs) recorded.push(await letters.record(input));
      return recorded;
    },
    async replay(body) {
      world.nowMs += 1;
      const { status, body: answer } = await world.call('POST', '/replays', { ...asked, ...body });
      expect(status, JSON.stringify(answer)).toBe(202);
      return answer.replayId;
    },
    outcomes: async (replayId) => (await world.call('GET', `/replays/${replayId}`)).body.outcomes,
    async push(envelope) {
      const answer = await fetch(`${worker}/projects/kobi/topics/capi-replay`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(pushBody('kobi-test', envelope)),
      });
      return answer.status;
    },
    async work(most = Infinity) {
      for (let runs = 0; runs < most; runs += 1) {
        const next = world.due.shift();
        if (next === undefined) return;
        world.nowMs = Math.max(world.nowMs, next.at.getTime());
        const status = await world.push(next.envelope);
        if (status !== 204) world.due.push({ envelope: next.envelope, at: new Date(world.nowMs + minuteMs) });
      }
    },
    eventIds: () =>
      world.published
        .flatMap(({ envelope }) => ('events' in envelope.data ? envelope.data.events : []))
        .map((event) => event['event_id']),
    reset() {
      firestore.clear();
      world.nowMs = startMs;
      world.published.length = 0;
      world.due.length = 0;
      world.beforePublish = () => undefined;
    },
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
  return world;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
