/** Product sets: rules that choose products of a catalog. */
import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { invalidParameter } from './graph-error.ts';
import { settleBatches } from './items-batches.ts';
import { bool, id, json, listOf, map, oneOf, optional, required, text, unsigned } from './parameters.ts';
import { checkFilter, itemsMatching } from './product-filter.ts';
import { productItem, productSet } from './shapes.ts';
import type { ProductSet } from './world.ts';

const people = ['user', 'parent', 'child'] as const;

const writable = {
  filter: optional(json),
  metadata: optional(map),
  ordering_info: optional(listOf(unsigned)),
  publish_to_shops: optional(listOf(map)),
  retailer_id: optional(text),
};

const listSets = endpoint({
  operation: 'list_product_sets',
  method: 'GET',
  on: 'catalog',
  edge: 'product_sets',
  isList: true,
  credentials: people,
  scopes: ['catalog_management', 'ads_read', 'ads_management'],
  parameters: {
    ancestor_id: optional(id),
    has_children: optional(bool),
    parent_id: optional(id),
    retailer_id: optional(text),
  },
  handle: ({ node, params, context: { store } }) =>
    rows(
      productSet,
      store
        .many('product_set', node.setIds)
        .filter(({ retailerId }) => params.retailer_id === undefined || retailerId === params.retailer_id),
    ),
});

const createSet = endpoint({
  operation: 'create_product_set',
  method: 'POST',
  on: 'catalog',
  edge: 'product_sets',
  credentials: people,
  scopes: ['catalog_management'],
  tasks: ['MANAGE'],
  parameters: { ...writable, name: required(text) },
  handle({ node, params, context: { store }, nowMs }) {
    if (params.filter !== undefined) checkFilter(params.filter);
    const taken = store.many('product_set', node.setIds);
    if (params.retailer_id !== undefined && taken.some(({ retailerId }) => retailerId === params.retailer_id)) {
      throw invalidParameter('retailer_id', 'is already in use by another product set.');
    }
    const added = store.add<ProductSet>({
      kind: 'product_set',
      id: store.newId('product_set'),
      catalogId: node.id,
      businessId: node.businessId,
      name: params.name,
      retailerId: params.retailer_id,
      filter: params.filter,
      createdAtMs: nowMs,
    });
    node.setIds.push(added.id);
    return { id: added.id };
  },
});

const readSet = endpoint({
  operation: 'read_product_set',
  method: 'GET',
  on: 'product_set',
  credentials: people,
  scopes: ['catalog_management', 'ads_read', 'ads_management'],
  parameters: {},
  handle: ({ node }) => row(productSet, node),
});

const updateSet = endpoint({
  operation: 'update_product_set',
  method: 'POST',
  on: 'product_set',
  credentials: people,
  scopes: ['catalog_management'],
  parameters: { ...writable, name: optional(text) },
  handle({ node, params }) {
    if (params.filter !== undefined) {
      checkFilter(params.filter);
      node.filter = params.filter;
    }
    node.name = params.name ?? node.name;
    node.retailerId = params.retailer_id ?? node.retailerId;
    return { success: true };
  },
});

const removeSet = endpoint({
  operation: 'delete_product_set',
  method: 'DELETE',
  on: 'product_set',
  credentials: people,
  scopes: ['catalog_management'],
  parameters: { allow_live_product_set_deletion: optional(bool) },
  handle({ node, context: { store } }) {
    const owner = store.get('catalog', node.catalogId);
    owner.setIds.splice(owner.setIds.indexOf(node.id), 1);
    store.remove(node);
    return { success: true };
  },
});

const listProducts = endpoint({
  operation: 'list_product_set_products',
  method: 'GET',
  on: 'product_set',
  edge: 'products',
  isList: true,
  credentials: people,
  scopes: ['catalog_management', 'ads_read', 'ads_management'],
  parameters: {
    bulk_pagination: optional(bool),
    error_priority: optional(oneOf(['HIGH', 'LOW', 'MEDIUM'])),
    filter: optional(json),
  },
  handle({ node, params, context: { store }, nowMs }) {
    if (params.filter !== undefined) checkFilter(params.filter);
    const owner = settleBatches(store.get('catalog', node.catalogId), nowMs);
    const inSet = new Set(itemsMatching(owner, node.filter));
    return rows(
      productItem,
      itemsMatching(owner, params.filter).filter((item) => inSet.has(item)),
    );
  },
});

export const productSetEndpoints = [listSets, createSet, readSet, updateSet, removeSet, listProducts];
