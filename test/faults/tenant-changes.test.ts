/**
 * What changes after a tenant is live, and the invitation of a Page that did not come in with the consent: each with the
 * process dying after any call to Meta it makes, with lost answers, and with copies of every message.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StepRecord, Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import type { TenantChange } from '../../shared/gcp/tenant-changes.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import { startInProcessServices } from './in-process-services.ts';
import type { InProcessServices } from './in-process-services.ts';
import type { OnboardingWorld } from './onboarding-world.ts';
import { userTokenOf } from './simulated-client.ts';

const tenantId = 'acme-shop';
const once = { times: 1, reversed: false };
const thrice = { times: 3, reversed: true };
const dayMs = 24 * 60 * 60 * 1000;
const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

let services: InProcessServices;
let world: OnboardingWorld;
beforeAll(async () => {
  services = await startInProcessServices();
});
afterEach(() => world.close());
afterAll(() => services.close());

/** A tenant that has just gone live on the starter plan, 15 000 TRY. */
async function liveTenant(facts: Partial<Tenant> = {}): Promise<void> {
  world = await services.connectedWorld(tenantId, { tenant: { domains: [], ...facts } });
  await world.run(tenantId, once);
  expect((await world.tenant(tenantId))?.status).toBe('live');
}

const change = (wanted: TenantChange): Promise<void> =>
  world.act(async ({ changes }) => {
    const changed = await changes.change(tenantId, wanted, 'The client asked for it.', 'ada', trace);
    if (changed.kind !== 'changed') throw new Error(changed.kind);
    return changed.messages;
  });

const stepOf = async (name: StepName): Promise<StepRecord> => {
  const record = (await world.steps(tenantId)).find(({ step }) => step === name);
  if (record === undefined) throw new Error(`no step ${name}`);
  return record;
};

const attempts = async (): Promise<Partial<Record<StepName, number>>> =>
  Object.fromEntries((await world.steps(tenantId)).map(({ attempt, step }) => [step, attempt]));

/** The steps that have run since. */
const ranSince = async (before: Partial<Record<StepName, number>>): Promise<string[]> =>
  Object.entries(await attempts()).flatMap(([step, count]) => (count > (before[step as StepName] ?? 0) ? [step] : []));

const operationsSince = (from: number): string[] =>
  services.simulator.log
    .entries()
    .slice(from)
    .flatMap(({ operation }) => operation ?? []);
const callsSoFar = (): number => services.simulator.log.entries().length;

const adAccount = () => {
  const [account] = services.simulator.store.all('ad_account');
  if (account === undefined) throw new Error('no ad account');
  return account;
};

/** At rest, as it should be left: nothing leased, nothing unsent, the trail whole, the tenant live. */
async function expectAtRest(): Promise<void> {
  const steps = await world.steps(tenantId);
  expect(steps.filter(({ lease, reopened, state }) => lease !== null || reopened !== null || !isOver(state))).toEqual(
    [],
  );
  expect(await world.outboxSize()).toBe(0);
  expect(await verifyAuditTrail(services.db, tenantId)).toEqual([]);
  expect((await world.tenant(tenantId))?.status).toBe('live');
  const { store } = services.simulator;
  expect([store.all('ad_account').length, store.all('pixel').length]).toEqual([1, 1]);
}
const isOver = (state: StepRecord['state']): boolean => state === 'done' || state === 'skipped';

