import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Drift } from '../../../shared/contracts/drift-documents.ts';
import type { DriftItemName } from '../../../shared/domain/drift.ts';
import { nextOwnTimeAfter } from '../../../shared/domain/own-time.ts';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { DriftStore } from '../../../shared/gcp/drift-store.ts';
import { IssueStore } from '../../../shared/gcp/issue-store.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { readTenantRecords } from '../../../shared/gcp/tenant-records.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { paths } from '../../../shared/contracts/documents.ts';
import { startFallbackWorld } from '../../../test/faults/fallback-world.ts';
import type { FallbackWorld } from '../../../test/faults/fallback-world.ts';
import type { OnboardingWorld } from '../../../test/faults/onboarding-world.ts';
import { seed } from '../../../test/simulator/seed.ts';
import type { AdAccount, Business, Campaign } from '../../../test/simulator/world.ts';
import { driftView } from '../../tenants/tenant-api/drift-view.ts';
import { checkDue } from './check-due.ts';
import type { CheckDueDependencies } from './check-due.ts';
import { checkEveryMs } from './check-tenant.ts';

const once = { times: 1, reversed: false };
const hourMs = 60 * 60_000;
const published: { state: string; kind: string; tenantId: string; severity: string }[] = [];
const graphs: GraphClient[] = [];

let meta: FallbackWorld;
let world: OnboardingWorld;
let job: CheckDueDependencies & { readonly store: DriftStore };
let alerts: AlertStore;

beforeAll(async () => {
  meta = await startFallbackWorld();
});
afterAll(async () => {
  await Promise.all(graphs.map((graph) => graph.close()));
  await meta.close();
});
beforeEach(async () => {
  world = await meta.reset();
  published.length = 0;
  const { clock, db } = meta;
  const now = (): Date => clock.now;
  const credentials = createTenantCredentials({ secrets: meta.openSecrets() });
  const graph = createGraphClient({
    baseUrl: meta.simulator.url,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    sleep: async () => undefined,
  });
  graphs.push(graph);
  const outbox = new Outbox(db, {
    publish: async () => undefined,
    publishJson: async (_topic, json) => {
      const { data, tenantId } = JSON.parse(json) as { tenantId: string; data: (typeof published)[number] };
      published.push({ tenantId, state: data.state, kind: data.kind, severity: data.severity });
    },
    close: async () => undefined,
  });
  alerts = new AlertStore({ db, outbox, now });
  job = {
    store: new DriftStore({ db, alerts, now }),
    tenants: () => tenantsInPages(db),
    recordsOf: (tenantId) => readTenantRecords(db, tenantId),
    credentials,
    graph,
    kobi: { appId: seed.appId, extendedCreditId: seed.extendedCreditId },
    issues: new IssueStore(db, now),
    reopen: (...asked) => new TenantChanges({ db, outbox, now, leaseMs: 150_000 }).reopen(...asked),
    deliver: (messages) => outbox.deliver(messages),
    sleep: async () => undefined,
    log: createLogger({ level: 'silent', functionName: 'drift-check' }),
    now,
  };
});

async function goLive(tenantId: string, path: 'two-tier' | 'fallback' = 'two-tier'): Promise<void> {
  await meta.connect(world, tenantId);
  if (path === 'two-tier') await meta.grantPre10();
  await world.run(tenantId, once);
  expect((await world.tenant(tenantId))?.status).toBe('live');
}

/** Runs the job at these intervals for so long. A tenant's time comes once in a day, whatever the interval. */
async function pass(ms: number, everyMs: number): Promise<Record<string, number>> {
  const total: Record<string, number> = {};
  const endMs = meta.clock.now.getTime() + ms;
  for (let lastSlot: Date | undefined; meta.clock.now.getTime() < endMs;) {
    meta.clock.now = new Date(meta.clock.now.getTime() + everyMs);
    const slot = meta.clock.now;
    const run = { slot, lastSlot, signal: new AbortController().signal };
    const report: JobReport = await checkDue(run, job);
    for (const [name, count] of Object.entries(report)) total[name] = (total[name] ?? 0) + count;
    lastSlot = slot;
  }
  return total;
}
const passADay = (): Promise<Record<string, number>> => pass(checkEveryMs, checkEveryMs / 2);

async function driftOf(tenantId: string): Promise<Drift> {
  const drift = await job.store.read(tenantId);
  if (drift === undefined) throw new Error(`${tenantId} was not taken in`);
  return drift;
}
const openAlerts = async (tenantId: string) =>
  (await alerts.ofTenant(tenantId)).filter(({ resolvedAt }) => resolvedAt === null);

