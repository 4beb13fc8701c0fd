import { businessError, checkName, checkOwnChildren, checkPage } from './business-rules.ts';
import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { GraphError, invalidParameter, missingParameter, permissionDenied, unknownObject } from './graph-error.ts';
import { businessVerticals, pageTaskNames, timezoneIds } from './meta-enums.ts';
import { shareWith } from './pages.ts';
import { bool, id, idInt, listOf, oneOf, optional, permissions, required, text, unsigned } from './parameters.ts';
import { business, ownedBusiness } from './shapes.ts';
import { domainOf, newBusiness, type Store } from './store.ts';
import type { Business } from './world.ts';

const createChild = endpoint({
  operation: 'create_child_business',
  method: 'POST',
  on: 'business',
  edge: 'owned_businesses',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  parameters: {
    name: required(text),
    vertical: required(oneOf(businessVerticals)),
    shared_page_id: optional(id),
    page_permitted_tasks: optional(listOf(oneOf(pageTaskNames))),
    timezone_id: optional(oneOf(timezoneIds)),
    child_business_external_id: optional(text),
    sales_rep_email: optional(text),
    should_generate_name: optional(bool),
    survey_business_type: optional(oneOf(['ADVERTISER', 'AGENCY', 'APP_DEVELOPER', 'PUBLISHER'])),
    survey_num_assets: optional(unsigned),
    survey_num_people: optional(unsigned),
  },
  handle({ node: parent, params, credential, context, nowMs }) {
    const { store, switches } = context;
    if (credential.kind !== 'user' && !switches.parent_token_may_create_child) {
      throw new GraphError({
        code: 3913,
        message: "(#3913) It doesn't look like you have permission to create a new business",
      });
    }
    if (parent.id !== store.seed.parentBusinessId || !switches.app_owned_by_parent) {
      throw businessError(1690192, 'The app is not owned by the aggregator business', context);
    }
    if (switches.app_mode === 'development' && parent.childIds.length >= 2) {
      throw new GraphError({
        code: 270,
        message: '(#270) This application is in development mode: two child businesses at most',
      });
    }
    const person = credential.kind === 'user' ? credential.person : undefined;
    checkName(params.name, person, context);
    if (person !== undefined) checkOwnChildren(person, context);
    const externalId = params.child_business_external_id;
    if (switches.external_id_unique && externalId !== undefined && store.externalIds.has(externalId)) {
      throw invalidParameter('child_business_external_id', 'is already in use.');
    }
    const page =
      params.shared_page_id === undefined ? undefined : checkPage(credential, params.shared_page_id, context);
    if (page === undefined && switches.child_business_requires_page) throw missingParameter('shared_page_id');
    if (page !== undefined && params.page_permitted_tasks === undefined && switches.page_tasks_required_with_page) {
      throw missingParameter('page_permitted_tasks');
    }

    const child = store.add(newBusiness(store.newId('business'), params.name, params.vertical, nowMs));
    child.timezoneId = Number(params.timezone_id ?? 0);
    child.parentId = parent.id;
    child.externalId = externalId;
    child.clientUserId = person?.id;
    parent.childIds.push(child.id);
    person?.businessIds.push(child.id);
    if (externalId !== undefined)
      store.externalIds.set(externalId, [...(store.externalIds.get(externalId) ?? []), child.id]);
    if (page !== undefined) {
      child.primaryPageId = page.id;
      if (switches.shared_page_arrives) shareWith(page, child, params.page_permitted_tasks ?? ['ADVERTISE', 'ANALYZE']);
    }
    const website = page === undefined ? undefined : domainOf(page.website);
    if (website !== undefined && switches.domain_listing === 'automatic') store.addDomain(child, website, nowMs);
    return { id: child.id, name: child.name };
  },
});

const managePermissions = (): GraphError =>
  permissionDenied(10, 'This endpoint requires the MANAGE_PERMISSIONS task on the business');

const listChildren = endpoint({
  operation: 'list_child_businesses',
  method: 'GET',
  on: 'business',
  edge: 'owned_businesses',
  isList: true,
  credentials: ['parent'],
  refusal: managePermissions,
  scopes: ['business_management'],
  business: 'own',
  parameters: { child_business_external_id: optional(text), client_user_id: optional(idInt) },
  handle({ node: parent, params, context: { store } }) {
    const externalId = params.child_business_external_id;
    const clientUserId = params.client_user_id;
    const ids =
      externalId !== undefined
        ? (store.externalIds.get(externalId) ?? [])
        : clientUserId !== undefined
          ? (store.find('user', clientUserId)?.businessIds ?? [])
          : parent.childIds;
    const children = store
      .many('business', ids)
      .filter((child) => clientUserId === undefined || child.clientUserId === clientUserId);
    return rows(ownedBusiness, children);
  },
});

