/** Product sets: rules that choose products of a catalog (Marketing API, "Product Set"). */
import * as v from 'valibot';
import { created, graphId, succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import { ambiguousMatch } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface ProductSet {
  readonly id: string;
  readonly name: string;
  /** Our own key of the set, by which it is found again. */
  readonly retailerId: string | null;
  /** The rule as JSON text, as Meta keeps it. */
  readonly filter: string | null;
  readonly productCount: number | null;
}

const set = v.object({
  id: graphId,
  name: v.optional(v.string(), ''),
  retailer_id: v.optional(v.nullable(v.string()), null),
  filter: v.optional(v.nullable(v.string()), null),
  product_count: v.optional(v.nullable(v.number()), null),
});

/** `GET /{catalog}/product_sets`, every one with its size. */
export async function readProductSets(
  graph: GraphAs<CredentialFor<'read-product-sets'>>,
  catalogId: string,
): Promise<ProductSet[]> {
  const fields = 'id,name,retailer_id,filter,product_count';
  const sets = await graph.list(graphPath(catalogId, 'product_sets'), { fields }, set);
  return sets.map(({ id, name, retailer_id: retailerId, filter, product_count: productCount }) => ({
    id,
    name,
    retailerId,
    filter,
    productCount,
  }));
}

/** The set of this key among those read, or undefined. @throws GraphError `ambiguous-match` when two have it */
export function setOfKey(sets: readonly ProductSet[], retailerId: string): ProductSet | undefined {
  const found = sets.filter((each) => each.retailerId === retailerId);
  if (found.length > 1) throw ambiguousMatch('GET /{id}/product_sets', found.length);
  return found[0];
}

export interface ProductSetFields {
  readonly name: string;
  readonly retailerId: string;
  readonly filter: object;
}

/** `POST /{catalog}/product_sets`. Not idempotent: look with {@link setOfKey} first, and after an answer was lost. */
export async function createProductSet(
  graph: GraphAs<CredentialFor<'write-product-set'>>,
  catalogId: string,
  { name, retailerId, filter }: ProductSetFields,
): Promise<{ id: string }> {
  const params = { name, retailer_id: retailerId, filter: { ...filter } };
  return graph.post(graphPath(catalogId, 'product_sets'), params, created);
}

/** `POST /{product_set}`: name and rule. Repeatable. */
export async function updateProductSet(
  graph: GraphAs<CredentialFor<'write-product-set'>>,
  { catalogId, productSetId }: { readonly catalogId: string; readonly productSetId: string },
  { name, filter }: Pick<ProductSetFields, 'name' | 'filter'>,
): Promise<void> {
  // A set's calls count against its catalog.
  const limitOf = { subject: catalogId, useCase: 'other' } as const;
  await graph.post(graphPath(productSetId), { name, filter: { ...filter } }, succeeded, { limitOf });
}