function accountOf(tenantId: string): AdAccount {
  const account = meta.simulator.store.all('ad_account').find(({ name }) => name === `kobi_${tenantId}_meta`);
  if (account === undefined) throw new Error('no such ad account');
  return account;
}
function ownerOf(account: AdAccount): Business {
  return meta.simulator.store.get('business', account.businessId);
}
/** Meta answers no call of this path, or none at all. */
const breakMeta = (fault: Record<string, unknown>) => meta.graph.control('POST', '/faults', { times: 0, ...fault });

type PutBack = () => unknown;

/** What somebody may do behind our back, what it is told as, and how it is put back. */
const acts: readonly (readonly [string, string, string, (account: AdAccount) => PutBack | Promise<PutBack>])[] = [
  [
    'renames the child business',
    'child-business-name',
    'Somebody Else',
    (account) => {
      const business = ownerOf(account);
      const { name } = business;
      business.name = 'Somebody Else';
      return () => void (business.name = name);
    },
  ],
  [
    'renames the ad account',
    'ad-account-name',
    'Mine',
    (account) => {
      const { name } = account;
      account.name = 'Mine';
      return () => void (account.name = name);
    },
  ],
  [
    'gets the ad account disabled',
    'ad-account-status',
    'disabled',
    (account) => {
      account.accountStatus = 2;
      return () => void (account.accountStatus = 1);
    },
  ],
  [
    'raises the spend cap',
    'spend-cap',
    '99900000',
    (account) => {
      const { spendCapMinor } = account;
      account.spendCapMinor = 99_900_000n;
      return () => void (account.spendCapMinor = spendCapMinor);
    },
  ],
  [
    'takes the spend cap away',
    'spend-cap',
    'none',
    (account) => {
      const { spendCapMinor } = account;
      account.spendCapMinor = 0n;
      return () => void (account.spendCapMinor = spendCapMinor);
    },
  ],
  [
    'deletes the pixel',
    'dataset',
    'none',
    (account) => {
      const { pixelIds } = account;
      account.pixelIds = [];
      return () => void (account.pixelIds = pixelIds);
    },
  ],
  [
    'takes the Page back',
    'page-link',
    'none',
    (account) => {
      const business = ownerOf(account);
      const { clientPageIds } = business;
      business.clientPageIds = new Set();
      return () => void (business.clientPageIds = clientPageIds);
    },
  ],
  [
    'deletes the catalog',
    'catalog',
    'not visible to Kobi',
    (account) => {
      const { store } = meta.simulator;
      const catalog = store.get('catalog', ownerOf(account).catalogIds[0] ?? '');
      store.remove(catalog);
      return () => void store.add(catalog);
    },
  ],
  [
    'takes the credit back',
    'credit-allocation',
    'none',
    async ({ businessId }) => {
      const { store } = meta.simulator;
      const allocation = store.all('credit_allocation').find((one) => one.receivingBusinessId === businessId);
      await meta.graph.done(meta.graph.delete(`/${allocation?.id ?? ''}`, seed.parentSystemUserToken));
      return () =>
        meta.graph.done(
          meta.graph.post(`/${seed.extendedCreditId}/owning_credit_allocation_configs`, seed.parentSystemUserToken, {
            receiving_business_id: businessId,
          }),
        );
    },
  ],
  [
    'ends the webhook subscription',
    'webhook-subscription',
    'none',
    (account) => {
      const apps = [...account.subscribedAppIds];
      account.subscribedAppIds.clear();
      return () => apps.forEach((app) => account.subscribedAppIds.add(app));
    },
  ],
];

