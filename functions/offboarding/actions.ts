import type { Leftover, Teardown, TeardownObjects } from '../../shared/contracts/teardown-documents.ts';
import { secretName, systemUserName } from '../../shared/domain/naming.ts';
import { closingSpendCapMinor } from '../../shared/domain/plans.ts';
import type { TeardownActionName } from '../../shared/domain/teardown.ts';
import { AccessToken } from '../../shared/meta/access-token.ts';
import { readSpendCapMinor, readSubscribedApps, unsubscribeAdAccount } from '../../shared/meta/ad-accounts.ts';
import { removeChildBusiness } from '../../shared/meta/businesses.ts';
import { pauseCampaign, readActiveCampaigns } from '../../shared/meta/campaigns.ts';
import { revokeCreditAllocation } from '../../shared/meta/credit-lines.ts';
import { closeSpendCap } from '../../shared/meta/closing-spend-cap.ts';
import { GraphError } from '../../shared/meta/errors.ts';
import type { GraphAs } from '../../shared/meta/graph-client.ts';
import { revokeToken } from '../../shared/meta/oauth.ts';
import { readClientPages, removePage } from '../../shared/meta/pages.ts';
import { readPixelAgencies, unsharePixelWithBusiness } from '../../shared/meta/pixels.ts';
import { childTokenPermissions } from '../../shared/meta/permissions.ts';
import { Failed } from '../../shared/runtime/outcomes.ts';
import { findObjects, permanentOf } from './find-objects.ts';
import type { TeardownServices } from './services.ts';

/** How an action ended that did what it should. */
export interface ActionResult {
  readonly detail: string;
  readonly objects?: TeardownObjects;
  readonly left?: readonly Leftover[];
}

type Action = (teardown: Teardown, services: TeardownServices) => Promise<ActionResult>;

/**
 * One behaviour per action of `shared/domain/teardown.ts`. Each only ever brings a state about (paused, capped, gone), so
 * it may be repeated at any time: a crash between call and record costs one more look, never a second effect.
 */
