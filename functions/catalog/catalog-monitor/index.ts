import { http } from '@google-cloud/functions-framework';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import { checkCatalogs } from './check-catalogs.ts';
import manifest from './function.json' with { type: 'json' };
import { liveCatalogMonitor } from './live.ts';

let live: ReturnType<typeof liveCatalogMonitor> | undefined;
const built = (): ReturnType<typeof liveCatalogMonitor> => (live ??= liveCatalogMonitor('catalog-monitor'));

http(
  'catalog-monitor',
  scheduledFunction(manifest, built, ({ signal }) => checkCatalogs(built().services, signal)),
);