describe('somebody', () => {
  it('who changes anything behind our back is told of within a day, and no more once it is put back', async () => {
    await goLive('acme');
    await passADay();
    const fine = await passADay();
    expect(fine).toMatchObject({ differs: 0, unknown: 0, failed: 0 });
    expect(fine['same']).toBeGreaterThan(0);
    expect(await driftOf('acme')).toMatchObject({ differences: {}, unknown: [] });
    const before = JSON.stringify((await world.steps('acme')).map(({ products }) => products));

    for (const [deed, item, found, act] of acts) {
      const putBack = await act(accountOf('acme'));
      await passADay();
      const { differences, unknown } = await driftOf('acme');
      expect([deed, Object.keys(differences), unknown]).toEqual([deed, [item], []]);
      const [difference] = driftView(await driftOf('acme')).differences;
      expect(difference, deed).toMatchObject({ item, found });
      expect(difference?.expected, deed).not.toBe(found);
      expect(
        (await openAlerts('acme')).map(({ kind }) => kind),
        deed,
      ).toEqual(['drift']);
      await putBack();
      await passADay();
      expect((await driftOf('acme')).differences, `${deed}, put back`).toEqual({});
      expect(await openAlerts('acme'), deed).toEqual([]);
    }
    const told = published.filter(({ kind }) => kind === 'drift').map(({ state }) => state);
    expect(told).toEqual(acts.flatMap(() => ['raised', 'resolved']));
    // Nothing was put back by us, neither at Meta nor in what is recorded.
    expect(JSON.stringify((await world.steps('acme')).map(({ products }) => products))).toBe(before);
    const { entries } = await meta.graph.control<{ entries: { method: string; at: string }[] }>('GET', '/log');
    const writes = entries.filter(({ method }) => method !== 'GET').length;
    await passADay();
    const after = await meta.graph.control<{ entries: { method: string }[] }>('GET', '/log');
    expect(after.entries.filter(({ method }) => method !== 'GET')).toHaveLength(writes);
  });

  it('who changes several things causes one alert, which names each', async () => {
    await goLive('acme');
    await passADay();
    const account = accountOf('acme');
    account.spendCapMinor = 99_900_000n;
    account.name = 'Mine';
    await passADay();
    const [alert, ...others] = await openAlerts('acme');
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ kind: 'drift', severity: 'page' });
    expect(alert?.summary).toMatch(/name of the ad account is Mine at Meta.*spend cap .* is 99900000 at Meta/);
    const since = (await driftOf('acme')).differences['ad-account-name']?.since;
    account.spendCapMinor = BigInt((await readTenantRecords(meta.db, 'acme'))?.spendCapMinor ?? 0);
    await passADay();
    expect(await openAlerts('acme')).toMatchObject([{ severity: 'notice', occurrence: 1 }]);
    expect((await driftOf('acme')).differences).toEqual({
      'ad-account-name': { expected: 'kobi_acme_meta', found: 'Mine', since },
    });
  });
});

describe('Meta', () => {
  it('that does not answer is never drift, and ends none that was told; it is asked again within the hour', async () => {
    await goLive('acme');
    await passADay();
    const account = accountOf('acme');
    const { name } = account;
    account.name = 'Mine';
    await passADay();
    account.name = name;
    account.pixelIds = [];
    await breakMeta({ error: { code: 2, message: 'Service temporarily unavailable' } });
    const silent = await pass(checkEveryMs, hourMs);
    expect(silent).toMatchObject({ same: 0, failed: 0 });
    expect(silent['differs']).toBeGreaterThan(1);
    const drift = await driftOf('acme');
    expect(Object.keys(drift.differences)).toEqual(['ad-account-name']);
    expect(drift.unknown).toHaveLength(9);
    expect(await openAlerts('acme')).toMatchObject([{ occurrence: 1 }]);
    await meta.graph.control('DELETE', '/faults');
    await pass(hourMs, hourMs / 2);
    expect(Object.keys((await driftOf('acme')).differences)).toEqual(['dataset']);
  });

  it('that refuses one answer leaves that one unknown and compares the rest', async () => {
    await goLive('acme');
    await passADay();
    accountOf('acme').name = 'Mine';
    await breakMeta({ path: '/{id}/promote_pages', error: { code: 200, message: '(#200) Permissions error' } });
    await passADay();
    expect(await driftOf('acme')).toMatchObject({ unknown: ['page-link'], differences: { 'ad-account-name': {} } });
  });
});

const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

