/** Items of a catalog: `items_batch`, what became of a batch, and the products there are. */
import { endpoint } from './endpoint.ts';
import { rows, type Shape } from './field-selection.ts';
import { invalidParameter } from './graph-error.ts';
import { settleBatches } from './items-batches.ts';
import {
  bool,
  fromJson,
  json,
  map,
  Mismatch,
  oneOf,
  optional,
  type ParameterType,
  required,
  text,
  unsigned,
} from './parameters.ts';
import { checkFilter, itemsMatching } from './product-filter.ts';
import { productItem } from './shapes.ts';
import type { Catalog, CatalogPlans, ItemsBatch } from './world.ts';

const people = ['user', 'parent', 'child'] as const;
const mostBytes = 28 * 1024 * 1024;

export const noPlans = (): CatalogPlans => ({
  emptyHandles: 0,
  rejections: new Map(),
  stuck: false,
  failingBatches: 0,
  diagnostics: [],
  eventStats: [],
});

interface ItemRequest {
  method: string;
  data: Record<string, unknown>;
}

/** Described as `map`; really a JSON array of requests. */
const requests: ParameterType<ItemRequest[]> = {
  ...map,
  read(raw) {
    const list = fromJson(raw);
    if (!Array.isArray(list) || list.length === 0) throw new Mismatch('must be a non-empty array of requests.');
    const bytes = Buffer.byteLength(typeof raw === 'string' ? raw : JSON.stringify(raw));
    if (bytes > mostBytes) throw new Mismatch(`must not be larger than 28 MB, it has ${String(bytes)} bytes.`);
    return list.map((entry: unknown, index) => {
      const request = entry as Partial<ItemRequest> | null;
      if (typeof request !== 'object' || request === null || typeof request.data !== 'object') {
        throw new Mismatch(`must hold objects with method and data; ${String(index)} is none.`);
      }
      if (!['CREATE', 'UPDATE', 'DELETE'].includes(request.method ?? '')) {
        throw new Mismatch(`has the method "${String(request.method)}" at ${String(index)}; CREATE, UPDATE, DELETE.`);
      }
      return request as ItemRequest;
    });
  },
};

const subTypes = [
  'APPLIANCES',
  'BABY_FEEDING',
  'BABY_TRANSPORT',
  'BEAUTY',
  'BEDDING',
  'CAMERAS',
  'CELL_PHONES_AND_SMART_WATCHES',
  'CLEANING_SUPPLIES',
  'CLOTHING',
  'CLOTHING_ACCESSORIES',
  'COMPUTERS_AND_TABLETS',
  'DIAPERING_AND_POTTY_TRAINING',
  'ELECTRONICS_ACCESSORIES',
  'FURNITURE',
  'HEALTH',
  'HOME_GOODS',
  'JEWELRY',
  'NURSERY',
  'PRINTERS_AND_SCANNERS',
  'PROJECTORS',
  'SHOES_AND_FOOTWEAR',
  'SOFTWARE',
  'TOYS',
  'TVS_AND_MONITORS',
  'VIDEO_GAME_CONSOLES_AND_VIDEO_GAMES',
  'WATCHES',
] as const;

/**
 * `POST /{catalog}/items_batch`. Requests that cannot be read are named at once (`validation_status`) and left out; the
 * others get a handle and are worked on later. Without any, there is no handle and nothing was ingested: still HTTP 200.
 */
const sendItems = endpoint({
  operation: 'send_catalog_items',
  method: 'POST',
  on: 'catalog',
  edge: 'items_batch',
  credentials: people,
  scopes: ['catalog_management'],
  tasks: ['MANAGE'],
  parameters: {
    item_type: required(text),
    requests: required(requests),
    allow_upsert: optional(bool),
    item_sub_type: optional(oneOf(subTypes)),
    version: optional(unsigned),
  },
  handle({ node, params, context, nowMs }) {
    const { switches } = context;
    if (params.item_type !== 'PRODUCT_ITEM')
      throw invalidParameter('item_type', 'must be PRODUCT_ITEM for this catalog.');
    if (params.requests.length > switches.catalog_batch_size_limit) {
      throw invalidParameter('requests', `must hold at most ${String(switches.catalog_batch_size_limit)} items.`);
    }
    settleBatches(node, nowMs);
    const { good, status } = validate(node, params.requests, params.allow_upsert ?? true);
    if (node.plans.emptyHandles > 0) {
      node.plans.emptyHandles -= 1;
      return { handles: [], validation_status: status };
    }
    if (good.length === 0) return { handles: [], validation_status: status };
    const handle = `AcSIM${node.id.slice(-6)}${String(node.batches.size + 1).padStart(6, '0')}`;
    const batch: ItemsBatch = {
      handle,
      size: good.length,
      sentAtMs: nowMs,
      finishesAtMs: nowMs + switches.catalog_batch_seconds * 1_000,
      requests: good,
      isFinished: false,
      errors: [],
      warnings: [],
    };
    node.batches.set(handle, batch);
    return { handles: [handle], validation_status: status };
  },
});

