import { endpoint, type CredentialOf } from './endpoint.ts';
import { rows } from './field-selection.ts';
import { invalidParameter, permissionDenied, unknownObject } from './graph-error.ts';
import { id, listOf, oneOf, required } from './parameters.ts';
import { adAccount, business } from './shapes.ts';
import type { Pixel } from './world.ts';

/** A pixel for other ad accounts: first its business gets access (`agencies`), then the account (`shared_accounts`). */

/** Only the business that owns a pixel shares it on. */
function requireOwner(node: Pixel, credential: CredentialOf<'user' | 'parent' | 'child'>): void {
  const isOwner = credential.kind === 'user' || credential.business.id === node.businessId;
  if (!isOwner) throw permissionDenied(200, 'Only the business that owns the pixel may share it');
}

const listSharedAccounts = endpoint({
  operation: 'list_pixel_accounts',
  method: 'GET',
  on: 'pixel',
  edge: 'shared_accounts',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management', 'business_management'],
  parameters: { business: required(id) },
  handle({ node, params, context: { store } }) {
    const accounts = [...node.sharedAccounts]
      .filter(([, businessId]) => businessId === params.business)
      .map(([accountId]) => store.get('ad_account', `act_${accountId}`));
    return rows(adAccount, accounts);
  },
});

const sharePixel = endpoint({
  operation: 'share_pixel',
  method: 'POST',
  on: 'pixel',
  edge: 'shared_accounts',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management', 'business_management'],
  parameters: { account_id: required(id), business: required(id) },
  handle({ node, params, credential, context }) {
    const account = context.store.find('ad_account', `act_${params.account_id}`);
    if (account === undefined) throw unknownObject(params.account_id, 'POST', 'no such ad account');
    const isPartner = credential.kind !== 'user' && credential.business.id === params.business;
    if (!isPartner) requireOwner(node, credential);
    // Since September 2024 the business must have access to both the pixel and the ad account.
    const hasPixel = node.businessId === params.business || node.agencies.has(params.business);
    if (account.businessId !== params.business || !hasPixel) {
      throw invalidParameter('business', 'needs access to both the pixel and the ad account.');
    }
    node.sharedAccounts.set(account.accountId, params.business);
    if (!account.pixelIds.includes(node.id)) account.pixelIds.push(node.id);
    return { success: true };
  },
});

const unsharePixel = endpoint({
  operation: 'unshare_pixel',
  method: 'DELETE',
  on: 'pixel',
  edge: 'shared_accounts',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management', 'business_management'],
  parameters: { account_id: required(id), business: required(id) },
  handle({ node, params, context: { store } }) {
    if (node.sharedAccounts.get(params.account_id) !== params.business) {
      throw invalidParameter('account_id', 'does not share this pixel.');
    }
    node.sharedAccounts.delete(params.account_id);
    const account = store.get('ad_account', `act_${params.account_id}`);
    account.pixelIds = account.pixelIds.filter((pixelId) => pixelId !== node.id);
    return { success: true };
  },
});

const listAgencies = endpoint({
  operation: 'list_pixel_agencies',
  method: 'GET',
  on: 'pixel',
  edge: 'agencies',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management', 'business_management'],
  parameters: {},
  handle: ({ node, context: { store } }) => rows(business, store.many('business', node.agencies.keys())),
});

const addAgency = endpoint({
  operation: 'share_pixel_with_agency',
  method: 'POST',
  on: 'pixel',
  edge: 'agencies',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management', 'business_management'],
  parameters: {
    business: required(id),
    permitted_tasks: required(listOf(oneOf(['ADVERTISE', 'ANALYZE', 'EDIT', 'UPLOAD']))),
  },
  handle({ node, params, credential, context: { store } }) {
    requireOwner(node, credential);
    if (store.find('business', params.business) === undefined) throw invalidParameter('business', 'is not a business.');
    node.agencies.set(params.business, params.permitted_tasks);
    return { success: true };
  },
});

const removeAgency = endpoint({
  operation: 'unshare_pixel_with_agency',
  method: 'DELETE',
  on: 'pixel',
  edge: 'agencies',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management', 'business_management'],
  parameters: { business: required(id) },
  handle({ node, params, credential, context: { store } }) {
    requireOwner(node, credential);
    if (!node.agencies.delete(params.business)) throw invalidParameter('business', 'has no access to this pixel.');
    const partner = store.get('business', params.business);
    for (const userId of partner.systemUserIds) node.assigned.delete(userId);
    return { success: true };
  },
});

export const pixelSharingEndpoints = [
  listSharedAccounts,
  sharePixel,
  unsharePixel,
  listAgencies,
  addAgency,
  removeAgency,
];