describe('another plan', () => {
  it('changes the spend cap on Meta once, and calls nothing but the ad account', async () => {
    await liveTenant();
    const [before, from] = [await attempts(), callsSoFar()];
    await change({ planId: 'growth' });
    await world.run(tenantId, thrice);
    expect(operationsSince(from)).toEqual(['read_ad_account', 'update_ad_account', 'read_ad_account']);
    expect(await ranSince(before)).toEqual(['create-ad-account']);
    expect(adAccount().spendCapMinor).toBe(9_000_000n);
    const { effects, products } = await stepOf('create-ad-account');
    expect(products).toMatchObject({ spendCapMinor: 9_000_000 });
    expect(effects['spend-cap']?.result).toEqual({ spendCapMinor: 9_000_000, previousMinor: 1_500_000 });
    await expectAtRest();
  });

  it.each([1, 2, 3])('killed after call %i to Meta, still changes it once', async (call) => {
    await liveTenant();
    await change({ planId: 'growth' });
    world.crashAfter(call);
    await world.run(tenantId, once);
    expect(world.processes).toBe(2);
    expect(adAccount()).toMatchObject({ spendCapMinor: 9_000_000n });
    expect(adAccount().spendCapChangesMs).toHaveLength(2);
    await expectAtRest();
  });

  it('whose answer was lost is not sent again', async () => {
    await liveTenant();
    services.simulator.faults.plant({ method: 'POST', path: '/{id}', lostResponse: true });
    await change({ planId: 'growth' });
    await world.run(tenantId, thrice);
    expect(adAccount().spendCapChangesMs).toHaveLength(2);
    expect(adAccount().spendCapMinor).toBe(9_000_000n);
    const { effects } = await stepOf('create-ad-account');
    expect(effects['spend-cap'], 'the audit tells the cap of before').toMatchObject({
      how: 'found',
      result: { spendCapMinor: 9_000_000, previousMinor: 1_500_000 },
    });
    await expectAtRest();
  });

  it('and another right after it are one change at Meta', async () => {
    await liveTenant();
    await change({ planId: 'growth' });
    await change({ planId: 'scale' });
    await world.run(tenantId, once);
    expect(adAccount().spendCapChangesMs).toHaveLength(2);
    expect(adAccount().spendCapMinor).toBe(60_000_000n);
    await expectAtRest();
  });

  it.each([1, 2, 3])(
    'and another while call %i of the first is on its way ends with the last, whatever was sent',
    async (call) => {
      await liveTenant();
      await change({ planId: 'growth' });
      world.during(call, () => change({ planId: 'scale' }));
      await world.run(tenantId, once);
      expect(adAccount().spendCapMinor).toBe(60_000_000n);
      expect((await stepOf('create-ad-account')).products).toMatchObject({ spendCapMinor: 60_000_000 });
      await expectAtRest();
    },
  );

  it('after the tenth of a day waits for the next, without a call before, also when the plan changes once more', async () => {
    await liveTenant();
    const account = adAccount();
    const used = services.clock.now.getTime();
    account.spendCapChangesMs = Array.from({ length: 10 }, () => used);
    await change({ planId: 'growth' });
    await world.deliverAll(once);
    const postponed = await stepOf('create-ad-account');
    expect(postponed.state).toBe('retrying');
    expect(Date.parse(postponed.wakeAt ?? '')).toBeGreaterThanOrEqual(used + dayMs);
    const from = callsSoFar();
    await change({ planId: 'scale' });
    await world.deliverAll(once);
    expect(operationsSince(from)).toEqual([]);
    await world.run(tenantId, once);
    expect(account.spendCapMinor).toBe(60_000_000n);
    await expectAtRest();
  });

  it('below what is spent waits on Kobi in clear words, the old cap stays, and a larger plan goes on', async () => {
    await liveTenant({ planId: 'scale' });
    services.simulator.context.switches.spend_cap_floor = 'spent';
    const account = adAccount();
    const spent = { adAccountId: account.id, amountSpentMinor: 10_000_000 };
    await new GraphCaller(services.simulator.url).control('POST', '/spent', spent);
    await change({ planId: 'growth' });
    await world.deliverAll(once);
    const { products, wait } = await stepOf('create-ad-account');
    expect(wait).toMatchObject({ on: 'kobi', for: 'spend-cap-below-spent' });
    expect(wait?.what).toContain('100000 TRY are spent already, and 600000 TRY stays in force');
    expect(products).toMatchObject({ spendCapMinor: 60_000_000 });
    expect(account.spendCapMinor).toBe(60_000_000n);
    await change({ planId: 'scale' });
    await world.run(tenantId, once);
    expect(account.spendCapMinor).toBe(60_000_000n);
    await expectAtRest();
  });
});

