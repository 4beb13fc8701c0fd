import { endpoint } from './endpoint.ts';
import { row, rows, type Shape, words } from './field-selection.ts';
import { json, listOf, oneOf, optional, required, text } from './parameters.ts';
import type { Campaign } from './world.ts';

/** Campaigns as far as starting and stopping them goes: created, listed, paused. */
const campaign: Shape<Campaign> = {
  name: 'Campaign',
  defaults: ['id'],
  empty: words('daily_budget lifetime_budget bid_strategy start_time stop_time issues_info'),
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    status: ({ status }) => status,
    configured_status: ({ status }) => status,
    effective_status: ({ status }) => status,
    objective: ({ objective }) => objective,
    account_id: ({ accountId }) => accountId,
  },
};

const statuses = ['ACTIVE', 'PAUSED', 'DELETED', 'ARCHIVED'] as const;

const createCampaign = endpoint({
  operation: 'create_campaign',
  method: 'POST',
  on: 'ad_account',
  edge: 'campaigns',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  tasks: ['ADVERTISE', 'MANAGE'],
  parameters: {
    name: required(text),
    objective: required(text),
    special_ad_categories: required(json),
    status: optional(oneOf(statuses)),
  },
  handle({ node, params, context: { store }, nowMs }) {
    const made = store.add<Campaign>({
      kind: 'campaign',
      id: store.newId('campaign'),
      accountId: node.accountId,
      businessId: node.businessId,
      name: params.name,
      objective: params.objective,
      status: params.status ?? 'ACTIVE',
      createdAtMs: nowMs,
    });
    return { id: made.id };
  },
});

const listCampaigns = endpoint({
  operation: 'list_campaigns',
  method: 'GET',
  on: 'ad_account',
  edge: 'campaigns',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  tasks: ['ANALYZE', 'ADVERTISE', 'MANAGE'],
  parameters: { effective_status: optional(listOf(text)) },
  handle({ node, params, context: { store } }) {
    const ofAccount = store.all('campaign').filter(({ accountId }) => accountId === node.accountId);
    const wanted = params.effective_status;
    // Without the filter Meta leaves out what was deleted or archived.
    const isShown = ({ status }: Campaign): boolean =>
      wanted === undefined ? status === 'ACTIVE' || status === 'PAUSED' : wanted.includes(status);
    return rows(campaign, ofAccount.filter(isShown));
  },
});

const readCampaign = endpoint({
  operation: 'read_campaign',
  method: 'GET',
  on: 'campaign',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  parameters: {},
  handle: ({ node }) => row(campaign, node),
});

const updateCampaign = endpoint({
  operation: 'update_campaign',
  method: 'POST',
  on: 'campaign',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  parameters: { name: optional(text), status: optional(oneOf(statuses)) },
  handle({ node, params }) {
    node.name = params.name ?? node.name;
    node.status = params.status ?? node.status;
    return { success: true };
  },
});

export const campaignEndpoints = [createCampaign, listCampaigns, readCampaign, updateCampaign];