function validate(node: Catalog, list: readonly ItemRequest[], mayUpsert: boolean) {
  const status: { retailer_id: string; errors: { message: string }[]; warnings: { message: string }[] }[] = [];
  const good: ItemsBatch['requests'] = [];
  const seen = new Set<string>();
  for (const [line, { method, data }] of list.entries()) {
    const retailerId = data['id'];
    const refuse = (message: string): void =>
      void status.push({
        retailer_id: typeof retailerId === 'string' ? retailerId : '',
        errors: [{ message }],
        warnings: [],
      });
    if (typeof retailerId !== 'string' || retailerId === '') refuse('The field id is required.');
    else if (Array.from(retailerId).length > 100) refuse('The field id is longer than 100 characters.');
    else if (seen.has(retailerId)) refuse('The id is in this batch more than once.');
    else if (method === 'UPDATE' && !mayUpsert && !node.items.has(retailerId)) refuse('There is no item with this id.');
    else {
      seen.add(retailerId);
      good.push({ method, data, line });
    }
  }
  return { good, status };
}

interface BatchStatus {
  readonly batch: ItemsBatch;
  readonly withIds: boolean;
  readonly isFailed: boolean;
}

const mostErrorsShown = 1_000;

export const batchStatus: Shape<BatchStatus> = {
  name: 'CheckBatchRequestStatus',
  defaults: ['handle', 'status'],
  empty: new Set(),
  fields: {
    handle: ({ batch }) => batch.handle,
    status: ({ batch, isFailed }, { switches }) =>
      isFailed ? 'error' : batch.isFinished ? 'finished' : switches.catalog_batch_unfinished_status,
    errors: ({ batch }) => batch.errors.slice(0, mostErrorsShown),
    errors_total_count: ({ batch }) => batch.errors.length,
    warnings: ({ batch }) => batch.warnings.slice(0, mostErrorsShown),
    warnings_total_count: ({ batch }) => batch.warnings.length,
    ids_of_invalid_requests: ({ batch, withIds }) =>
      withIds ? [...new Set(batch.errors.map((error) => error.id))] : undefined,
  },
};

const checkBatch = endpoint({
  operation: 'check_batch_request_status',
  method: 'GET',
  on: 'catalog',
  edge: 'check_batch_request_status',
  isList: true,
  credentials: people,
  scopes: ['catalog_management'],
  tasks: ['MANAGE'],
  parameters: {
    handle: required(text),
    load_ids_of_invalid_requests: optional(bool),
    error_priority: optional(oneOf(['HIGH', 'LOW', 'MEDIUM'])),
  },
  handle({ node, params, nowMs }) {
    const batch = settleBatches(node, nowMs).batches.get(params.handle);
    if (batch === undefined) throw invalidParameter('handle', 'is not a valid handle of this catalog.');
    const isFailed = !batch.isFinished && node.plans.failingBatches > 0;
    if (isFailed) node.plans.failingBatches -= 1;
    return rows(batchStatus, [{ batch, withIds: params.load_ids_of_invalid_requests ?? false, isFailed }]);
  },
});

const listProducts = endpoint({
  operation: 'list_products',
  method: 'GET',
  on: 'catalog',
  edge: 'products',
  isList: true,
  credentials: people,
  scopes: ['catalog_management', 'ads_read', 'ads_management'],
  parameters: {
    bulk_pagination: optional(bool),
    error_priority: optional(oneOf(['HIGH', 'LOW', 'MEDIUM'])),
    filter: optional(json),
    return_only_approved_products: optional(bool),
  },
  handle({ node, params, nowMs }) {
    if (params.filter !== undefined) checkFilter(params.filter);
    return rows(productItem, itemsMatching(settleBatches(node, nowMs), params.filter));
  },
});

export const catalogItemEndpoints = [sendItems, checkBatch, listProducts];
