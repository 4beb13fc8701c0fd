import type { DriftItemName, Observation, Observations } from '../../../shared/domain/drift.ts';
import type { TenantRecords } from '../../../shared/gcp/tenant-records.ts';
import { adAccountStatusName, readAdAccount, readSubscribedApps } from '../../../shared/meta/ad-accounts.ts';
import type { AdAccount } from '../../../shared/meta/ad-accounts.ts';
import { readBusiness } from '../../../shared/meta/businesses.ts';
import { readCatalog } from '../../../shared/meta/catalogs.ts';
import { findCreditAllocation } from '../../../shared/meta/credit-lines.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { readPromotablePages } from '../../../shared/meta/pages.ts';
import { readPixels } from '../../../shared/meta/pixels.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { TenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';

export interface LookServices {
  readonly graph: Pick<GraphClient, 'as'>;
  readonly credentials: Pick<TenantCredentials, 'operator' | 'parent'>;
  readonly kobi: { readonly appId: string; readonly extendedCreditId: string };
}

export interface Look {
  readonly observations: Observations;
  /** False: Meta stopped answering on the way, or asked us to stay away. */
  readonly answered: boolean;
}

/** An answer, or why there is none: Meta says that we may not see the object, or says nothing that can be used. */
type Answer<Value> = { readonly value: Value } | 'not-visible' | 'unknown';

const notVisible = 'not visible to Kobi';
const none = 'none';

/**
 * Reads what Meta has of everything that is recorded of a tenant. Only what Meta said is compared: a refused, failed or
 * unusable answer, and a field that it left out, are `unknown`. Once Meta does not answer, nothing more is asked.
 */
export async function lookAt(records: TenantRecords, services: LookServices): Promise<Look> {
  const { credentials, graph, kobi } = services;
  const { assets, tenantId } = records;
  const { adAccountId, catalogId, datasetId } = assets;
  const observations: Partial<Record<DriftItemName, Observation | 'unknown'>> = {};
  let answered = true;

  const ask = async <Value>(read: () => Promise<Value>): Promise<Answer<Value>> => {
    if (!answered) return 'unknown';
    try {
      return { value: await read() };
    } catch (error) {
      // A token that is not there waits for somebody; token-check says so.
      if (error instanceof OutcomeError) return 'unknown';
      if (!(error instanceof GraphError)) throw error;
      if (error.reason === 'object-not-visible') return 'not-visible';
      answered = !['transient', 'unknown-outcome', 'throttled', 'rescheduled'].includes(error.class);
      return 'unknown';
    }
  };
  const asOperator = async () => graph.as(await credentials.operator(tenantId, assets.operator));

  if (records.childBusiness !== null) {
    const { childBusinessId, names } = records.childBusiness;
    const business = await ask(async () => readBusiness(await asOperator(), childBusinessId));
    if (names !== null) observations['child-business-name'] = compared(names, business, ({ name }) => name);
  }
  const account = await ask(async () => readAdAccount(await asOperator(), adAccountId));
  if (records.adAccountName !== null) {
    // That the account cannot be seen is told once, by its status.
    const seen = account === 'not-visible' ? 'unknown' : account;
    observations['ad-account-name'] = compared([records.adAccountName], seen, ({ name }) => name);
  }
  observations['ad-account-status'] = compared(['active'], account, ({ accountStatus: status }) =>
    status === undefined ? undefined : adAccountStatusName(status),
  );
  if (records.spendCapMinor !== null) {
    const seen: Answer<AdAccount> = account === 'not-visible' ? 'unknown' : account;
    const cap = ({ spendCapMinor }: AdAccount): string => (spendCapMinor === undefined ? none : String(spendCapMinor));
    observations['spend-cap'] = compared([String(records.spendCapMinor)], seen, cap);
  }

  /** Whether a list of ids has the recorded one. That the list cannot be seen says nothing about what is in it. */
  const listed = async (expected: string, read: () => Promise<readonly string[]>) => {
    const list = await ask(read);
    return compared([expected], list === 'not-visible' ? 'unknown' : list, (ids) =>
      ids.includes(expected) ? expected : none,
    );
  };
  observations.dataset = await listed(datasetId, async () =>
    (await readPixels(await asOperator(), adAccountId)).map(({ id }) => id),
  );
  if (records.pageId !== null) {
    observations['page-link'] = await listed(records.pageId, async () =>
      (await readPromotablePages(await asOperator(), adAccountId)).map(({ id }) => id),
    );
  }
  if (records.hasWebhooks) {
    observations['webhook-subscription'] = await listed(kobi.appId, async () =>
      readSubscribedApps(await asOperator(), adAccountId),
    );
  }
  if (catalogId !== null) {
    const catalog = await ask(async () => readCatalog(await asOperator(), catalogId));
    observations.catalog = compared([catalogId], catalog, ({ id }) => id);
  }
  if (records.hasCreditShare && records.childBusiness !== null) {
    const { extendedCreditId } = kobi;
    const { childBusinessId: receivingBusinessId } = records.childBusiness;
    const allocation = await ask(async () =>
      findCreditAllocation(graph.as(await credentials.parent()), { extendedCreditId, receivingBusinessId }),
    );
    // A share that was taken back and given again has another id and serves as well.
    observations['credit-allocation'] = compared(
      ['shared'],
      allocation === 'not-visible' ? 'unknown' : allocation,
      (found) => (found === undefined ? none : 'shared'),
    );
  }
  return { observations, answered };
}

/** What was found, held against any of the texts it may be. */
function compared<Value>(
  expected: readonly string[],
  answer: Answer<Value>,
  textOf: (value: Value) => string | undefined,
): Observation | 'unknown' {
  if (answer === 'unknown') return 'unknown';
  const found = answer === 'not-visible' ? notVisible : textOf(answer.value);
  if (found === undefined) return 'unknown';
  return { expected: expected.includes(found) ? found : expected.join(' or '), found };
}
