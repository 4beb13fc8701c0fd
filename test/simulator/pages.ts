import { pageTasks } from './access.ts';
import { endpoint } from './endpoint.ts';
import { row, rows, type Shape, words } from './field-selection.ts';
import { GraphError, invalidParameter, permissionDenied } from './graph-error.ts';
import { pageTaskNames } from './meta-enums.ts';
import { id, idInt, listOf, oneOf, optional, required, text } from './parameters.ts';
import { business, instagram, page } from './shapes.ts';
import type { Business, Page } from './world.ts';

const tasksType = listOf(oneOf(pageTaskNames));

const readPage = endpoint({
  operation: 'read_page',
  method: 'GET',
  on: 'page',
  credentials: ['user', 'parent', 'child'],
  scopes: ['pages_read_engagement', 'pages_show_list'],
  scopeCode: 10,
  parameters: { account_linking_token: optional(text) },
  handle: ({ node }) => row(page, node),
});

const listPageInstagrams = endpoint({
  operation: 'list_page_instagram_accounts',
  method: 'GET',
  on: 'page',
  edge: 'instagram_accounts',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['pages_read_engagement', 'instagram_basic'],
  scopeCode: 10,
  parameters: {},
  handle: ({ node, context: { store } }) =>
    rows(instagram, node.instagramId === undefined ? [] : [store.get('instagram', node.instagramId)]),
});

const listPromotablePages = endpoint({
  operation: 'list_promotable_pages',
  method: 'GET',
  on: 'ad_account',
  edge: 'promote_pages',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['pages_show_list', 'pages_manage_ads', 'ads_management'],
  tasks: ['MANAGE', 'ADVERTISE', 'ANALYZE'],
  parameters: {},
  handle({ node: account, credential, context: { store } }) {
    const owner = store.get('business', account.businessId);
    const promotable = store
      .many('page', owner.clientPageIds)
      .filter((shared) => pageTasks(credential, shared).includes('ADVERTISE'));
    return rows(page, promotable);
  },
});

interface Agency {
  business: Business;
  tasks: readonly string[];
}

const agency: Shape<Agency> = {
  name: 'Business',
  defaults: ['id', 'name', 'permitted_tasks'],
  empty: business.empty,
  fields: {
    id: ({ business: { id: businessId } }) => businessId,
    name: ({ business: { name } }) => name,
    permitted_tasks: ({ tasks }) => tasks,
  },
};

const listAgencies = endpoint({
  operation: 'list_page_agencies',
  method: 'GET',
  on: 'page',
  edge: 'agencies',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management', 'pages_read_engagement'],
  parameters: {},
  handle: ({ node, context: { store } }) =>
    rows(
      agency,
      [...node.agencies].map(([businessId, tasks]) => ({ business: store.get('business', businessId), tasks })),
    ),
});

/** Gives a business tasks on a Page; a request of that business for the Page is thereby answered. */
export function shareWith(shared: Page, partner: Business, tasks: string[]): void {
  shared.agencies.set(partner.id, tasks);
  partner.clientPageIds.add(shared.id);
  partner.pendingPages.delete(shared.id);
}

const addAgency = endpoint({
  operation: 'share_page_with_agency',
  method: 'POST',
  on: 'page',
  edge: 'agencies',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management', 'pages_manage_ads'],
  parameters: { business: required(id), permitted_tasks: optional(tasksType) },
  handle({ node, params, credential, context: { store } }) {
    if (!pageTasks(credential, node).includes('MANAGE')) {
      throw permissionDenied(200, 'Only an admin of the Page may share it');
    }
    const partner = store.find('business', params.business);
    if (partner === undefined) throw invalidParameter('business', 'is not a business.');
    shareWith(node, partner, params.permitted_tasks ?? []);
    return { success: true };
  },
});

const removeAgency = endpoint({
  operation: 'unshare_page',
  method: 'DELETE',
  on: 'page',
  edge: 'agencies',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management', 'pages_manage_ads'],
  parameters: { business: required(id) },
  handle({ node, params, credential, context: { store } }) {
    const isPartner = credential.kind !== 'user' && credential.business.id === params.business;
    if (!isPartner && !pageTasks(credential, node).includes('MANAGE')) {
      throw permissionDenied(200, 'Only an admin of the Page may end its sharing');
    }
    if (!node.agencies.has(params.business)) throw invalidParameter('business', 'has no access to this Page.');
    endSharing(node, store.get('business', params.business));
    return { success: true };
  },
});

/** Takes the business off a Page, owned or shared: the other end of `agencies`. */
function endSharing(node: Page, partner: Business): void {
  node.agencies.delete(partner.id);
  partner.clientPageIds.delete(node.id);
  for (const userId of partner.systemUserIds) node.assigned.delete(userId);
}

const removePage = endpoint({
  operation: 'remove_page',
  method: 'DELETE',
  on: 'business',
  edge: 'pages',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: { page_id: required(idInt) },
  handle({ node, params, context: { store } }) {
    const given = store.find('page', params.page_id);
    if (given === undefined || !node.clientPageIds.has(given.id)) {
      throw invalidParameter('page_id', 'is not a Page of this business.');
    }
    endSharing(given, node);
    return { success: true };
  },
});

const requestPage = endpoint({
  operation: 'request_client_page',
  method: 'POST',
  on: 'business',
  edge: 'client_pages',
  credentials: ['parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: { page_id: required(idInt), permitted_tasks: optional(tasksType) },
  handle({ node, params, context: { store, switches }, nowMs }) {
    if (!switches.client_pages_creatable) {
      throw new GraphError({ code: 100, message: '(#100) This operation is not supported on client_pages' });
    }
    const wanted = store.find('page', params.page_id);
    if (wanted === undefined) throw invalidParameter('page_id', 'is not a Page.');
    if (node.clientPageIds.has(wanted.id)) return { id: wanted.id, access_status: 'CONFIRMED' };
    if (node.pendingPages.has(wanted.id)) {
      throw new GraphError({ code: 100, message: '(#100) A request for this Page is already pending' });
    }
    node.pendingPages.set(wanted.id, {
      id: store.newId('pending_page'),
      tasks: params.permitted_tasks ?? [],
      createdAtMs: nowMs,
    });
    return { id: wanted.id, access_status: 'PENDING' };
  },
});

const listClientPages = endpoint({
  operation: 'list_client_pages',
  method: 'GET',
  on: 'business',
  edge: 'client_pages',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management', 'pages_show_list'],
  business: 'own',
  parameters: {},
  handle: ({ node, context: { store } }) => rows(page, store.many('page', node.clientPageIds)),
});

const pendingPage: Shape<{ id: string; page: Page; createdAtMs: number }> = {
  name: 'BusinessPageRequest',
  defaults: ['id', 'page'],
  empty: words(''),
  fields: { id: (request) => request.id, page: (request) => row(page, request.page) },
};

const listPendingPages = endpoint({
  operation: 'list_pending_client_pages',
  method: 'GET',
  on: 'business',
  edge: 'pending_client_pages',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: {},
  handle: ({ node, context: { store } }) =>
    rows(
      pendingPage,
      [...node.pendingPages].map(([pageId, { id: requestId, createdAtMs }]) => ({
        id: requestId,
        page: store.get('page', pageId),
        createdAtMs,
      })),
    ),
});

export const pageEndpoints = [
  readPage,
  listPageInstagrams,
  listPromotablePages,
  listAgencies,
  addAgency,
  removeAgency,
  removePage,
  requestPage,
  listClientPages,
  listPendingPages,
];
