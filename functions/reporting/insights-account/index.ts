import { cloudEvent } from '@google-cloud/functions-framework';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveInsightsAccount } from './live.ts';
import { readAccountReports } from './read-account-reports.ts';

let live: ReturnType<typeof liveInsightsAccount> | undefined;
const built = (): ReturnType<typeof liveInsightsAccount> => (live ??= liveInsightsAccount('insights-account'));

cloudEvent(
  'insights-account',
  pubsubFunction(
    'insights-account',
    () => built().dependencies,
    (envelope, log) => readAccountReports(envelope, built().services, log),
  ),
);
