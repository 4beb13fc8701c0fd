/** The end of tenants that the parent business operates, or once did: nothing of theirs is left there, nothing of others touched. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fallbackSlotsSchema, paths } from '../../shared/contracts/documents.ts';
import { teardownSchema } from '../../shared/contracts/teardown-documents.ts';
import type { Teardown } from '../../shared/contracts/teardown-documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { readDocument } from '../../shared/gcp/firestore.ts';
import { seed } from '../simulator/seed.ts';
import { nothingCanSpend } from './ended-tenant.ts';
import { startFallbackWorld } from './fallback-world.ts';
import type { FallbackWorld } from './fallback-world.ts';
import type { OnboardingWorld } from './onboarding-world.ts';

const tenantId = 'acme-shop';
const neighbourId = 'beta-bikes';
const once = { times: 1, reversed: false };
const dayMs = 24 * 60 * 60_000;

let fallback: FallbackWorld;
beforeAll(async () => {
  fallback = await startFallbackWorld();
});
afterAll(() => fallback.close());

/** Two tenants live on the parent business, the first with a running campaign. */
async function twoOnParent(): Promise<OnboardingWorld> {
  const world = await fallback.reset();
  for (const id of [tenantId, neighbourId]) {
    await fallback.connect(world, id, { skus: [] });
    await world.run(id, once);
    expect((await world.tenant(id))?.assets?.operator).toBe('fallback');
  }
  await startCampaign(world);
  return world;
}

async function startCampaign(world: OnboardingWorld): Promise<void> {
  const { adAccountId } = (await world.tenant(tenantId))?.assets ?? {};
  const campaign = { name: 'Autumn', objective: 'OUTCOME_SALES', special_ad_categories: [], status: 'ACTIVE' };
  await fallback.graph.done(fallback.graph.post(`/${adAccountId}/campaigns`, seed.parentSystemUserToken, campaign));
}

async function offboard(world: OnboardingWorld): Promise<Teardown> {
  await world.offboard(tenantId);
  await world.run(tenantId, { times: 2, reversed: true });
  const teardown = readDocument(await fallback.db.doc(paths.teardown(tenantId)).get(), teardownSchema);
  if (teardown?.state !== 'done') throw new Error(`the offboarding is not over: ${JSON.stringify(teardown?.actions)}`);
  return teardown;
}

async function slots(): Promise<string[]> {
  const found = readDocument(await fallback.db.doc(paths.fallbackSlots()).get(), fallbackSlotsSchema);
  return (found?.slots ?? []).map((slot) => slot.tenantId);
}

/** What may still spend or be heard of the offboarded tenant, the neighbour's account aside. */
function ofTenant(neighbourAccount: string | undefined): string[] {
  return nothingCanSpend(fallback.simulator).filter((line) => !line.includes(neighbourAccount ?? 'none'));
}

const parentPages = (): number => fallback.simulator.store.get('business', seed.parentBusinessId).clientPageIds.size;

