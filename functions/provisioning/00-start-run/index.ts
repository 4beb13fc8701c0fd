import { cloudEvent } from '@google-cloud/functions-framework';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveProvisioning } from '../live.ts';
import { startRun } from './start-run.ts';

let live: ReturnType<typeof liveProvisioning> | undefined;
const built = (): ReturnType<typeof liveProvisioning> => (live ??= liveProvisioning('start-run'));

cloudEvent(
  'start-run',
  pubsubFunction(
    'tenant-connected',
    () => built().dependencies,
    (envelope, log) => startRun(built().runs)(envelope, log),
  ),
);