describe('a SKU bought later', () => {
  it('makes what it needs on the live tenant, and nothing else runs', async () => {
    await liveTenant({ skus: [] });
    const [before, from] = [await attempts(), callsSoFar()];
    await change({ skus: ['ecommerce', 'crm'] });
    await world.run(tenantId, thrice);
    expect(await ranSince(before)).toEqual([
      'create-system-user',
      'create-catalog',
      'prepare-offline-events',
      'finish-run',
    ]);
    expect(services.simulator.store.all('catalog')).toHaveLength(1);
    const { catalogId } = (await stepOf('create-catalog')).products ?? {};
    expect((await world.tenant(tenantId))?.assets).toMatchObject({ catalogId });
    expect(operationsSince(from).filter((operation) => operation.startsWith('create_'))).toEqual([
      'create_child_token',
      'create_catalog',
    ]);
    await expectAtRest();
  });

  it('and given up again deletes nothing at Meta', async () => {
    await liveTenant();
    const from = callsSoFar();
    await change({ skus: [] });
    await world.run(tenantId, once);
    expect(operationsSince(from)).toEqual([]);
    expect(services.simulator.store.all('catalog')).toHaveLength(1);
    await change({ skus: ['ecommerce', 'crm'] });
    await world.run(tenantId, once);
    expect(operationsSince(from)).toEqual([]);
    await expectAtRest();
  });
});

describe('a client who connects again', () => {
  const secrets = () => services.openSecrets();
  const connectAgain = async (pageId: string, times = 1): Promise<void> => {
    const userTokenVersion = await secrets().add(
      secretName.userToken(tenantId),
      await userTokenOf(services.simulator.url),
      {},
    );
    const connection = { tenantId, metaUserId: seed.user.id, pageId, userTokenVersion };
    await world.act(async ({ tenants }) => {
      const connected = await tenants.connect(connection, trace);
      if (connected.kind !== 'connected') throw new Error(connected.kind);
      return Array.from({ length: times }, () => connected.messages).flat();
    });
  };
  const secondPage = (): string => {
    const { store } = services.simulator;
    const owner = store.addPerson({ pages: [{ name: 'Acme Bistro', instagram: 'acme.bistro' }] }, 0);
    const [pageId = ''] = owner.pageTasks.keys();
    store.get('user', seed.user.id).pageTasks.set(pageId, owner.pageTasks.get(pageId) ?? []);
    return pageId;
  };

  it('and picks another Page has that one linked, and nothing else runs', async () => {
    await liveTenant();
    const pageId = secondPage();
    const before = await attempts();
    await connectAgain(pageId);
    await world.run(tenantId, thrice);
    expect(await ranSince(before)).toEqual(['record-consent', 'partner-invite', 'link-page-and-instagram']);
    expect((await stepOf('record-consent')).products).toMatchObject({ pageId, pageName: 'Acme Bistro' });
    expect((await stepOf('partner-invite')).products).toEqual({ sharedPageId: pageId });
    expect((await stepOf('link-page-and-instagram')).products).toMatchObject({ instagramLinked: true });
    expect(adAccount().instagramIds).toHaveLength(2);
    expect(await secrets().enabled(secretName.userToken(tenantId))).toEqual([]);
    await expectAtRest();
  });

  it('is taken in once, however often it is told', async () => {
    await liveTenant();
    await connectAgain(seed.page.id, 3);
    await world.run(tenantId, thrice);
    const before = await attempts();
    world.connect(tenantId, 2);
    world.connect(tenantId, 1);
    await world.run(tenantId, once);
    expect(await ranSince(before)).toEqual([]);
    await expectAtRest();
  });

  it('after the token died has only what waited go on', async () => {
    world = await services.connectedWorld(tenantId, { tenant: { domains: [] } });
    services.simulator.faults.plant({
      method: 'POST',
      path: '/{id}/owned_businesses',
      error: { code: 190, subcode: 460, httpStatus: 400 },
    });
    await world.deliverAll(once);
    expect(await stepOf('create-child-business')).toMatchObject({ wait: { on: 'client', for: 'reconnect' } });
    await connectAgain(seed.page.id);
    await world.run(tenantId, once);
    expect(services.simulator.store.all('business')).toHaveLength(2);
    await expectAtRest();
  });

  it('while the link is being made keeps the new token until its own link is made', async () => {
    world = await services.connectedWorld(tenantId, { tenant: { domains: [] } });
    const from = callsSoFar();
    await world.run(tenantId, once);
    const call = operationsSince(from).indexOf('list_authorized_ad_accounts') + 1;
    await world.close();
    world = await services.connectedWorld(tenantId, { tenant: { domains: [] } });
    world.during(call, () => connectAgain(seed.page.id));
    await world.run(tenantId, once);
    expect((await stepOf('record-consent')).attempt).toBe(2);
    await expectAtRest();
  });

  it('or links Instagram later, needs no new run: one look at the link finds the account', async () => {
    world = await services.connectedWorld(tenantId, { tenant: { domains: [] } });
    const page = services.simulator.store.get('page', seed.page.id);
    page.instagramId = undefined;
    await world.run(tenantId, once);
    expect((await stepOf('link-page-and-instagram')).products).toMatchObject({ instagramIdentity: 'page-backed' });
    services.simulator.store.linkInstagram(page, 'acme.later', services.clock.now.getTime());
    const before = await attempts();
    await world.act(async ({ changes }) => {
      const ref = { tenantId, runId: 'run-1', step: 'link-page-and-instagram' } as const;
      return (await changes.reopen(ref, 'Instagram is linked to the Page now.', 'ada', trace))?.messages ?? [];
    });
    await world.run(tenantId, once);
    expect(await ranSince(before)).toEqual(['link-page-and-instagram']);
    expect((await stepOf('link-page-and-instagram')).products).toMatchObject({
      instagramIdentity: 'instagram-account',
    });
    await expectAtRest();
  });
});