describe('a tenant on the parent business that is offboarded', () => {
  it('has its account stopped, its Page given back, its reports erased; the neighbour and the parent’s token go on', async () => {
    const world = await twoOnParent();
    const neighbour = await world.tenant(neighbourId);
    expect(parentPages()).toBe(2);
    const { left } = await offboard(world);
    expect(ofTenant(neighbour?.assets?.adAccountId)).toEqual([]);
    expect(left.map(({ object }) => object).toSorted()).toEqual(['ad account', 'dataset']);
    expect(parentPages()).toBe(1);
    expect(world.erasedReports).toContain(tenantId);
    expect(world.erasedReports).not.toContain(neighbourId);
    const secrets = fallback.openSecrets();
    expect(await secrets.latest(secretName.relayKey(tenantId))).toBeUndefined();
    expect((await secrets.latest(secretName.parentToken))?.value).toBe(seed.parentSystemUserToken);
    expect(await secrets.latest(secretName.relayKey(neighbourId))).toBeDefined();
    const account = fallback.simulator.store.get('ad_account', neighbour?.assets?.adAccountId ?? '');
    expect([account.spendCapMinor, account.subscribedAppIds.size]).toEqual([1_500_000n, 1]);
    expect(await world.tenant(neighbourId)).toEqual(neighbour);
    expect(await slots(), 'Meta goes on counting the account').toEqual([tenantId, neighbourId]);
    expect(await verifyAuditTrail(fallback.db, tenantId)).toEqual([]);
    await world.close();
  });

  it('whose account Meta lets nobody cap below what it spent is capped just above that, and not left for a person', async () => {
    const world = await twoOnParent();
    const account = fallback.simulator.store.get(
      'ad_account',
      (await world.tenant(tenantId))?.assets?.adAccountId ?? '',
    );
    fallback.simulator.context.switches.spend_cap_above_spent = true;
    account.amountSpentMinor = 123_456n;
    const { actions, left } = await offboard(world);
    expect(account.spendCapMinor).toBe(135_900n);
    expect(actions['lower-spend-cap']?.state).toBe('done');
    expect(left.map(({ object }) => object)).not.toContain('spend cap');
    await world.close();
  });

  it('before it had an account gives its slot to the next tenant', async () => {
    const world = await fallback.reset();
    fallback.simulator.faults.plant({ method: 'POST', path: '/{id}/adaccount', times: 0, error: { code: 1 } });
    await fallback.connect(world, tenantId, { skus: [] });
    await world.deliverAll(once);
    expect(await slots()).toEqual([tenantId]);
    fallback.simulator.faults.clear();
    await offboard(world);
    expect(await slots()).toEqual([]);
    await world.close();
  });

  it('whose Page Meta will not give back waits seven days for a person, is erased all the same, and says what is left', async () => {
    const world = await twoOnParent();
    const refused = { code: 200, httpStatus: 403 };
    fallback.simulator.faults.plant({ method: 'DELETE', path: '/{id}/pages', times: 0, error: refused });
    const begun = fallback.clock.now.getTime();
    const { actions, left } = await offboard(world);
    const days = (fallback.clock.now.getTime() - begun) / dayMs;
    expect(days).toBeGreaterThanOrEqual(7);
    expect(days).toBeLessThan(8);
    expect(actions['give-back-page']).toMatchObject({ state: 'left' });
    expect(left).toContainEqual(
      expect.objectContaining({ object: 'access to the Page', what: expect.stringContaining('by hand') as string }),
    );
    expect(actions['pause-campaigns']?.at, 'nothing else waited for it').toBe(new Date(begun).toISOString());
    expect(await world.tenant(tenantId)).toBeUndefined();
    await world.close();
  });
});

it('a tenant that was migrated and is offboarded leaves nothing that spends in either business, and neither keeps the other’s Page or dataset', async () => {
  const world = await twoOnParent();
  const neighbour = await world.tenant(neighbourId);
  await fallback.grantPre10();
  expect(await world.toTwoTier(tenantId)).toBe('migrating');
  await fallback.connectAgain(world, tenantId);
  await world.run(tenantId, once);
  await startCampaignOnChild(world);
  const dataset = fallback.simulator.store.get('pixel', (await world.tenant(tenantId))?.assets?.datasetId ?? '');
  expect(dataset.agencies.size).toBe(1);
  const { left, objects } = await offboard(world);
  expect(objects?.adAccounts.map(({ operator }) => operator).toSorted()).toEqual(['child', 'fallback']);
  expect(ofTenant(neighbour?.assets?.adAccountId)).toEqual([]);
  expect(left.filter(({ object }) => object === 'ad account')).toHaveLength(2);
  expect(dataset.agencies.size, 'the child business no longer reads the dataset').toBe(0);
  expect(parentPages()).toBe(1);
  expect(await world.tenant(neighbourId)).toEqual(neighbour);
  await world.close();
});

async function startCampaignOnChild(world: OnboardingWorld): Promise<void> {
  const { adAccountId } = (await world.tenant(tenantId))?.assets ?? {};
  const { store } = fallback.simulator;
  const account = store.get('ad_account', adAccountId ?? '');
  store.add({
    kind: 'campaign',
    id: store.newId('campaign'),
    accountId: account.accountId,
    businessId: account.businessId,
    name: 'Winter',
    objective: 'OUTCOME_SALES',
    status: 'ACTIVE',
    createdAtMs: 0,
  });
}
