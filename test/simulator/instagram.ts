import { hasTask, pageTasks } from './access.ts';
import type { SimulatorContext } from './context.ts';
import { endpoint, type Credential } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { invalidParameter, permissionDenied } from './graph-error.ts';
import { id, optional, required } from './parameters.ts';
import { adAccount, instagram } from './shapes.ts';
import type { Business, InstagramAccount } from './world.ts';

const readInstagram = endpoint({
  operation: 'read_instagram_account',
  method: 'GET',
  on: 'instagram',
  credentials: ['user', 'parent', 'child'],
  scopes: ['instagram_basic'],
  scopeCode: 10,
  parameters: { adgroup_id: optional(id) },
  handle: ({ node }) => row(instagram, node),
});

const authorizeAdAccount = endpoint({
  operation: 'authorize_instagram_ad_account',
  method: 'POST',
  on: 'instagram',
  edge: 'authorized_adaccounts',
  credentials: ['user', 'parent', 'child'],
  scopes: ['instagram_basic', 'business_management'],
  scopeCode: 10,
  parameters: { account_id: required(id), business: required(id) },
  handle({ node, params, credential, context: { store } }) {
    const business = store.find('business', params.business);
    if (business === undefined || !isAdminOf(credential, business)) {
      throw permissionDenied(200, 'Requires admin of the business');
    }
    if (!business.clientPageIds.has(node.pageId)) {
      throw invalidParameter('business', 'has no access to the Page of this Instagram account.');
    }
    const account = store.find('ad_account', `act_${params.account_id}`);
    if (account?.businessId !== business.id)
      throw invalidParameter('account_id', 'is not an ad account of the business.');
    if (!hasTask(credential, account, ['MANAGE', 'ADVERTISE'])) {
      throw permissionDenied(200, 'The system user is not assigned to the ad account');
    }
    node.authorizedAdAccounts.set(account.accountId, business.id);
    if (!account.instagramIds.includes(node.id)) account.instagramIds.push(node.id);
    return { success: true };
  },
});

function isAdminOf(credential: Exclude<Credential, { kind: 'none' | 'app' }>, business: Business): boolean {
  return credential.kind === 'user'
    ? business.clientUserId === credential.person.id
    : credential.business.id === business.id && credential.systemUser.role === 'ADMIN';
}

const listAuthorizedAdAccounts = endpoint({
  operation: 'list_authorized_ad_accounts',
  method: 'GET',
  on: 'instagram',
  edge: 'authorized_adaccounts',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['instagram_basic', 'business_management'],
  scopeCode: 10,
  parameters: { business: required(id) },
  handle({ node, params, context: { store } }) {
    const accounts = [...node.authorizedAdAccounts]
      .filter(([, businessId]) => businessId === params.business)
      .map(([accountId]) => store.get('ad_account', `act_${accountId}`));
    return rows(adAccount, accounts);
  },
});

const listAdAccountInstagrams = endpoint({
  operation: 'list_instagram_accounts',
  method: 'GET',
  on: 'ad_account',
  edge: 'instagram_accounts',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  tasks: ['MANAGE', 'ADVERTISE', 'ANALYZE'],
  parameters: {},
  handle: ({ node, context: { store } }) => rows(instagram, store.many('instagram', node.instagramIds)),
});

/** Instagram accounts of the Pages a business may use, as far as the caller may. */
function reachable(business: Business, credential: Credential, { store }: SimulatorContext): InstagramAccount[] {
  return store
    .many('page', business.clientPageIds)
    .filter((page) => pageTasks(credential, page).length > 0)
    .flatMap(({ instagramId }) => (instagramId === undefined ? [] : [store.get('instagram', instagramId)]));
}

const listConnectedInstagrams = endpoint({
  operation: 'list_connected_instagram_accounts',
  method: 'GET',
  on: 'ad_account',
  edge: 'connected_instagram_accounts',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  tasks: ['MANAGE', 'ADVERTISE', 'ANALYZE'],
  parameters: {},
  handle: ({ node, credential, context }) =>
    rows(instagram, reachable(context.store.get('business', node.businessId), credential, context)),
});

const listBusinessInstagrams = (['instagram_accounts', 'instagram_business_accounts'] as const).map((edge) =>
  endpoint({
    operation: `list_business_${edge}`,
    method: 'GET',
    on: 'business',
    edge,
    isList: true,
    credentials: ['user', 'parent', 'child'],
    scopes: ['instagram_basic', 'business_management'],
    business: 'own',
    parameters: {},
    handle: ({ node, credential, context }) => rows(instagram, reachable(node, credential, context)),
  }),
);

export const instagramEndpoints = [
  readInstagram,
  authorizeAdAccount,
  listAuthorizedAdAccounts,
  listAdAccountInstagrams,
  listConnectedInstagrams,
  ...listBusinessInstagrams,
];