export const actions: Readonly<Record<TeardownActionName, Action>> = {
  async 'close-relay'({ kind, tenantId }, { closeRelay, now }) {
    const { datasets, keys } = await closeRelay(tenantId, {
      at: now().toISOString(),
      forGood: kind === 'offboarding',
    });
    return { detail: `${keys} keys revoked, ${datasets} datasets closed` };
  },

  async 'find-objects'({ kind, tenantId }, services) {
    const objects = await findObjects(tenantId, await services.facts(tenantId), services);
    const childStays: Leftover[] =
      kind === 'offboarding' || objects.childBusinessId === null
        ? []
        : [
            {
              object: 'child business',
              id: objects.childBusinessId,
              why: 'A cancelled run keeps it, so that a client who comes back gets no second one.',
              what: 'Nothing. Offboarding the tenant takes it off the parent.',
            },
          ];
    const found = objects.adAccounts.length + objects.datasetIds.length + objects.catalogIds.length;
    return { detail: `${found} assets`, objects, left: [...childStays, ...permanentOf(objects)] };
  },

  'pause-campaigns': onEachAccount('campaigns paused', async (asOperator, { adAccountId }) => {
    const active = await readActiveCampaigns(asOperator, adAccountId);
    for (const campaignId of active) await pauseCampaign(asOperator, campaignId);
    return active.length;
  }),

  'lower-spend-cap': onEachAccount('spend caps lowered', async (asOperator, { adAccountId }, { currency }) => {
    const capMinor = closingSpendCapMinor(currency);
    if ((await readSpendCapMinor(asOperator, adAccountId)) === capMinor) return 0;
    const applied = await closeSpendCap(asOperator, { adAccountId, currency });
    if (applied === undefined) throw new Failed('the ad account has no spend cap after one was set');
    return 1;
  }),

  'unsubscribe-webhooks': onEachAccount('webhooks ended', async (asOperator, { adAccountId }, _objects, { kobi }) => {
    if (!(await readSubscribedApps(asOperator, adAccountId)).includes(kobi.appId)) return 0;
    await unsubscribeAdAccount(asOperator, { adAccountId, appId: kobi.appId });
    return 1;
  }),

  async 'revoke-credit-allocation'(teardown, { credentials, graph }) {
    const { creditAllocationConfigId: id } = objectsOf(teardown);
    if (id === null) return { detail: 'no credit was shared' };
    const asParent = graph.as(await credentials.parent());
    await unlessGone(() => revokeCreditAllocation(asParent, id));
    return { detail: 'the share of the line of credit was taken back' };
  },

  async 'remove-child-business'(teardown, { credentials, graph, kobi }) {
    const { childBusinessId } = objectsOf(teardown);
    if (childBusinessId === null) return { detail: 'there is no child business' };
    const asParent = graph.as(await credentials.parent());
    const { parentBusinessId } = kobi;
    await unlessGone(() => removeChildBusiness(asParent, { parentBusinessId, childBusinessId }));
    return { detail: 'the child business is no longer the parent’s' };
  },

  async 'give-back-page'(teardown, { credentials, graph, kobi }) {
    const { parentPageIds } = objectsOf(teardown);
    if (parentPageIds.length === 0) return { detail: 'no Page was shared with the parent business' };
    const { parentBusinessId: businessId } = kobi;
    const asParent = graph.as(await credentials.operator(teardown.tenantId, 'fallback'));
    const shared = (await readClientPages(asParent, businessId)).filter(({ id }) => parentPageIds.includes(id));
    for (const { id: pageId } of shared) await removePage(asParent, { businessId, pageId });
    return { detail: `${shared.length} Pages given back` };
  },

  /** A migration shares the parent's dataset with the child business; the dataset stays, so its access must end. */
  async 'unshare-datasets'(teardown, { credentials, graph }) {
    const { adAccounts, childBusinessId: businessId, datasetIds } = objectsOf(teardown);
    const wasOnParent = adAccounts.some(({ operator }) => operator === 'fallback');
    if (businessId === null || !wasOnParent) return { detail: 'no dataset of the parent was shared' };
    const asOwner = graph.as(await credentials.operator(teardown.tenantId, 'fallback'));
    let ended = 0;
    for (const pixelId of datasetIds) {
      if (!(await readPixelAgencies(asOwner, pixelId)).includes(businessId)) continue;
      await unsharePixelWithBusiness(asOwner, { pixelId, businessId });
      ended += 1;
    }
    return { detail: `${ended} datasets no longer shared` };
  },

  async 'destroy-tokens'({ tenantId }, { graph, kobi, secrets }) {
    let revoked = 0;
    for (const [kind, secretId] of [
      ['user', secretName.userToken(tenantId)],
      ['child', secretName.systemToken(tenantId)],
    ] as const) {
      for (const version of await secrets.enabled(secretId)) {
        const text = (await secrets.read(secretId, version))?.trim();
        if (text === undefined || text === '') continue;
        const token = new AccessToken(kind, text);
        await revokeToken(graph, { appId: kobi.appId, token }).catch(unlessPassing);
        revoked += 1;
      }
    }
    const all = [secretName.userToken, secretName.systemToken, secretName.relayKey];
    for (const secretOf of all) await secrets.destroyAll(secretOf(tenantId));
    return { detail: `${revoked} tokens revoked, every version of ${all.length} secrets destroyed` };
  },

  async 'erase-documents'({ tenantId }, { erase, now }) {
    const { auditEntries, documents } = await erase(tenantId, { actor: 'offboard-tenant', at: now().toISOString() });
    return { detail: `${documents} documents erased, ${auditEntries} audit entries reduced to their hashes` };
  },

  async 'erase-reports'({ tenantId }, { eraseReports }) {
    await eraseReports(tenantId);
    return { detail: 'every row of the tenant deleted' };
  },
};

