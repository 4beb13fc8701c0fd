/** Business Managers: the child business of a tenant (Marketing API, "2-Tier Business Manager Solution"). */
import * as v from 'valibot';
import { graphId, named, succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import { ambiguousMatch } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** `vertical` of a business. */
const businessVerticals = [
  'ADVERTISING',
  'AUTOMOTIVE',
  'CONSUMER_PACKAGED_GOODS',
  'ECOMMERCE',
  'EDUCATION',
  'ENERGY_AND_UTILITIES',
  'ENTERTAINMENT_AND_MEDIA',
  'FINANCIAL_SERVICES',
  'GAMING',
  'GOVERNMENT_AND_POLITICS',
  'HEALTH',
  'LUXURY',
  'MARKETING',
  'NON_PROFIT',
  'NOT_SET',
  'ORGANIZATIONS_AND_ASSOCIATIONS',
  'OTHER',
  'PROFESSIONAL_SERVICES',
  'RESTAURANT',
  'RETAIL',
  'TECHNOLOGY',
  'TELECOM',
  'TRAVEL',
] as const;
export type BusinessVertical = (typeof businessVerticals)[number];

/** What we ask to be allowed on a Page: advertising and its numbers, never content. */
export const pageTasks = ['ADVERTISE', 'ANALYZE'] as const;

export interface NewChildBusiness {
  readonly parentBusinessId: string;
  readonly name: string;
  readonly vertical: BusinessVertical;
  /** The key the business is found again by; unique per tenant. */
  readonly childBusinessExternalId: string;
  /** The client's Page, which comes into the child business with it. The client must be its admin. */
  readonly sharedPageId?: string;
  /** Meta's time zone number, 0 to 592. */
  readonly timezoneId?: number;
}

export interface ChildBusiness {
  readonly id: string;
  readonly name?: string | undefined;
}

/**
 * `POST /{parent}/owned_businesses` with the client's **user** token.
 *
 * Not idempotent: look with {@link findChildBusinessByExternalId} before, and after an answer was lost.
 * @throws GraphError `business-name-refused`, `business-name-taken`, `not-page-admin`, `user-has-child-business`,
 *   `user-has-a-business`, `primary-page-taken`, `app-not-owned`, `advertising-restricted` among others
 */
export async function createChildBusiness(
  graph: GraphAs<CredentialFor<'create-child-business'>>,
  business: NewChildBusiness,
): Promise<ChildBusiness> {
  return graph.post(
    graphPath(business.parentBusinessId, 'owned_businesses'),
    {
      name: business.name,
      vertical: business.vertical,
      child_business_external_id: business.childBusinessExternalId,
      shared_page_id: business.sharedPageId,
      page_permitted_tasks: business.sharedPageId === undefined ? undefined : pageTasks,
      timezone_id: business.timezoneId,
    },
    named,
  );
}

/**
 * `GET /{parent}/owned_businesses?child_business_external_id=…` with the **parent's** token: the one child business
 * made for this external id, or `undefined`.
 *
 * @throws GraphError `ambiguous-match` when several come back, because a business does not show its external id and
 *   the wrong one must not be adopted
 */
export async function findChildBusinessByExternalId(
  graph: GraphAs<CredentialFor<'find-child-business'>>,
  key: { readonly parentBusinessId: string; readonly childBusinessExternalId: string },
): Promise<ChildBusiness | undefined> {
  const found = await graph.list(
    graphPath(key.parentBusinessId, 'owned_businesses'),
    { child_business_external_id: key.childBusinessExternalId, fields: 'id,name' },
    named,
  );
  if (found.length > 1) throw ambiguousMatch('GET /{id}/owned_businesses', found.length);
  return found[0];
}

/** `GET /{parent}/owned_businesses?client_user_id=…`: the child businesses this person (app-scoped id) is a client of. */
export async function findChildBusinessesOfUser(
  graph: GraphAs<CredentialFor<'find-child-business'>>,
  key: { readonly parentBusinessId: string; readonly clientUserId: string },
): Promise<ChildBusiness[]> {
  const path = graphPath(key.parentBusinessId, 'owned_businesses');
  return graph.list(path, { client_user_id: key.clientUserId, fields: 'id,name' }, named);
}

/**
 * `DELETE /{parent}/owned_businesses?client_id=…`. Ads must be paused and invoices paid before. Repeating it is
 * harmless: a business that is gone answers `not-found`.
 */
export async function removeChildBusiness(
  graph: GraphAs<CredentialFor<'remove-child-business'>>,
  business: { readonly parentBusinessId: string; readonly childBusinessId: string },
): Promise<void> {
  const path = graphPath(business.parentBusinessId, 'owned_businesses');
  await graph.delete(path, { client_id: business.childBusinessId }, succeeded);
}

const businessNode = v.object({
  id: graphId,
  name: v.optional(v.string()),
  verification_status: v.optional(v.string()),
});

export interface Business extends ChildBusiness {
  /** e.g. `verified`, `not_verified`. */
  readonly verificationStatus?: string | undefined;
}

/** `GET /{business}`: name and business verification (PRE-8 for the parent). */
export async function readBusiness(
  graph: GraphAs<CredentialFor<'read-business'>>,
  businessId: string,
): Promise<Business> {
  const node = await graph.get(graphPath(businessId), { fields: 'id,name,verification_status' }, businessNode);
  return { id: node.id, name: node.name, verificationStatus: node.verification_status };
}
