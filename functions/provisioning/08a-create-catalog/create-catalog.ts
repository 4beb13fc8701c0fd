import { metaObjectName } from '../../../shared/domain/naming.ts';
import {
  assignCatalogUser,
  catalogTasks,
  connectEventSources,
  createCatalog,
  findCatalogByName,
  readCatalogUsers,
  readEventSources,
} from '../../../shared/meta/catalogs.ts';
import type { StepFactory } from '../services.ts';

/**
 * Creates the product catalog of a tenant with the ecommerce SKU, lets the system user manage it, and connects the pixel,
 * without which events would match no product. (Document, "Onboarding checklist" 8.)
 */
export const createCatalogStep: StepFactory<'create-catalog'> =
  ({ graph, credentials }) =>
  async ({ tenant, product, ensure }) => {
    const asChild = graph.as(await credentials.child(tenant.tenantId));
    const { childBusinessId } = product('create-child-business');
    const { systemUserId } = product('create-system-user');
    const { datasetId } = product('create-pixel');
    const catalog = { businessId: childBusinessId, name: metaObjectName(tenant.slug), vertical: 'commerce' as const };

    const { catalogId } = await ensure({
      name: 'catalog',
      desired: catalog,
      find: async () => {
        const found = await findCatalogByName(asChild, catalog);
        return found && { catalogId: found.id };
      },
      create: async () => ({ catalogId: (await createCatalog(asChild, catalog)).id }),
    });

    await ensure({
      name: 'catalog-user',
      desired: { catalogId, systemUserId, tasks: catalogTasks },
      find: async () => {
        const users = await readCatalogUsers(asChild, { catalogId, businessId: childBusinessId });
        const tasks = users.find(({ id }) => id === systemUserId)?.tasks ?? [];
        return catalogTasks.every((task) => tasks.includes(task)) ? { systemUserId } : undefined;
      },
      create: async () => {
        await assignCatalogUser(asChild, { catalogId, userId: systemUserId });
        return { systemUserId };
      },
    });

    await ensure({
      name: 'event-source',
      desired: { catalogId, datasetId },
      find: async () =>
        (await readEventSources(asChild, catalogId)).some(({ id }) => id === datasetId) ? { datasetId } : undefined,
      create: async () => {
        await connectEventSources(asChild, { catalogId, pixelIds: [datasetId] });
        return { datasetId };
      },
    });
    return { products: { catalogId } };
  };