describe('a Page that did not come in with the consent', () => {
  const inviting = ['list_client_pages', 'share_page_with_agency', 'request_client_page', 'list_pending_client_pages'];

  it.each([
    ['shared with the token', true, 1, 0],
    ['asked for, and accepted by its admin', false, 0, 1],
  ] as const)(
    '%s: killed after any call on the way, it is there once and the tenant goes live by itself',
    async (_how, isAdmin, shares, requests) => {
      const begin = async (): Promise<number> => {
        world = await services.connectedWorld(tenantId, { tenant: { domains: [] } });
        services.simulator.context.switches.shared_page_arrives = false;
        const person = services.simulator.store.get('user', seed.user.id);
        if (!isAdmin) person.pageTasks.set(seed.page.id, ['ADVERTISE', 'ANALYZE']);
        return callsSoFar();
      };
      const applied = (from: number): number[] => {
        const done = services.simulator.log
          .entries()
          .slice(from)
          .filter(({ status }) => status === 200);
        return ['share_page_with_agency', 'request_client_page'].map(
          (name) => done.filter(({ operation }) => operation === name).length,
        );
      };
      const start = await begin();
      await world.run(tenantId, once);
      expect(applied(start)).toEqual([shares, requests]);
      await expectAtRest();
      const calls = operationsSince(start).flatMap((operation, index) =>
        inviting.includes(operation) ? [index + 1] : [],
      );
      expect(calls.length).toBeGreaterThan(2);
      for (const call of calls) {
        await world.close();
        const from = await begin();
        world.crashAfter(call);
        await world.run(tenantId, once);
        expect(world.processes, `call ${call}`).toBe(2);
        expect(applied(from), `call ${call}`).toEqual([shares, requests]);
        await expectAtRest();
      }
    },
    120_000,
  );
});
