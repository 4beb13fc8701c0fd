/**
 * Tenants with datasets at the simulated Meta and the embedded Firestore's engine, polled by emq-poller's own code on a clock that a
 * test moves.
 */
import type { Firestore } from '@google-cloud/firestore';
import * as v from 'valibot';
import { pollDue } from '../../functions/quality/emq-poller/poll-due.ts';
import { tellAlerts } from '../../functions/quality/emq-poller/tell-alerts.ts';
import type { Alert } from '../../shared/contracts/alert-documents.ts';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { datasetSchema } from '../../shared/contracts/relay-documents.ts';
import type { MatchQuality } from '../../shared/contracts/quality-documents.ts';
import type { OperatorKind } from '../../shared/domain/provisioning-path.ts';
import { startingWeights } from '../../shared/domain/match-quality/predict.ts';
import { AlertStore } from '../../shared/gcp/alert-store.ts';
import { MatchQualityStore } from '../../shared/gcp/match-quality-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createRelayCounters } from '../../shared/gcp/relay-counters.ts';
import { readRelayNumbers } from '../../shared/gcp/relay-numbers.ts';
import { tenantsInPages } from '../../shared/gcp/tenant-pages.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { AccessToken } from '../../shared/meta/access-token.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { Waiting } from '../../shared/runtime/outcomes.ts';
import type { JobReport } from '../../shared/runtime/scheduled-function.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { tenantOf } from '../tokens/token-world.ts';

const projectId = 'kobi-quality';
const start = new Date('2026-10-05T00:30:00.000Z');

export interface QualityTenant {
  readonly tenantId: string;
  readonly datasetId: string;
  readonly childBusinessId: string;
}

export interface QualityWorld {
  readonly simulator: Simulator;
  readonly db: Firestore;
  readonly store: MatchQualityStore;
  readonly clock: { now: Date };
  /** Topics and data of what was published, in order. */
  readonly published: {
    readonly topic: string;
    readonly tenantId: string;
    readonly state: string;
    readonly kind: string;
  }[];
  addTenant(tenantId: string, changes?: Partial<Tenant>, operator?: OperatorKind): Promise<QualityTenant>;
  /** Plants what Meta says of a dataset. */
  says(
    datasetId: string,
    events: Readonly<Record<string, { score: number; coverage?: Record<string, number> }>>,
  ): Promise<void>;
  /** Counts events as delivered now, all with the same identifiers. */
  delivered(tenantId: string, eventName: string, events: number, mix?: string): Promise<void>;
  /** One run of the job at the world's time; it is told to stop after so long. */
  run(stopAfterMs?: number, isAskedAgain?: boolean): Promise<JobReport>;
  picture(tenantId: string): Promise<MatchQuality | undefined>;
  alerts(tenantId: string): Promise<Alert[]>;
  later(ms: number): void;
  /** The tenant's token is gone, as after it was destroyed. */
  loseToken(tenantId: string): void;
  /** A live tenant whose token cannot be read, for a reason nobody knows; its poll is overdue. */
  addBroken(tenantId: string): Promise<void>;
  /** Nobody is there, and it is the beginning again. */
  reset(): void;
  close(): Promise<void>;
}

