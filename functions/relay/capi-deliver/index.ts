import { cloudEvent } from '@google-cloud/functions-framework';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveDelivery } from './live.ts';

let live: ReturnType<typeof liveDelivery> | undefined;
const built = (): ReturnType<typeof liveDelivery> => (live ??= liveDelivery('capi-deliver'));

cloudEvent(
  'capi-deliver',
  pubsubFunction(
    'capi-events',
    () => built().dependencies,
    (envelope, log) => built().deliver(envelope, log),
  ),
);
