import { cloudEvent } from '@google-cloud/functions-framework';
import { readConfig } from '../../../shared/runtime/config.ts';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveProvisioning } from '../live.ts';
import { startRun } from './start-run.ts';
import type { StartRunDependencies } from './start-run.ts';

let live: ReturnType<typeof liveProvisioning> | undefined;
const built = (): ReturnType<typeof liveProvisioning> => (live ??= liveProvisioning('start-run'));
const runs = (): StartRunDependencies => ({
  ...built().runs,
  pathSetting: readConfig(['PROVISIONING_PATH']).PROVISIONING_PATH,
});

cloudEvent(
  'start-run',
  pubsubFunction(
    'tenant-connected',
    () => built().dependencies,
    (envelope, log) => startRun(runs())(envelope, log),
  ),
);
