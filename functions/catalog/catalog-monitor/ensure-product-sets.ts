/** Product sets as the tenant's rules say: found by our key, created or corrected, never twice. */
import type { CatalogHealth, ProductSets } from '../../../shared/contracts/catalog-documents.ts';
import { canonicalJson } from '../../../shared/domain/canonical.ts';
import type { Json } from '../../../shared/domain/canonical.ts';
import { createProductSet, readProductSets, setOfKey, updateProductSet } from '../../../shared/meta/product-sets.ts';
import type { ProductSet } from '../../../shared/meta/product-sets.ts';
import type { TenantCatalog } from '../tenant-catalog.ts';

/**
 * Brings the sets of the rules into being and returns the sizes of all sets there are. Sets that no rule names are left
 * as they are: ads may run on them. A lost answer is found by the key at the next check.
 */
export async function ensureProductSets(
  { catalogId, graph }: Pick<TenantCatalog, 'catalogId' | 'graph'>,
  wanted: ProductSets['sets'],
): Promise<NonNullable<CatalogHealth['productSets']>> {
  let known = await readProductSets(graph, catalogId);
  let isChanged = false;
  for (const { filter, key, name } of wanted) {
    const found = setOfKey(known, key);
    if (found === undefined) await createProductSet(graph, catalogId, { name, retailerId: key, filter });
    else if (found.name !== name || !isSameFilter(found, filter))
      await updateProductSet(graph, { catalogId, productSetId: found.id }, { name, filter });
    else continue;
    isChanged = true;
  }
  if (isChanged) known = await readProductSets(graph, catalogId);
  return known.map(({ id, name, productCount }) => ({ id, name, productCount }));
}

function isSameFilter({ filter }: ProductSet, wanted: object): boolean {
  if (filter === null) return false;
  try {
    return canonicalJson(JSON.parse(filter) as Json) === canonicalJson(wanted as Json);
  } catch {
    return false;
  }
}
