/** Ad accounts: open, find, cap, staff (Marketing API, "Ad Account"). */
import * as v from 'valibot';
import { parseMinorUnits, toWholeUnits, MoneyError } from '../domain/money.ts';
import { graphId, succeeded } from './answers.ts';
import type { AssignedUser } from './answers.ts';
import { assignUser, readAssignedUsers } from './assigned-users.ts';
import type { CredentialFor } from './credentials.ts';
import { ambiguousMatch } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** `123` or `act_123` → `act_123`, the id of the node. */
export function adAccountNodeId(adAccountId: string): string {
  return adAccountId.startsWith('act_') ? adAccountId : `act_${adAccountId}`;
}

/** `act_123` or `123` → `123`, the form that parameters called `account_id` take. */
export function adAccountNumber(adAccountId: string): string {
  return adAccountId.replace(/^act_/, '');
}

export interface NewAdAccount {
  readonly businessId: string;
  /** The key the account is found again by. */
  readonly name: string;
  /** ISO 4217; cannot be changed once money was spent. */
  readonly currency: string;
  /** Meta's time zone number. */
  readonly timezoneId: number;
  /** The advertised Page's id, `NONE` or `UNFOUND`; a real id can never be changed. */
  readonly endAdvertiser: string;
  /** An `extendedcredits` id. Without funding ads are created but not delivered. */
  readonly fundingId?: string;
}

export interface AdAccountRef {
  /** `act_…` */
  readonly id: string;
}

const accountRef = v.object({ id: graphId });

/**
 * `POST /{business}/adaccount`.
 *
 * Not idempotent: look with {@link listOwnedAdAccounts} before, and after an answer was lost.
 * @throws GraphError `ad-account-limit`, `ad-account-in-bad-standing`, `two-factor-required` among others
 */
export async function createAdAccount(
  graph: GraphAs<CredentialFor<'create-ad-account'>>,
  account: NewAdAccount,
): Promise<AdAccountRef> {
  const answer = await graph.post(
    graphPath(account.businessId, 'adaccount'),
    {
      name: account.name,
      currency: account.currency,
      timezone_id: account.timezoneId,
      end_advertiser: account.endAdvertiser,
      media_agency: 'NONE',
      partner: 'NONE',
      funding_id: account.fundingId,
    },
    accountRef,
  );
  return { id: adAccountNodeId(answer.id) };
}

/** An ad account as its business lists it. */
export interface OwnedAdAccount extends AdAccountRef {
  readonly name: string;
}

/** `GET /{business}/owned_ad_accounts`, every one. At most five may come from the API per business. */
export async function listOwnedAdAccounts(
  graph: GraphAs<CredentialFor<'find-ad-account'>>,
  businessId: string,
): Promise<OwnedAdAccount[]> {
  const item = v.object({ id: graphId, name: v.optional(v.string(), '') });
  const accounts = await graph.list(graphPath(businessId, 'owned_ad_accounts'), { fields: 'id,name' }, item);
  return accounts.map(({ id, name }) => ({ id: adAccountNodeId(id), name }));
}

/**
 * Of a business's ad accounts, the one of exactly this name, or `undefined`.
 * @throws GraphError `ambiguous-match` when two have it
 */
export function adAccountNamed(owned: readonly OwnedAdAccount[], name: string): AdAccountRef | undefined {
  const found = owned.filter((account) => account.name === name);
  if (found.length > 1) throw ambiguousMatch('GET /{id}/owned_ad_accounts', found.length);
  return found[0] && { id: found[0].id };
}

const accountNode = v.object({
  id: graphId,
  name: v.optional(v.string()),
  account_status: v.optional(v.number()),
  disable_reason: v.optional(v.number()),
  currency: v.optional(v.string()),
  timezone_id: v.optional(v.number()),
  spend_cap: v.optional(v.string()),
  amount_spent: v.optional(v.string()),
  funding_source: v.optional(graphId),
});

export interface AdAccount extends AdAccountRef {
  readonly name?: string | undefined;
  /** 1 active, 2 disabled, 3 unsettled, 7 pending risk review, 9 grace period, 100 and 101 closing and closed, … */
  readonly accountStatus?: number | undefined;
  readonly disableReason?: number | undefined;
  readonly currency?: string | undefined;
  readonly timezoneId?: number | undefined;
  /** In minor units; absent: no cap. */
  readonly spendCapMinor?: number | undefined;
  /** In minor units, since the cap was last reset. */
  readonly amountSpentMinor?: number | undefined;
  /** Absent: ads would not deliver. */
  readonly fundingSourceId?: string | undefined;
}

const adAccountStatusNames: Readonly<Record<number, string>> = {
  1: 'active',
  2: 'disabled',
  3: 'unsettled',
  7: 'pending risk review',
  8: 'pending settlement',
  9: 'in grace period',
  100: 'pending closure',
  101: 'closed',
};

/** Meta's word for an `account_status` (Marketing API, "Ad Account"), or its number. */
export function adAccountStatusName(accountStatus: number): string {
  return adAccountStatusNames[accountStatus] ?? `status ${accountStatus}`;
}