describe('a difference that a person accepted', () => {
  const wish = { reason: 'agreed with the client', actor: 'ada', traceparent: trace };
  const spendCap = async () => (await driftOf('acme')).differences['spend-cap'];
  const accept = async (item: DriftItemName, found: string): Promise<void> => {
    const { kind, messages } = await job.store.accept('acme', item, { ...wish, found });
    expect(kind).toBe('accepted');
    await job.deliver(messages);
  };

  it('is over with its alert, is what is expected from then on, and counts until the record changes', async () => {
    await goLive('acme');
    await passADay();
    const account = accountOf('acme');
    const recorded = account.spendCapMinor;
    account.spendCapMinor = 2_000_000n;
    await passADay();
    expect(await spendCap()).toMatchObject({ expected: String(recorded), found: '2000000' });
    expect(await openAlerts('acme')).toHaveLength(1);
    await accept('spend-cap', '2000000');
    expect(await openAlerts('acme')).toEqual([]);
    await passADay();
    expect(await spendCap()).toBeUndefined();

    account.spendCapMinor = 3_000_000n;
    await passADay();
    expect(await spendCap()).toMatchObject({ expected: '2000000', found: '3000000' });
    await accept('spend-cap', '3000000');
    await passADay();
    expect((await driftOf('acme')).accepted['spend-cap']).toMatchObject({
      recorded: String(recorded),
      found: '3000000',
    });

    await world.act(async ({ changes }) => {
      const changed = await changes.change('acme', { planId: 'growth' }, 'The client asked for it.', 'ada', trace);
      return 'messages' in changed ? changed.messages : [];
    });
    await world.run('acme', once);
    await passADay();
    expect(await driftOf('acme')).toMatchObject({ differences: {}, accepted: {} });
    account.spendCapMinor = 3_000_000n;
    await passADay();
    expect(await spendCap(), 'accepted for the plan before').toMatchObject({ expected: '9000000' });
  });

  it('and that is put back to what was recorded is forgotten: the next change is told', async () => {
    await goLive('acme');
    await passADay();
    const account = accountOf('acme');
    const { name } = account;
    account.name = 'Mine';
    await passADay();
    await accept('ad-account-name', 'Mine');
    account.name = name;
    await passADay();
    expect(await driftOf('acme')).toMatchObject({ differences: {}, accepted: {} });
    account.name = 'Mine';
    await passADay();
    expect(Object.keys((await driftOf('acme')).differences)).toEqual(['ad-account-name']);
  });
});

it('an Instagram account that the client links later is taken in within a day, by one step and once', async () => {
  await meta.connect(world, 'acme');
  await meta.grantPre10();
  const { log, store } = meta.simulator;
  const page = store.all('page').find(({ name }) => name === 'acme');
  page!.instagramId = undefined;
  await world.run('acme', once);
  const link = async () => (await world.steps('acme')).find(({ step }) => step === 'link-page-and-instagram');
  expect((await link())?.products).toMatchObject({ instagramIdentity: 'page-backed' });
  await passADay();
  await passADay();
  expect((await link())?.state).toBe('done');
  store.linkInstagram(page!, 'acme.later', meta.clock.now.getTime());
  await passADay();
  const attempts = (await world.steps('acme')).map(({ attempt }) => attempt);
  await world.run('acme', once);
  expect(await link()).toMatchObject({ state: 'done', products: { instagramIdentity: 'instagram-account' } });
  const after = await world.steps('acme');
  const ran = after.filter(({ attempt }, index) => attempt !== attempts[index]).map(({ step }) => step);
  expect(ran).toEqual(['link-page-and-instagram']);
  const asked = log.entries().length;
  await passADay();
  const operations = log
    .entries()
    .slice(asked)
    .map(({ operation }) => operation);
  expect(operations).not.toContain('read_page');
  expect(await driftOf('acme')).toMatchObject({ differences: {} });
});

it('a child business that Meta took under the public name is no difference, also once the tenant is called otherwise', async () => {
  meta.simulator.context.switches.business_name_rejects_underscore = '3974';
  await goLive('acme');
  expect(ownerOf(accountOf('acme')).name).toBe('Acme Shop');
  await meta.db.doc(paths.tenant('acme')).update({ name: 'Acme & Daughters' });
  await passADay();
  await passADay();
  expect(await driftOf('acme')).toMatchObject({ differences: {}, unknown: [] });
  ownerOf(accountOf('acme')).name = 'Acme & Daughters';
  await passADay();
  expect((await driftOf('acme')).differences).toMatchObject({ 'child-business-name': { expected: 'Acme Shop' } });
});

