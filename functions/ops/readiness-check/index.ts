import { http } from '@google-cloud/functions-framework';
import { tickFunction } from '../../../shared/runtime/scheduled-function.ts';
import { checkReadiness } from './check-readiness.ts';
import { liveReadinessCheck } from './live.ts';

let live: ReturnType<typeof liveReadinessCheck> | undefined;
const built = (): ReturnType<typeof liveReadinessCheck> => (live ??= liveReadinessCheck('readiness-check'));

http(
  'readiness-check',
  tickFunction(built, () => checkReadiness(built())),
);
