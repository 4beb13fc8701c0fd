import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { GraphError } from './graph-error.ts';
import { bool, listOf, oneOf, optional, text } from './parameters.ts';
import { pixel } from './shapes.ts';
import type { Pixel } from './world.ts';

const sortBy = oneOf(['LAST_FIRED_TIME', 'NAME']);

function sorted(pixels: Pixel[], by: 'LAST_FIRED_TIME' | 'NAME' | undefined): Pixel[] {
  if (by === 'NAME') return pixels.toSorted((left, right) => left.name.localeCompare(right.name));
  if (by === undefined) return pixels;
  return pixels.toSorted((left, right) => (right.lastFiredMs ?? 0) - (left.lastFiredMs ?? 0));
}

const listPixels = endpoint({
  operation: 'list_pixels',
  method: 'GET',
  on: 'ad_account',
  edge: 'adspixels',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  tasks: ['MANAGE', 'ADVERTISE', 'ANALYZE'],
  parameters: { sort_by: optional(sortBy) },
  handle: ({ node, params, context: { store } }) =>
    rows(pixel, sorted(store.many('pixel', node.pixelIds), params.sort_by)),
});

const createPixel = endpoint({
  operation: 'create_pixel',
  method: 'POST',
  on: 'ad_account',
  edge: 'adspixels',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  tasks: ['MANAGE', 'ADVERTISE'],
  parameters: { name: optional(text) },
  handle({ node: account, params, context, nowMs }) {
    const { store, switches } = context;
    const own = store.many('pixel', account.pixelIds).filter(({ adAccountId }) => adAccountId === account.id);
    if (own.length > 0) {
      throw new GraphError({ code: 6200, message: '(#6200) A pixel already exists for this account' });
    }
    const added = store.add<Pixel>({
      kind: 'pixel',
      id: store.newId('pixel'),
      name: params.name ?? `${account.name}'s Pixel`,
      businessId: account.businessId,
      adAccountId: account.id,
      isConsolidatedContainer: switches.new_datasets_consolidated,
      createdAtMs: nowMs,
      lastFiredMs: undefined,
      enableAutomaticMatching: false,
      automaticMatchingFields: [],
      firstPartyCookieStatus: 'FIRST_PARTY_COOKIE_ENABLED',
      dataUseSetting: 'ADVERTISING_AND_ANALYTICS',
      serverEventsBusinessIds: [],
      assigned: new Map(),
      agencies: new Map(),
      sharedAccounts: new Map(),
    });
    account.pixelIds.push(added.id);
    store.get('business', account.businessId).pixelIds.push(added.id);
    return { id: added.id };
  },
});

const listBusinessPixels = endpoint({
  operation: 'list_business_pixels',
  method: 'GET',
  on: 'business',
  edge: 'adspixels',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management', 'business_management'],
  business: 'own',
  parameters: { id_filter: optional(text), name_filter: optional(text), sort_by: optional(sortBy) },
  handle({ node, params, context: { store } }) {
    const found = store
      .many('pixel', node.pixelIds)
      .filter(({ id: pixelId }) => params.id_filter === undefined || pixelId === params.id_filter)
      .filter(({ name }) => params.name_filter === undefined || name.includes(params.name_filter));
    return rows(pixel, sorted(found, params.sort_by));
  },
});

const readPixel = endpoint({
  operation: 'read_pixel',
  method: 'GET',
  on: 'pixel',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  parameters: {},
  handle: ({ node }) => row(pixel, node),
});

const updatePixel = endpoint({
  operation: 'update_pixel',
  method: 'POST',
  on: 'pixel',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  tasks: ['EDIT'],
  parameters: {
    name: optional(text),
    enable_automatic_matching: optional(bool),
    automatic_matching_fields: optional(
      listOf(oneOf(['country', 'ct', 'db', 'em', 'external_id', 'fn', 'ge', 'ln', 'ph', 'st', 'zp'])),
    ),
    first_party_cookie_status: optional(oneOf(['EMPTY', 'FIRST_PARTY_COOKIE_DISABLED', 'FIRST_PARTY_COOKIE_ENABLED'])),
    data_use_setting: optional(oneOf(['ADVERTISING_AND_ANALYTICS', 'ANALYTICS_ONLY', 'EMPTY'])),
    server_events_business_ids: optional(listOf(text)),
  },
  handle({ node, params }) {
    node.name = params.name ?? node.name;
    node.enableAutomaticMatching = params.enable_automatic_matching ?? node.enableAutomaticMatching;
    node.automaticMatchingFields = params.automatic_matching_fields ?? node.automaticMatchingFields;
    node.firstPartyCookieStatus = params.first_party_cookie_status ?? node.firstPartyCookieStatus;
    node.dataUseSetting = params.data_use_setting ?? node.dataUseSetting;
    node.serverEventsBusinessIds = params.server_events_business_ids ?? node.serverEventsBusinessIds;
    return { success: true };
  },
});

export const pixelEndpoints = [listPixels, createPixel, listBusinessPixels, readPixel, updatePixel];
