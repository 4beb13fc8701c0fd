/** How a catalog fares: Meta's diagnostics, and how the content ids of events match its products. */
import type { SimulatorContext } from './context.ts';
import { endpoint } from './endpoint.ts';
import { row, rows, type Shape } from './field-selection.ts';
import { settleBatches } from './items-batches.ts';
import { listOf, oneOf, optional } from './parameters.ts';
import { eventSource } from './event-source.ts';
import type { Catalog, Pixel } from './world.ts';

const people = ['user', 'parent', 'child'] as const;
const readScopes = ['catalog_management', 'ads_read', 'ads_management'];

const channels = [
  'b2c_marketplace',
  'c2c_marketplace',
  'da',
  'daily_deals',
  'daily_deals_legacy',
  'ig_product_tagging',
  'marketplace',
  'marketplace_ads_deprecated',
  'marketplace_shops',
  'mini_shops',
  'offline_conversions',
  'shops',
  'universal_checkout',
  'whatsapp',
] as const;
const entities = ['product_catalog', 'product_event', 'product_item', 'product_set'] as const;
const types = [
  'AR_VISIBILITY_ISSUES',
  'ATTRIBUTES_INVALID',
  'ATTRIBUTES_MISSING',
  'CATEGORY',
  'CHECKOUT',
  'DA_VISIBILITY_ISSUES',
  'EVENT_SOURCE_ISSUES',
  'IMAGE_QUALITY',
  'LOW_QUALITY_TITLE_AND_DESCRIPTION',
  'POLICY_VIOLATION',
  'SHOPS_VISIBILITY_ISSUES',
] as const;

type Group = Readonly<Record<string, unknown>>;

export const diagnosticGroup: Shape<Group> = {
  name: 'ProductCatalogDiagnosticGroup',
  defaults: ['type', 'severity', 'title'],
  empty: new Set(),
  fields: Object.fromEntries(
    [
      'affected_channels',
      'affected_entity',
      'affected_features',
      'diagnostics',
      'error_code',
      'number_of_affected_entities',
      'number_of_affected_items',
      'severity',
      'subtitle',
      'title',
      'type',
    ].map((name) => [name, (value: Group) => value[name]]),
  ),
};

const readDiagnostics = endpoint({
  operation: 'read_catalog_diagnostics',
  method: 'GET',
  on: 'catalog',
  edge: 'diagnostics',
  isList: true,
  credentials: people,
  scopes: readScopes,
  parameters: {
    affected_channels: optional(listOf(oneOf(channels))),
    affected_entities: optional(listOf(oneOf(entities))),
    affected_features: optional(listOf(oneOf(['augmented_reality', 'checkout']))),
    severities: optional(listOf(oneOf(['MUST_FIX', 'OPPORTUNITY']))),
    types: optional(listOf(oneOf(types))),
  },
  handle({ node, params }) {
    const found: Group[] = [...node.plans.diagnostics];
    if (node.eventSourceIds.size === 0) {
      found.push({
        type: 'EVENT_SOURCE_ISSUES',
        severity: 'MUST_FIX',
        title: 'Catalog is not connected to an event source',
        affected_channels: ['da'],
        affected_entity: 'product_catalog',
        diagnostics: [{ error_type: 'CATALOG_NOT_CONNECTED_TO_EVENT_SOURCE' }],
      });
    }
    const isAsked = (each: Group): boolean =>
      (params.severities?.includes(each['severity'] as never) ?? true) &&
      (params.types?.includes(each['type'] as never) ?? true) &&
      (params.affected_channels?.some((channel) => (each['affected_channels'] as string[]).includes(channel)) ?? true);
    return rows(diagnosticGroup, found.filter(isAsked));
  },
});

const counted = [
  'AddToCart',
  'AddToWishlist',
  'InitiateCheckout',
  'Lead',
  'Purchase',
  'Search',
  'Subscribe',
  'ViewContent',
];

