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
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

/**
 * Creates the product catalog of a tenant with the ecommerce SKU, lets the system user manage it, and connects the pixel,
 * without which events would match no product. (Document, "Onboarding checklist" 8.)
 */
export const createCatalogStep: StepFactory<'create-catalog'> = (services) => async (context) => {
  const { tenant, product, ensure } = context;
  const operator = await operatorOf(services, context);
  const { graph, businessId } = operator;
  const systemUserId = await operator.systemUserId();
  const { datasetId } = product('create-pixel');
  const catalog = { businessId, name: metaObjectName(tenant.slug), vertical: 'commerce' as const };

  const { catalogId } = await ensure({
    name: 'catalog',
    desired: catalog,
    find: async () => {
      const found = await findCatalogByName(graph, catalog);
      return found && { catalogId: found.id };
    },
    create: async () => ({ catalogId: (await createCatalog(graph, catalog)).id }),
  });

  await ensure({
    name: 'catalog-user',
    desired: { catalogId, systemUserId, tasks: catalogTasks },
    find: async () => {
      const users = await readCatalogUsers(graph, { catalogId, businessId });
      const tasks = users.find(({ id }) => id === systemUserId)?.tasks ?? [];
      return catalogTasks.every((task) => tasks.includes(task)) ? { systemUserId } : undefined;
    },
    create: async () => {
      await assignCatalogUser(graph, { catalogId, userId: systemUserId });
      return { systemUserId };
    },
  });

  await ensure({
    name: 'event-source',
    desired: { catalogId, datasetId },
    find: async () =>
      (await readEventSources(graph, catalogId)).some(({ id }) => id === datasetId) ? { datasetId } : undefined,
    create: async () => {
      await connectEventSources(graph, { catalogId, pixelIds: [datasetId] });
      return { datasetId };
    },
  });
  return { products: { catalogId } };
};
