import { http } from '@google-cloud/functions-framework';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import { crossCheckTenants } from './cross-check-tenants.ts';
import manifest from './function.json' with { type: 'json' };
import { liveCrossCheck } from './live.ts';

let live: ReturnType<typeof liveCrossCheck> | undefined;
const built = (): ReturnType<typeof liveCrossCheck> => (live ??= liveCrossCheck('ga4-crosscheck'));

http(
  'ga4-crosscheck',
  scheduledFunction(manifest, built, (run) => crossCheckTenants(built(), run)),
);
