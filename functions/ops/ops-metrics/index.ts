import { http } from '@google-cloud/functions-framework';
import { tickFunction } from '../../../shared/runtime/scheduled-function.ts';
import { liveOpsMetrics } from './live.ts';
import { tellGauges } from './tell-gauges.ts';

let live: ReturnType<typeof liveOpsMetrics> | undefined;
const built = (): ReturnType<typeof liveOpsMetrics> => (live ??= liveOpsMetrics('ops-metrics'));

http(
  'ops-metrics',
  tickFunction(built, () => tellGauges(built())),
);