interface Stat {
  readonly date: string;
  readonly event: string;
  readonly pixel: Pixel;
  readonly matched: string[];
  readonly unmatched: string[];
  readonly elsewhere: string[];
  /** Planted values, which go before the counts. */
  readonly planted?: Readonly<Record<string, unknown>>;
}

export const eventStat: Shape<Stat> = {
  name: 'ProductEventStat',
  defaults: ['date_start', 'date_stop', 'event'],
  empty: new Set(['device_type']),
  fields: {
    date_start: ({ date }) => date,
    date_stop: ({ date }) => date,
    event: ({ event }) => event,
    event_source: ({ pixel }) => row(eventSource, pixel),
    total_matched_content_ids: ({ matched, planted }) => planted?.['matched'] ?? matched.length,
    total_unmatched_content_ids: ({ unmatched, planted }) => planted?.['unmatched'] ?? unmatched.length,
    total_content_ids_matched_other_catalogs: ({ elsewhere }) => elsewhere.length,
    unique_matched_content_ids: ({ matched, planted }) => planted?.['matched'] ?? new Set(matched).size,
    unique_unmatched_content_ids: ({ unmatched, planted }) => planted?.['unmatched'] ?? new Set(unmatched).size,
    unique_content_ids_matched_other_catalogs: ({ elsewhere }) => new Set(elsewhere).size,
  },
};

/** Per day, event and source, of the last month. Computed from the events whose payloads are kept. */
const readEventStats = endpoint({
  operation: 'read_catalog_event_stats',
  method: 'GET',
  on: 'catalog',
  edge: 'event_stats',
  isList: true,
  credentials: people,
  scopes: readScopes,
  parameters: { breakdowns: optional(listOf(oneOf(['DEVICE_TYPE']))) },
  handle: ({ node, context, nowMs }) => rows(eventStat, statsOf(settleBatches(node, nowMs), context, nowMs)),
});

const monthMs = 30 * 86_400_000;

function statsOf(catalog: Catalog, context: SimulatorContext, nowMs: number): Stat[] {
  const stats = new Map<string, Stat>();
  const groups = new Set(Array.from(catalog.items.values(), ({ data }) => data['item_group_id']));
  for (const pixel of context.store.many('pixel', catalog.eventSourceIds)) {
    for (const { event_name: event, receivedAtMs, payload } of context.events.retained(pixel.id)) {
      if (!counted.includes(event) || receivedAtMs < nowMs - monthMs) continue;
      const date = new Date(receivedAtMs).toISOString().slice(0, 10);
      const key = `${date} ${event} ${pixel.id}`;
      const entry = stats.get(key) ?? { date, event, pixel, matched: [], unmatched: [], elsewhere: [] };
      const custom = (payload['custom_data'] ?? {}) as Record<string, unknown>;
      for (const contentId of contentIds(custom)) {
        // Without content_type, whatever has this id.
        const type = custom['content_type'];
        const isKnown =
          (type !== 'product_group' && catalog.items.has(contentId)) || (type !== 'product' && groups.has(contentId));
        (isKnown ? entry.matched : entry.unmatched).push(contentId);
      }
      if (entry.matched.length + entry.unmatched.length > 0) stats.set(key, entry);
    }
    for (const planted of catalog.plans.eventStats) {
      const [date, event] = [String(planted['date']), String(planted['event'])];
      stats.set(`planted ${date} ${event}`, { date, event, pixel, matched: [], unmatched: [], elsewhere: [], planted });
    }
  }
  return [...stats.values()].toSorted((left, right) => right.date.localeCompare(left.date));
}

function contentIds(custom: Readonly<Record<string, unknown>>): string[] {
  const ids = Array.isArray(custom['content_ids']) ? custom['content_ids'] : [];
  const contents = Array.isArray(custom['contents']) ? custom['contents'] : [];
  const named = [...ids, ...contents.map((content) => (content as Record<string, unknown> | null)?.['id'])];
  return [...new Set(named.filter((each) => typeof each === 'string' || typeof each === 'number').map(String))];
}

export const catalogHealthEndpoints = [readDiagnostics, readEventStats];
