import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveRelayAdmin } from './live.ts';
import { relayAdminRoutes } from './routes.ts';

let live: ReturnType<typeof liveRelayAdmin> | undefined;
const built = (): ReturnType<typeof liveRelayAdmin> => (live ??= liveRelayAdmin('relay-admin'));

http(
  'relay-admin',
  httpFunction(() => ({ ...built().host, routes: relayAdminRoutes(built().services) })),
);
