/** The parent's line of credit and its share for a child business (Marketing API, "Extended Credit"). */
import * as v from 'valibot';
import { created, graphId, succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** A line of credit a business owns or was given; the id is what `createAdAccount` takes as `fundingId`. */
export interface ExtendedCredit {
  readonly id: string;
  readonly legalEntityName?: string | undefined;
  /** The allocation it came from, when it was shared by another business. */
  readonly receivedThrough?: string | undefined;
}

const extendedCredit = v.object({
  id: graphId,
  legal_entity_name: v.optional(v.string()),
  receiving_credit_allocation_config: v.optional(v.object({ id: graphId })),
});

/** `GET /{business}/extendedcredits`. Empty for a child business until the share has arrived. */
export async function readExtendedCredits(
  graph: GraphAs<CredentialFor<'read-extended-credits'>>,
  businessId: string,
): Promise<ExtendedCredit[]> {
  const fields = 'id,legal_entity_name,receiving_credit_allocation_config{id}';
  const credits = await graph.list(graphPath(businessId, 'extendedcredits'), { fields }, extendedCredit);
  return credits.map((credit) => ({
    id: credit.id,
    legalEntityName: credit.legal_entity_name,
    receivedThrough: credit.receiving_credit_allocation_config?.id,
  }));
}

/** One share of a line of credit; a child business has at most one. */
export interface CreditAllocation {
  readonly id: string;
  readonly receivingBusinessId?: string | undefined;
  readonly requestStatus?: string | undefined;
}

const allocation = v.object({
  id: graphId,
  receiving_business: v.optional(v.object({ id: graphId })),
  request_status: v.optional(v.string()),
});

/**
 * `GET /{extended credit}/owning_credit_allocation_configs?receiving_business_id=…`: the share of this child business,
 * or `undefined`. What Meta returns for another business is ignored.
 */
export async function findCreditAllocation(
  graph: GraphAs<CredentialFor<'find-credit-allocation'>>,
  key: { readonly extendedCreditId: string; readonly receivingBusinessId: string },
): Promise<CreditAllocation | undefined> {
  const found = await graph.list(
    graphPath(key.extendedCreditId, 'owning_credit_allocation_configs'),
    { receiving_business_id: key.receivingBusinessId, fields: 'id,receiving_business{id},request_status' },
    allocation,
  );
  const match = found.find(
    ({ receiving_business: business }) => (business?.id ?? key.receivingBusinessId) === key.receivingBusinessId,
  );
  return (
    match && {
      id: match.id,
      receivingBusinessId: match.receiving_business?.id,
      requestStatus: match.request_status,
    }
  );
}

/**
 * `POST /{extended credit}/owning_credit_allocation_configs` with the **parent's** token, whose role needs Finance
 * Editor. No `amount` is sent: its unit is undocumented, and what a tenant may spend is held by the ad account's
 * spend cap. Look with {@link findCreditAllocation} before, and after an answer was lost.
 */
export async function shareCreditLine(
  graph: GraphAs<CredentialFor<'share-credit-line'>>,
  share: { readonly extendedCreditId: string; readonly receivingBusinessId: string },
): Promise<{ id: string }> {
  const path = graphPath(share.extendedCreditId, 'owning_credit_allocation_configs');
  return graph.post(path, { receiving_business_id: share.receivingBusinessId }, created);
}

/** `DELETE /{allocation}`: takes the share back. Repeating it is harmless: one that is gone answers `not-found`. */
export async function revokeCreditAllocation(
  graph: GraphAs<CredentialFor<'revoke-credit-allocation'>>,
  allocationId: string,
): Promise<void> {
  await graph.delete(graphPath(allocationId), {}, succeeded);
}