/** @param metaTakesMs how long Meta takes over a call, on the world's clock */
export async function startQualityWorld(metaTakesMs = 0): Promise<QualityWorld> {
  const clock = { now: start };
  const now = (): Date => clock.now;
  const simulator = await startSimulator({ now });
  const firestore = createInProcessFirestore({ projectId, nowMs: () => clock.now.getTime() });
  const db = firestore.connect();
  const caller = new GraphCaller(simulator.url);
  let passTime = (ms: number): void => void (clock.now = new Date(clock.now.getTime() + ms));
  const broken = new Set<string>();
  const tokens = new Map<string, AccessToken<OperatorKind>>();
  const published: QualityWorld['published'] = [];
  const store = new MatchQualityStore(db);
  const log = createLogger({ level: 'silent', functionName: 'emq-poller' });
  const outbox = new Outbox(db, {
    publish: async () => undefined,
    publishJson: async (topic, json) => {
      const { tenantId, data } = JSON.parse(json) as { tenantId: string; data: { state: string; kind: string } };
      published.push({ topic, tenantId, ...data });
    },
    close: async () => undefined,
  });
  const graph = createGraphClient({
    baseUrl: simulator.url,
    appSecret: async () => seed.appSecret,
    now: () => now().getTime(),
    sleep: async (ms) => passTime(ms),
    beforeCall: async () => passTime(metaTakesMs),
  });
  const readTenant = createTenantReader(db);
  const alertStore = new AlertStore({ db, outbox, now });
  const totals = async (tenantId: string, from: Date, to: Date) =>
    (await readRelayNumbers(db, tenantId, from, to)).total;
  let counterDocuments = 0;

  return {
    simulator,
    db,
    store,
    clock,
    published,
    async addTenant(tenantId, changes = {}, operator = 'child') {
      const { users } = await caller.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
        pages: [{}],
      });
      const [person] = users;
      const business =
        operator === 'fallback'
          ? { id: seed.parentBusinessId, token: seed.parentSystemUserToken, systemUserId: seed.parentSystemUserId }
          : await caller.newChild(await caller.logIn({ sim_user: person?.id ?? '' }), {
              shared_page_id: person?.pages[0]?.id,
              child_business_external_id: `kobi_${tenantId}_meta`,
            });
      const adAccountId = await caller.newAdAccount(business);
      const datasetId = await caller.newPixel(business, adAccountId);
      tokens.set(`${tenantId} ${operator}`, new AccessToken(operator, business.token));
      const assets = {
        runId: 'run-1',
        operator,
        businessId: business.id,
        adAccountId,
        datasetId,
        catalogId: null,
      } as const;
      await db.doc(paths.tenant(tenantId)).set(tenantOf({ tenantId, slug: tenantId, assets, ...changes }));
      const facts = { datasetId, tenantId, country: 'TR', vertical: 'ecommerce', createdAt: start.toISOString() };
      await db.doc(paths.dataset(datasetId)).set(v.parse(datasetSchema, facts));
      return { tenantId, datasetId, childBusinessId: business.id };
    },
    async says(datasetId, events) {
      const web = Object.entries(events).map(([eventName, { score, coverage = {} }]) => ({
        eventName,
        compositeScore: score,
        coverage: Object.entries(coverage).map(([identifier, percentage]) => ({ identifier, percentage })),
      }));
      await caller.control('POST', '/quality', { dataset: datasetId, web });
    },
    async delivered(tenantId, eventName, events, mix = '71') {
      counterDocuments += 1;
      const counters = createRelayCounters({ db, now, instance: `test-${counterDocuments}` });
      counters.count(tenantId, eventName, 'received', events);
      counters.count(tenantId, eventName, 'delivered', events);
      counters.count(tenantId, eventName, `keys:${mix}`, events);
      await counters.flush();
    },
    async run(stopAfterMs = Infinity, isAskedAgain = false) {
      const begun = now();
      const stop = new AbortController();
      const pass = (ms: number): void => {
        clock.now = new Date(clock.now.getTime() + ms);
        if (clock.now.getTime() - begun.getTime() >= stopAfterMs) stop.abort();
      };
      passTime = pass;
      // As if the job had run ten minutes before, or for this very slot.
      const lastSlot = new Date(begun.getTime() - (isAskedAgain ? 0 : 600_000));
      return pollDue(
        { slot: begun, lastSlot, signal: stop.signal },
        {
          store,
          graph,
          log,
          now,
          totals,
          credentials: {
            async operator(tenantId, kind) {
              if (broken.has(tenantId)) throw new Error('the secret store answers nonsense');
              const token = tokens.get(`${tenantId} ${kind}`);
              if (token !== undefined) return token;
              throw new Waiting({ on: 'kobi', for: 'child-token', what: 'Mint a token.', pollEveryMs: 1 });
            },
          },
          weights: async () => startingWeights,
          tenants: () => tenantsInPages(db),
          assetsOf: async (tenantId) => {
            const tenant = await readTenant(tenantId);
            return tenant?.status === 'live' ? (tenant.assets ?? undefined) : undefined;
          },
          sleep: async (ms) => pass(ms),
          tellAlerts: tellAlerts({
            alerts: alertStore,
            deliver: (messages) => outbox.deliver(messages),
            changesSince: (tenantId, since) => store.changesSince(tenantId, since),
            totals,
            weights: async () => startingWeights,
            now,
          }),
        },
      );
    },
    picture: (tenantId) => store.read(tenantId),
    alerts: (tenantId) => alertStore.ofTenant(tenantId),
    later: (ms) => void (clock.now = new Date(clock.now.getTime() + ms)),
    loseToken: (tenantId) => void tokens.delete(`${tenantId} child`),
    async addBroken(tenantId) {
      broken.add(tenantId);
      const assets = {
        runId: 'run-1',
        operator: 'child',
        businessId: '1',
        adAccountId: 'act_1',
        datasetId: '1',
        catalogId: null,
      } as const;
      await db.doc(paths.tenant(tenantId)).set(tenantOf({ tenantId, slug: tenantId, assets }));
      const overdue = new Date(now().getTime() - 60 * 60_000).toISOString();
      const picture = { tenantId, datasetId: '1', nextPollAt: overdue, lastPolledAt: null, lastReadingAt: null };
      await store.write({ ...picture, trouble: null, events: {} });
    },
    reset() {
      broken.clear();
      firestore.clear();
      simulator.reset();
      tokens.clear();
      published.length = 0;
      clock.now = start;
    },
    async close() {
      await graph.close();
      await simulator.close();
    },
  };
}