const removeChild = endpoint({
  operation: 'remove_child_business',
  method: 'DELETE',
  on: 'business',
  edge: 'owned_businesses',
  credentials: ['parent'],
  refusal: managePermissions,
  scopes: ['business_management'],
  business: 'own',
  parameters: { client_id: required(id) },
  handle({ node: parent, params, context: { store } }) {
    const child = store.find('business', params.client_id);
    if (child?.parentId !== parent.id) throw unknownObject(params.client_id, 'DELETE');
    child.parentId = undefined;
    parent.childIds = parent.childIds.filter((childId) => childId !== child.id);
    if (child.externalId !== undefined) {
      const rest = (store.externalIds.get(child.externalId) ?? []).filter((childId) => childId !== child.id);
      if (rest.length === 0) store.externalIds.delete(child.externalId);
      else store.externalIds.set(child.externalId, rest);
    }
    return { success: true };
  },
});

const childToken = endpoint({
  operation: 'create_child_token',
  method: 'POST',
  on: 'business',
  edge: 'access_token',
  credentials: ['parent'],
  scopes: ['business_management'],
  business: 'child',
  parameters: {
    app_id: required(id),
    scope: required(permissions),
    system_user_name: optional(text),
    fbe_external_business_id: optional(text),
  },
  handle({ node: child, params, credential, context, nowMs }) {
    const { store, switches, tokens } = context;
    if (!switches.parent_app_allow_listed) {
      throw new GraphError({
        code: 3,
        message: '(#3) Application does not have the capability to make this API call.',
      });
    }
    if (params.app_id !== store.seed.appId) throw invalidParameter('app_id', 'must be the app of the calling token.');
    const beyond = params.scope.filter((scope) => !credential.token.scopes.has(scope));
    if (beyond.length > 0) throw invalidParameter('scope', `holds permissions the app lacks: ${beyond.join(', ')}.`);
    const admin =
      store.many('system_user', child.systemUserIds).find(({ role }) => role === 'ADMIN') ??
      addAdmin(store, child, params.system_user_name ?? 'Conversions API System User', nowMs);
    const earlier = tokens.ofOwner(admin.id).findLast((token) => tokens.isAlive(token));
    if (earlier !== undefined && switches.child_token_repeat === 'same') return { access_token: earlier.value };
    const token = tokens.issue({
      kind: 'system_user',
      ownerId: admin.id,
      businessId: child.id,
      pageIds: undefined,
      scopes: params.scope,
      life: switches.child_token_life,
    });
    return { access_token: token.value };
  },
});

/** The one admin system user; it gets the tasks the child business holds on its shared Pages. */
function addAdmin(store: Store, child: Business, name: string, nowMs: number) {
  const admin = store.add({
    kind: 'system_user' as const,
    id: store.newId('system_user'),
    name,
    role: 'ADMIN',
    businessId: child.id,
    createdAtMs: nowMs,
  });
  child.systemUserIds.push(admin.id);
  for (const page of store.many('page', child.clientPageIds)) {
    page.assigned.set(admin.id, page.agencies.get(child.id) ?? []);
  }
  return admin;
}

const readBusiness = endpoint({
  operation: 'read_business',
  method: 'GET',
  on: 'business',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  parameters: {},
  handle: ({ node }) => row(business, node),
});

const updateBusiness = endpoint({
  operation: 'update_business',
  method: 'POST',
  on: 'business',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: {
    name: optional(text),
    vertical: optional(oneOf(businessVerticals)),
    timezone_id: optional(unsigned),
    primary_page: optional(id),
    two_factor_type: optional(oneOf(['admin_required', 'all_required', 'none'])),
    entry_point: optional(text),
  },
  handle({ node, params, credential, context }) {
    if (params.name !== undefined) checkName(params.name, undefined, context);
    if (params.primary_page !== undefined) node.primaryPageId = checkPage(credential, params.primary_page, context).id;
    node.name = params.name ?? node.name;
    node.vertical = params.vertical ?? node.vertical;
    node.timezoneId = params.timezone_id ?? node.timezoneId;
    node.twoFactorType = params.two_factor_type ?? node.twoFactorType;
    return { success: true };
  },
});

export const businessEndpoints = [createChild, listChildren, removeChild, childToken, readBusiness, updateBusiness];
