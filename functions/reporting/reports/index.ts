import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveReports } from './live.ts';
import { reportRoutes } from './routes.ts';

let live: ReturnType<typeof liveReports> | undefined;
const built = (): ReturnType<typeof liveReports> => (live ??= liveReports('reports'));

http(
  'reports',
  httpFunction(() => ({ ...built().host, routes: reportRoutes(built().services) })),
);
