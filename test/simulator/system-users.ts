import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { GraphError } from './graph-error.ts';
import { idInt, oneOf, optional, required, text } from './parameters.ts';
import { systemUser } from './shapes.ts';

const roles = [
  'ADMIN',
  'ADS_RIGHTS_REVIEWER',
  'DEFAULT',
  'DEVELOPER',
  'EMPLOYEE',
  'FINANCE_ANALYST',
  'FINANCE_EDIT',
  'FINANCE_EDITOR',
  'FINANCE_VIEW',
  'MANAGE',
  'PARTNER_CENTER_ADMIN',
  'PARTNER_CENTER_ANALYST',
  'PARTNER_CENTER_EDUCATION',
  'PARTNER_CENTER_MARKETING',
  'PARTNER_CENTER_OPERATIONS',
] as const;

/** System users besides the one admin a business may have, by tier of Marketing API access. */
const employeeLimits = { development_access: 1, standard_access: 10 } as const;

const listSystemUsers = endpoint({
  operation: 'list_system_users',
  method: 'GET',
  on: 'business',
  edge: 'system_users',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: {},
  handle: ({ node, context }) => rows(systemUser, context.store.many('system_user', node.systemUserIds)),
});

const createSystemUser = endpoint({
  operation: 'create_system_user',
  method: 'POST',
  on: 'business',
  edge: 'system_users',
  credentials: ['parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: { name: required(text), role: optional(oneOf(roles)), system_user_id: optional(idInt) },
  handle({ node, params, context, nowMs }) {
    const { store, switches } = context;
    const existing = store.many('system_user', node.systemUserIds);
    const admins = existing.filter(({ role }) => role === 'ADMIN').length;
    const role = params.role ?? 'EMPLOYEE';
    if (role === 'ADMIN' && admins >= 1) {
      throw new GraphError({ code: 3965, message: '(#3965) You have reached the limit of admin system users' });
    }
    if (role !== 'ADMIN' && existing.length - admins >= employeeLimits[switches.ads_api_access_tier]) {
      throw new GraphError({ code: 3949, message: '(#3949) You have reached the limit of system users' });
    }
    const added = store.add({
      kind: 'system_user' as const,
      id: store.newId('system_user'),
      name: params.name,
      role,
      businessId: node.id,
      createdAtMs: nowMs,
    });
    node.systemUserIds.push(added.id);
    return { id: added.id };
  },
});

const readSystemUser = endpoint({
  operation: 'read_system_user',
  method: 'GET',
  on: 'system_user',
  credentials: ['parent', 'child'],
  parameters: {},
  handle: ({ node }) => row(systemUser, node),
});

export const systemUserEndpoints = [listSystemUsers, createSystemUser, readSystemUser];