/** `GET /act_…`: status, money and funding. */
export async function readAdAccount(
  graph: GraphAs<CredentialFor<'read-ad-account'>>,
  adAccountId: string,
): Promise<AdAccount> {
  const fields = Object.keys(accountNode.entries).join(',');
  const node = await graph.get(graphPath(adAccountNodeId(adAccountId)), { fields }, accountNode);
  return {
    id: adAccountNodeId(node.id),
    name: node.name,
    accountStatus: node.account_status,
    disableReason: node.disable_reason,
    currency: node.currency,
    timezoneId: node.timezone_id,
    spendCapMinor: capOf(node.spend_cap),
    amountSpentMinor: node.amount_spent === undefined ? undefined : parseMinorUnits(node.amount_spent),
    fundingSourceId: node.funding_source,
  };
}

/** The account's spend cap in minor units, or `undefined` when it has none. */
export async function readSpendCapMinor(
  graph: GraphAs<CredentialFor<'read-ad-account'>>,
  adAccountId: string,
): Promise<number | undefined> {
  const path = graphPath(adAccountNodeId(adAccountId));
  const node = await graph.get(path, { fields: 'spend_cap' }, v.object({ spend_cap: v.optional(v.string()) }));
  return capOf(node.spend_cap);
}

/** Meta writes "no cap" as 0. */
function capOf(spendCap: string | undefined): number | undefined {
  return spendCap === undefined ? undefined : parseMinorUnits(spendCap) || undefined;
}

/**
 * `POST /act_…` with `spend_cap`: the most the account may spend from now on. Meta reads this one field in **whole**
 * units and returns it in minor units; this takes minor units. Repeating it is harmless but counts: ten changes a day,
 * then `spend-cap-changes-used-up`, so read first.
 *
 * @throws MoneyError for zero, which would remove the cap, and for what is no amount
 */
export async function setSpendCap(
  graph: GraphAs<CredentialFor<'set-spend-cap'>>,
  cap: { readonly adAccountId: string; readonly capMinor: number; readonly currency: string },
): Promise<void> {
  if (cap.capMinor === 0) throw new MoneyError('not-an-amount', 'A spend cap of 0 means no cap at Meta');
  const params = { spend_cap: toWholeUnits(cap.capMinor, cap.currency) };
  await graph.post(graphPath(adAccountNodeId(cap.adAccountId)), params, succeeded);
}

/** Everything an operator of the account needs. */
export const adAccountTasks = ['MANAGE', 'ADVERTISE', 'ANALYZE'] as const;

/** `POST /act_…/assigned_users`. Without it the account answers the system user with `object-not-visible`. Repeatable. */
export async function assignAdAccountUser(
  graph: GraphAs<CredentialFor<'assign-ad-account-user'>>,
  assignment: { readonly adAccountId: string; readonly userId: string },
): Promise<void> {
  const { adAccountId, userId } = assignment;
  await assignUser(graph, adAccountNodeId(adAccountId), { userId, tasks: adAccountTasks });
}

/** `GET /act_…/assigned_users?business=…`, every one. */
export async function readAdAccountUsers(
  graph: GraphAs<CredentialFor<'assign-ad-account-user'>>,
  account: { readonly adAccountId: string; readonly businessId: string },
): Promise<AssignedUser[]> {
  return readAssignedUsers(graph, adAccountNodeId(account.adAccountId), account.businessId);
}

/** `POST /act_…/subscribed_apps`: the account's webhooks come to this app. Repeatable. */
export async function subscribeAdAccount(
  graph: GraphAs<CredentialFor<'subscribe-ad-account'>>,
  subscription: { readonly adAccountId: string; readonly appId: string },
): Promise<void> {
  const path = graphPath(adAccountNodeId(subscription.adAccountId), 'subscribed_apps');
  await graph.post(path, { app_id: subscription.appId }, succeeded);
}

/** `DELETE /act_…/subscribed_apps`. Repeatable. */
export async function unsubscribeAdAccount(
  graph: GraphAs<CredentialFor<'subscribe-ad-account'>>,
  subscription: { readonly adAccountId: string; readonly appId: string },
): Promise<void> {
  const path = graphPath(adAccountNodeId(subscription.adAccountId), 'subscribed_apps');
  await graph.delete(path, { app_id: subscription.appId }, succeeded);
}

/** `GET /act_…/subscribed_apps`: the ids of the apps that hear the account's webhooks. */
export async function readSubscribedApps(
  graph: GraphAs<CredentialFor<'subscribe-ad-account'>>,
  adAccountId: string,
): Promise<string[]> {
  const path = graphPath(adAccountNodeId(adAccountId), 'subscribed_apps');
  const app = v.object({ app_id: v.optional(graphId), id: v.optional(graphId) });
  const apps = await graph.list(path, { fields: 'app_id' }, app);
  return apps.flatMap(({ app_id: appId, id }) => appId ?? id ?? []);
}
