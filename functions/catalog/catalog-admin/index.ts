import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveCatalogAdmin } from './live.ts';
import { catalogAdminRoutes } from './routes.ts';

let live: ReturnType<typeof liveCatalogAdmin> | undefined;
const built = (): ReturnType<typeof liveCatalogAdmin> => (live ??= liveCatalogAdmin('catalog-admin'));

http(
  'catalog-admin',
  httpFunction(() => ({ ...built().host, routes: catalogAdminRoutes(built().services) })),
);
