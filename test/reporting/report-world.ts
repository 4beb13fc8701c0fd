/**
 * Reporting under full control: the functions' own code, Firestore's engine in this process, the Graph client against the simulator,
 * DuckDB for the warehouse, and messages and time that move only when told.
 */
import type { Firestore } from '@google-cloud/firestore';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { openReports } from '../../functions/reporting/insights-report/open-reports.ts';
import { readAccountReports } from '../../functions/reporting/insights-account/read-account-reports.ts';
import { AlertStore } from '../../shared/gcp/alert-store.ts';
import { InsightsRuns } from '../../shared/gcp/insights-runs.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { ReportingAccounts } from '../../shared/gcp/reporting-accounts.ts';
import { tenantsInPages } from '../../shared/gcp/tenant-pages.ts';
import { AccessToken, asFallbackToken } from '../../shared/meta/access-token.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { JobReport } from '../../shared/runtime/scheduled-function.ts';
import type { TenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { createDuckDbWarehouse } from '../local/google/bigquery/duckdb-warehouse.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import type { InProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import type { OperatorKind } from '../../shared/domain/provisioning-path.ts';
import type { AccountPlan, AccountTruth } from '../simulator/insights/truth.ts';
import { minorDigitsOf } from '../simulator/meta-enums.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { newBusiness } from '../simulator/store.ts';
import type { AdAccount } from '../simulator/world.ts';

export interface PlantedAccount {
  readonly tenantId: string;
  readonly adAccountId: string;
  readonly token: string;
  readonly operator: OperatorKind;
  readonly truth: AccountTruth;
}

/** What a process of reports does outside itself. */
export type WorldCall = 'get' | 'post' | 'page' | 'stage' | 'merge';

const projectId = 'kobi-reports';
const log = createLogger({ level: 'silent', functionName: 'test' });
const neverAborted = new AbortController().signal;

export class ReportWorld {
  readonly clock = { now: new Date('2026-11-25T06:00:00Z') };
  readonly simulator: Simulator;
  readonly firestore: InProcessFirestore;
  readonly db: Firestore;
  readonly graph: GraphClient;
  readonly warehouse: Awaited<ReturnType<typeof createDuckDbWarehouse>>;
  readonly runs: InsightsRuns;
  readonly alerts: AlertStore;
  readonly reportingAccounts: ReportingAccounts;
  readonly outbox: Outbox;
  readonly accounts: PlantedAccount[] = [];
  /** Graph calls by operation. */
  readonly calls = new Map<string, number>();
  /** Graph calls of every operation. */
  callsMade = 0;
  /** How often each page of a report run was asked for: by the run and the cursor. */
  readonly pagesAsked = new Map<string, number>();
  /** Messages published and not delivered yet, with when they are due. */
  readonly messages: { topic: string; json: string; atMs: number }[] = [];
  readonly now = (): Date => this.clock.now;
  /** Asked before each call to Meta and to the warehouse; true: the process dies there, and nothing of it ever goes on. */
  diesBefore: (call: WorldCall) => boolean = () => false;
  /** Asked likewise; the process stands still until the promise is kept. */
  waitsBefore: (call: WorldCall) => Promise<void> | undefined = () => undefined;

  /** Tokens as Secret Manager would give them. */
  readonly credentials: Pick<TenantCredentials, 'operator'> = {
    operator: async (tenantId, operator) => {
      if (operator === 'fallback') return asFallbackToken(new AccessToken('parent', seed.parentSystemUserToken));
      const account = this.accounts.find((each) => each.tenantId === tenantId && each.operator === 'child');
      return new AccessToken('child', account?.token ?? 'none');
    },
  };

  private constructor(parts: {
    simulator: Simulator;
    firestore: InProcessFirestore;
    warehouse: Awaited<ReturnType<typeof createDuckDbWarehouse>>;
    clock: { now: Date };
  }) {
    this.clock = parts.clock;
    this.simulator = parts.simulator;
    this.firestore = parts.firestore;
    this.warehouse = parts.warehouse;
    this.db = parts.firestore.connect();
    this.outbox = new Outbox(this.db, {
      publishJson: async (topic: string, json: string) => {
        this.messages.push({ topic, json, atMs: this.clock.now.getTime() });
      },
    } as unknown as ConstructorParameters<typeof Outbox>[1]);
    this.runs = new InsightsRuns({ db: this.db, outbox: this.outbox, now: this.now });
    this.alerts = new AlertStore({ db: this.db, outbox: this.outbox, now: this.now });
    this.reportingAccounts = new ReportingAccounts({ db: this.db, now: this.now });
    this.graph = createGraphClient({
      baseUrl: parts.simulator.url,
      appSecret: async () => seed.appSecret,
      now: () => this.clock.now.getTime(),
      onCall: ({ method, path }) => {
        this.callsMade += 1;
        this.calls.set(`${method} ${path}`, (this.calls.get(`${method} ${path}`) ?? 0) + 1);
      },
      sleep: async () => undefined,
      random: () => 0,
    });
  }

  static async start(startAt = '2026-11-25T06:00:00Z'): Promise<ReportWorld> {
    const clock = { now: new Date(startAt) };
    const simulator = await startSimulator({ now: () => clock.now, logLimit: 10 });
    const firestore = createInProcessFirestore({ projectId });
    return new ReportWorld({ simulator, firestore, warehouse: await createDuckDbWarehouse(), clock });
  }

  async close(): Promise<void> {
    await this.graph.close();
    await this.simulator.close();
    this.warehouse.engine.close();
  }

  /**
   * A live tenant with a business, its system user's token and an ad account with a past; or, collaborative, a further ad
   * account of a tenant there is. On the fallback path the account is in the parent business, and its token reads it.
   */
  async plant(
    tenantId: string,
    plan: Partial<AccountPlan> & { currency?: string; operator?: OperatorKind } = {},
  ): Promise<PlantedAccount> {
    const { currency = 'TRY', timeZone = 'Europe/Istanbul', operator = 'child', ...rest } = plan;
    const { context, store } = this.simulator;
    const nowMs = this.clock.now.getTime();
    const owner = operator === 'fallback' ? this.#parent() : this.#child(tenantId);
    const { businessId, systemUserId, token } = owner;
    const accountId = store.newId('ad_account');
    const account = store.add<AdAccount>({
      kind: 'ad_account',
      id: `act_${accountId}`,
      accountId,
      businessId,
      name: `kobi_${tenantId}_meta`,
      currency,
      timezoneId: 1,
      endAdvertiser: 'NONE',
      mediaAgency: 'NONE',
      partner: 'NONE',
      fundingId: undefined,
      invoice: false,
      accountStatus: 1,
      disableReason: 0,
      spendCapMinor: 0n,
      amountSpentMinor: 0n,
      spendCapChangesMs: [],
      dsaBeneficiary: '',
      dsaPayor: '',
      createdAtMs: nowMs,
      assigned: new Map([[systemUserId, ['MANAGE', 'ADVERTISE', 'ANALYZE']]]),
      pixelIds: [],
      instagramIds: [],
      subscribedAppIds: new Set(),
    });
    store.get('business', businessId).adAccountIds.push(account.id);
    const truth = context.insights.plant(accountId, {
      seed: tenantId,
      since: '2025-01-01',
      campaigns: 2,
      adsPerCampaign: 2,
      cells: 3,
      timeZone,
      minorDigits: minorDigitsOf(currency) === 0 ? 0 : 2,
      ...rest,
    });
    const planted = { tenantId, adAccountId: account.id, token, operator, truth };
    if (truth.plan.isCollaborative === true) {
      await this.reportingAccounts.add(tenantId, { adAccountId: account.id, retailer: 'Trendyol' }, 'test');
    } else {
      const assets = { runId: 'run-1', operator, businessId, adAccountId: account.id, datasetId: '1', catalogId: null };
      await this.db.doc(paths.tenant(tenantId)).set({ ...tenantOf(tenantId, timeZone), assets });
    }
    this.accounts.push(planted);
    return planted;
  }

  #parent(): { businessId: string; systemUserId: string; token: string } {
    const { parentBusinessId: businessId, parentSystemUserId: systemUserId, parentSystemUserToken: token } = seed;
    return { businessId, systemUserId, token };
  }

  /** The tenant's child business, made when there is none yet. */
  #child(tenantId: string): { businessId: string; systemUserId: string; token: string } {
    const known = this.accounts.find((each) => each.tenantId === tenantId);
    const { context, store } = this.simulator;
    if (known !== undefined) {
      const { businessId } = store.get('ad_account', known.adAccountId);
      const [systemUserId = ''] = store.get('business', businessId).systemUserIds;
      return { businessId, systemUserId, token: known.token };
    }
    const nowMs = this.clock.now.getTime();
    const business = store.add(newBusiness(store.newId('business'), tenantId, 'ECOMMERCE', nowMs));
    business.parentId = seed.parentBusinessId;
    const systemUserId = store.newId('system_user');
    store.add({
      kind: 'system_user',
      id: systemUserId,
      name: 'child',
      role: 'ADMIN',
      businessId: business.id,
      createdAtMs: nowMs,
    });
    business.systemUserIds.push(systemUserId);
    const token = context.tokens.issue({
      kind: 'system_user',
      ownerId: systemUserId,
      businessId: business.id,
      scopes: ['ads_read', 'ads_management', 'business_management'],
      pageIds: undefined,
      life: 'never',
    });
    return { businessId: business.id, systemUserId, token: token.value };
  }

  /** insights-report's hourly run. */
  async openReports(): Promise<JobReport> {
    return openReports(
      {
        tenants: () => tenantsInPages(this.db),
        accounts: (tenant) => this.reportingAccounts.of(tenant),
        runs: this.runs,
        outbox: this.outbox,
        now: this.now,
        log,
      },
      { runId: `insights-report:${this.clock.now.toISOString()}`, signal: neverAborted },
    );
  }

  /** Delivers what is due, moves time to the next message, and goes on until there is none. Returns the deliveries. */
  async work(limit = 10_000): Promise<number> {
    let deliveries = 0;
    for (; deliveries < limit; deliveries += 1) {
      this.messages.sort((a, b) => a.atMs - b.atMs);
      const next = this.messages.shift();
      if (next === undefined) break;
      if (next.atMs > this.clock.now.getTime()) this.clock.now = new Date(next.atMs);
      await this.deliver(next);
    }
    return deliveries;
  }

  /** False when the process died on the way: the message is then not acknowledged. */
  async deliver(message: { topic: string; json: string }): Promise<boolean> {
    if (message.topic !== 'insights-account') return true;
    const death = Promise.withResolvers<'died'>();
    const parsed = parseEnvelope('insights-account', JSON.parse(message.json));
    if (!parsed.ok) throw new Error(parsed.problems.join(', '));
    const { envelope } = parsed;
    const { graph, warehouse } = this;
    /** Lets the call through, or never returns when the process dies before it. */
    const unlessDead = async <T>(name: WorldCall, call: () => Promise<T>): Promise<T> => {
      await this.waitsBefore(name);
      if (!this.diesBefore(name)) return call();
      death.resolve('died');
      return new Promise(() => undefined);
    };
    const work = readAccountReports(
      envelope,
      {
        graph: {
          as: (token) => {
            const as = graph.as(token);
            return {
              ...as,
              get: (...args) => unlessDead('get', () => as.get(...args)),
              post: (...args) => unlessDead('post', () => as.post(...args)),
              page: (path, params, ...more) => {
                const name = JSON.stringify([path, params['after']]);
                return unlessDead('page', async () => {
                  const made = this.callsMade;
                  try {
                    return await as.page(path, params, ...more);
                  } finally {
                    // What the client held back itself was not asked for.
                    if (this.callsMade > made) this.pagesAsked.set(name, (this.pagesAsked.get(name) ?? 0) + 1);
                  }
                });
              },
            };
          },
        },
        credentials: this.credentials,
        runs: this.runs,
        warehouse: {
          stage: (...args) => unlessDead('stage', () => warehouse.stage(...args)),
          merge: (...args) => unlessDead('merge', () => warehouse.merge(...args)),
        },
        alerts: this.alerts,
        outbox: this.outbox,
        now: this.now,
      },
      log,
    );
    const outcome = await Promise.race([work, death.promise]);
    if (outcome === 'died') return false;
    if (outcome.kind === 'retry') {
      this.messages.push({ ...message, atMs: this.clock.now.getTime() + (outcome.afterMs ?? 10_000) });
    }
    return true;
  }

  /** Forgets tenants and messages; the warehouse and the simulator stay as they are. */
  forget(): void {
    this.firestore.clear();
    this.accounts.length = 0;
    this.messages.length = 0;
    this.pagesAsked.clear();
    this.diesBefore = () => false;
    this.waitsBefore = () => undefined;
  }

  later(ms: number): void {
    this.clock.now = new Date(this.clock.now.getTime() + ms);
  }
}

export function tenantOf(tenantId: string, timezone: string): Tenant {
  return {
    tenantId,
    slug: tenantId,
    name: tenantId,
    planId: 'growth',
    vertical: 'ecommerce',
    skus: ['ecommerce'],
    country: 'TR',
    currency: 'TRY',
    timezone,
    domains: ['shop.example'],
    status: 'live',
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'test',
    terms: null,
    connection: null,
    currentRunId: 'run-1',
    domainVerification: 'auto',
  };
}
