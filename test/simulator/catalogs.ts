import { canSee } from './access.ts';
import type { SimulatorContext } from './context.ts';
import { endpoint, type Credential } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { invalidParameter } from './graph-error.ts';
import { fromJson, id, json, listOf, map, oneOf, optional, required, text } from './parameters.ts';
import { noPlans } from './catalog-items.ts';
import { eventSource } from './event-source.ts';
import { catalog } from './shapes.ts';
import type { Catalog } from './world.ts';

const verticals = [
  'adoptable_pets',
  'apps_and_software',
  'articles_and_publications',
  'commerce',
  'destinations',
  'flights',
  'generic',
  'home_listings',
  'hotels',
  'local_service_businesses',
  'media_titles',
  'offer_items',
  'offline_commerce',
  'professional_services',
  'transactable_items',
  'vehicles',
] as const;

const additionalVertical = oneOf(['LOCAL_DA_CATALOG', 'LOCAL_PRODUCTS']);
const people = ['user', 'parent', 'child'] as const;

const listCatalogs = endpoint({
  operation: 'list_catalogs',
  method: 'GET',
  on: 'business',
  edge: 'owned_product_catalogs',
  isList: true,
  credentials: people,
  scopes: ['catalog_management', 'business_management'],
  business: 'own',
  parameters: {},
  handle: ({ node, context: { store } }) => rows(catalog, store.many('catalog', node.catalogIds)),
});

const createCatalog = endpoint({
  operation: 'create_catalog',
  method: 'POST',
  on: 'business',
  edge: 'owned_product_catalogs',
  credentials: people,
  scopes: ['catalog_management'],
  business: 'own',
  parameters: {
    name: required(text),
    vertical: optional(oneOf(verticals)),
    additional_vertical_option: optional(additionalVertical),
    business_metadata: optional(map),
    catalog_segment_filter: optional(json),
    catalog_segment_product_set_id: optional(id),
    da_display_settings: optional(json),
    destination_catalog_settings: optional(map),
    flight_catalog_settings: optional(map),
    parent_catalog_id: optional(id),
    partner_integration: optional(map),
    store_catalog_settings: optional(map),
  },
  handle({ node, params, credential, context, nowMs }) {
    const { store, switches } = context;
    if ((params.parent_catalog_id === undefined) !== (params.catalog_segment_filter === undefined)) {
      throw invalidParameter('catalog_segment_filter', 'and parent_catalog_id must be given together.');
    }
    if (params.parent_catalog_id !== undefined) {
      const parent = store.find('catalog', params.parent_catalog_id);
      if (parent === undefined || !canSee(credential, parent, context)) {
        throw invalidParameter('parent_catalog_id', 'is not a catalog of this business.');
      }
    }
    const isTaken = store.many('catalog', node.catalogIds).some(({ name }) => name === params.name);
    if (isTaken && switches.catalog_name_unique) throw invalidParameter('name', 'is already in use.');
    const added = store.add<Catalog>({
      kind: 'catalog',
      id: store.newId('catalog'),
      name: params.name,
      businessId: node.id,
      vertical: params.vertical ?? 'commerce',
      parentCatalogId: params.parent_catalog_id,
      createdAtMs: nowMs,
      assigned: new Map(),
      eventSourceIds: new Set(),
      items: new Map(),
      batches: new Map(),
      setIds: [],
      plans: noPlans(),
    });
    node.catalogIds.push(added.id);
    return { id: added.id };
  },
});

const segmentUseCases = [
  'AFFILIATE_SELLER_STOREFRONT',
  'AFFILIATE_TAGGED_ONLY_DEPRECATED',
  'COLLAB_ADS',
  'COLLAB_ADS_FOR_MARKETPLACE_PARTNER',
  'COLLAB_ADS_SEGMENT_WITHOUT_SEGMENT_SYNCING',
  'DIGITAL_CIRCULARS',
  'FB_LIVE_SHOPPING',
  'IG_SHOPPING',
  'IG_SHOPPING_SUGGESTED_PRODUCTS',
  'MARKETPLACE_SHOPS',
  'TEST',
] as const;

const readCatalog = endpoint({
  operation: 'read_catalog',
  method: 'GET',
  on: 'catalog',
  credentials: people,
  scopes: ['catalog_management', 'ads_read', 'ads_management'],
  parameters: { segment_use_cases: optional(listOf(oneOf(segmentUseCases))) },
  handle: ({ node }) => row(catalog, node),
});

const updateCatalog = endpoint({
  operation: 'update_catalog',
  method: 'POST',
  on: 'catalog',
  credentials: people,
  scopes: ['catalog_management'],
  tasks: ['MANAGE'],
  parameters: {
    name: optional(text),
    additional_vertical_option: optional(additionalVertical),
    da_display_settings: optional(json),
    default_image_url: optional(text),
    destination_catalog_settings: optional(map),
    fallback_image_url: optional(text),
    flight_catalog_settings: optional(map),
    partner_integration: optional(map),
    store_catalog_settings: optional(map),
  },
  handle({ node, params }) {
    node.name = params.name ?? node.name;
    return { success: true };
  },
});

const listEventSources = endpoint({
  operation: 'list_event_sources',
  method: 'GET',
  on: 'catalog',
  edge: 'external_event_sources',
  isList: true,
  credentials: people,
  scopes: ['catalog_management', 'ads_read', 'ads_management'],
  parameters: {},
  handle: ({ node, context: { store } }) => rows(eventSource, store.many('pixel', node.eventSourceIds)),
});

/** The pixels named in the call: a list of ids, each of which the caller can see. */
function readSources(raw: unknown, credential: Credential, context: SimulatorContext): string[] {
  const ids = fromJson(raw);
  const isList = Array.isArray(ids) && ids.length > 0 && ids.every((source) => typeof source === 'string');
  if (!isList) throw invalidParameter('external_event_sources', 'must be a non-empty array of ids.');
  for (const source of ids) {
    const pixel = context.store.find('pixel', source);
    if (pixel === undefined || !canSee(credential, pixel, context)) {
      throw invalidParameter('external_event_sources', `names ${source}, which is not an accessible event source.`);
    }
  }
  return ids;
}

const connectEventSources = endpoint({
  operation: 'connect_event_sources',
  method: 'POST',
  on: 'catalog',
  edge: 'external_event_sources',
  credentials: people,
  scopes: ['catalog_management'],
  tasks: ['MANAGE'],
  parameters: { external_event_sources: optional(json) },
  handle({ node, params, credential, context }) {
    for (const source of readSources(params.external_event_sources, credential, context)) {
      node.eventSourceIds.add(source);
    }
    return { success: true };
  },
});

const disconnectEventSources = endpoint({
  operation: 'disconnect_event_sources',
  method: 'DELETE',
  on: 'catalog',
  edge: 'external_event_sources',
  credentials: people,
  scopes: ['catalog_management'],
  tasks: ['MANAGE'],
  parameters: { external_event_sources: optional(json) },
  handle({ node, params, credential, context }) {
    for (const source of readSources(params.external_event_sources, credential, context)) {
      node.eventSourceIds.delete(source);
    }
    return { success: true };
  },
});

export const catalogEndpoints = [
  listCatalogs,
  createCatalog,
  readCatalog,
  updateCatalog,
  listEventSources,
  connectEventSources,
  disconnectEventSources,
];