/** What remains when an action is given up, and what a person can do about it. */
export function leftBehind(action: TeardownActionName, teardown: Teardown, why: string): Leftover[] {
  const { objects } = teardown;
  const accounts = objects?.adAccounts.map(({ adAccountId }) => adAccountId) ?? [];
  const ofAccounts = (object: string, what: string): Leftover[] => accounts.map((id) => ({ object, id, why, what }));
  switch (action) {
    case 'pause-campaigns':
      return ofAccounts('running campaigns', 'Pause the campaigns of this ad account by hand, today.');
    case 'lower-spend-cap':
      return ofAccounts('spend cap', 'Lower the spend cap of this ad account by hand.');
    case 'unsubscribe-webhooks':
      return ofAccounts('webhook subscription', 'Nothing: what it sends is of nobody and is dropped.');
    case 'revoke-credit-allocation':
      return [left('credit allocation', objects?.creditAllocationConfigId, 'Revoke it in Business settings, Billing.')];
    case 'remove-child-business':
      return [
        left(
          'child business',
          objects?.childBusinessId,
          'Pay its open invoices, then remove it from the parent by hand.',
        ),
      ];
    case 'give-back-page':
      return (objects?.parentPageIds ?? []).map((id) => ({
        object: 'access to the Page',
        id,
        why,
        what: 'Take the Page off the parent business by hand: Business settings, Pages, Remove.',
      }));
    case 'unshare-datasets':
      return (objects?.datasetIds ?? []).map((id) => ({
        object: 'access to the dataset',
        id,
        why,
        what: 'Take the child business off the dataset by hand: Events Manager, Settings, Partners.',
      }));
    case 'find-objects':
      return [
        left('objects at Meta', null, 'Look for the tenant’s business and ad account by name and stop them by hand.'),
      ];
    case 'close-relay':
    case 'destroy-tokens':
    case 'erase-documents':
    case 'erase-reports':
      return [left(action, teardown.tenantId, 'Call the same address again: this is Kobi’s own and must succeed.')];
  }

  function left(object: string, id: string | null | undefined, what: string): Leftover {
    return { object, id: id ?? teardown.tenantId, why, what };
  }
}

const nothing: TeardownObjects = {
  childBusinessId: null,
  creditAllocationConfigId: null,
  adAccounts: [],
  datasetIds: [],
  catalogIds: [],
  parentPageIds: [],
  currency: 'USD',
};

/** None where looking for them was given up. */
function objectsOf({ objects }: Teardown): TeardownObjects {
  return objects ?? nothing;
}

type AdAccount = TeardownObjects['adAccounts'][number];

/** Does something with every ad account, as its operator. A dead child token is replaced by the parent's mint, once. */
function onEachAccount(
  what: string,
  work: (
    graph: GraphAs<'child' | 'fallback'>,
    account: AdAccount,
    objects: TeardownObjects,
    services: TeardownServices,
  ) => Promise<number>,
): Action {
  return async (teardown, services) => {
    const objects = objectsOf(teardown);
    let count = 0;
    for (const account of objects.adAccounts) {
      const act = async (token: AccessToken<'child' | 'fallback'>): Promise<number> =>
        work(services.graph.as(token), account, objects, services);
      if (account.operator === 'fallback') {
        count += await act(await services.credentials.operator(teardown.tenantId, 'fallback'));
        continue;
      }
      const { token, version } = await services.systemTokens.inUse(teardown.tenantId);
      try {
        count += await act(token ?? (await freshToken(teardown, version, services)));
      } catch (error) {
        if (!(error instanceof GraphError) || error.class !== 'token-dead') throw error;
        count += await act(await freshToken(teardown, version, services));
      }
    }
    return { detail: `${count} ${what}` };
  };
}

async function freshToken(
  teardown: Teardown,
  replacing: string | null,
  { credentials, systemTokens }: TeardownServices,
): Promise<AccessToken<'child'>> {
  const { tenantId } = teardown;
  const { childBusinessId } = objectsOf(teardown);
  if (childBusinessId === null) return credentials.child(tenantId);
  await systemTokens.mint({
    tenantId,
    childBusinessId,
    scopes: childTokenPermissions({ catalog: false }),
    systemUserName: systemUserName(tenantId),
    replacing,
  });
  return credentials.child(tenantId);
}

async function unlessGone(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    const isGone =
      error instanceof GraphError && (error.class === 'not-found' || error.reason === 'object-not-visible');
    if (!isGone) throw error;
  }
}

/** A token that Meta does not let us revoke is destroyed all the same; trouble on the way is worth another try. */
function unlessPassing(error: unknown): void {
  const passing = ['transient', 'throttled', 'rescheduled', 'unknown-outcome'];
  if (!(error instanceof GraphError) || passing.includes(error.class)) throw error;
}