describe('a tenant', () => {
  it('with trouble keeps no other from being compared', async () => {
    await goLive('broken');
    await goLive('well');
    await passADay();
    accountOf('well').name = 'Mine';
    const { recordsOf } = job;
    job = {
      ...job,
      recordsOf: async (tenantId) => {
        if (tenantId === 'broken') throw new Error('a document of another shape');
        return recordsOf(tenantId);
      },
    };
    const report = await passADay();
    expect(report['failed']).toBeGreaterThan(0);
    expect(Object.keys((await driftOf('well')).differences)).toEqual(['ad-account-name']);
    expect((await driftOf('broken')).differences).toEqual({});
  });

  it('on the fallback path is compared with what it has, without a business and a credit share of its own', async () => {
    await goLive('first', 'fallback');
    await passADay();
    expect(await driftOf('first')).toMatchObject({ differences: {}, unknown: [] });
    const account = accountOf('first');
    account.spendCapMinor = 0n;
    account.pixelIds = [];
    await passADay();
    expect(Object.keys((await driftOf('first')).differences)).toEqual(['spend-cap', 'dataset']);
  });

  it('that is moved off the fallback path is compared with its new account, never with the one that was closed', async () => {
    await goLive('first', 'fallback');
    await passADay();
    await meta.grantPre10();
    await world.toTwoTier('first');
    await meta.connectAgain(world, 'first');
    await passADay();
    expect((await driftOf('first')).differences).toEqual({});
    await world.run('first', once);
    expect((await world.tenant('first'))?.assets?.operator).toBe('child');
    await passADay();
    expect(await driftOf('first')).toMatchObject({ differences: {}, unknown: [] });
    expect(published).toEqual([]);
  });

  it('whose plan changes while Meta is asked is not told as a difference', async () => {
    await goLive('acme');
    await passADay();
    const { recordsOf } = job;
    let reads = 0;
    const before = await recordsOf('acme');
    job = {
      ...job,
      // The step was done again between our reading of the record and Meta's answer.
      recordsOf: async (tenantId) => {
        reads += 1;
        return reads === 1 && before ? { ...before, spendCapMinor: 100 } : recordsOf(tenantId);
      },
    };
    expect(await passADay()).toMatchObject({ moving: 1, differs: 0 });
    expect(await driftOf('acme')).toMatchObject({ differences: {} });
    expect(published).toEqual([]);
  });

  it('that ends is looked at no more, and its alert ends with it', async () => {
    await goLive('acme');
    await passADay();
    accountOf('acme').name = 'Mine';
    await passADay();
    expect(await openAlerts('acme')).toHaveLength(1);
    await meta.db.doc(paths.tenant('acme')).update({ status: 'offboarding' });
    await passADay();
    expect(await job.store.read('acme')).toBeUndefined();
    expect(await openAlerts('acme')).toEqual([]);
  });

  it('has a time of the day of its own, the same every day', () => {
    const at = new Date('2026-11-25T12:00:00Z');
    const times = Array.from({ length: 240 }, (_, index) => nextOwnTimeAfter(`shop-${index}`, checkEveryMs, at));
    const quarters = Map.groupBy(times, (time) => Math.floor((time.getTime() - at.getTime() - 1) / (checkEveryMs / 4)));
    expect(new Set(quarters.keys())).toEqual(new Set([0, 1, 2, 3]));
    for (const quarter of quarters.values()) expect(quarter.length).toBeGreaterThan(35);
    for (const [index, time] of times.entries()) {
      expect(nextOwnTimeAfter(`shop-${index}`, checkEveryMs, time).getTime() - time.getTime()).toBe(checkEveryMs);
    }
  });
});

it('an issue of an ad object ends within a day of the object being well at Meta, and not before; trouble later opens it again', async () => {
  await goLive('acme');
  const account = accountOf('acme');
  const { store } = meta.simulator;
  const campaign = (id: string): Campaign => ({
    kind: 'campaign',
    id,
    accountId: account.accountId,
    businessId: account.businessId,
    name: id,
    objective: 'OUTCOME_SALES',
    status: 'WITH_ISSUES',
    createdAtMs: meta.clock.now.getTime(),
  });
  const [mended, ill] = [store.add(campaign('29000000000000077')), store.add(campaign('29000000000000078'))];
  const gone = '29000000000000079';
  const trouble = async (...ids: string[]): Promise<void> => {
    const at = meta.clock.now.toISOString();
    const told = ids.map((id) => ({ adAccountId: account.id, field: 'with_issues_ad_objects', at, value: { id } }));
    await job.issues.record(told);
  };
  const open = async () => (await job.issues.open('acme')).map(({ objectId }) => objectId).toSorted();
  await trouble(gone, mended.id, ill.id);
  await passADay();
  expect(await open()).toEqual([mended.id, ill.id, gone]);
  mended.status = 'PAUSED';
  await passADay();
  expect(await open()).toEqual([ill.id, gone]);
  await trouble(mended.id);
  mended.status = 'WITH_ISSUES';
  await passADay();
  expect(await open()).toEqual([mended.id, ill.id, gone]);
});
