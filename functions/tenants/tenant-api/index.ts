import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveTenants } from '../live.ts';
import { tenantRoutes } from './routes.ts';

let live: ReturnType<typeof liveTenants> | undefined;
const built = (): ReturnType<typeof liveTenants> => (live ??= liveTenants('tenant-api'));

http(
  'tenant-api',
  httpFunction(() => ({ ...built().host, routes: tenantRoutes(built().services) })),
);
