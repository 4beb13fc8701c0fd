import { cloudEvent } from '@google-cloud/functions-framework';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveReplay } from './live.ts';
import { replaySlice } from './replay-slice.ts';

let live: ReturnType<typeof liveReplay> | undefined;
const built = (): ReturnType<typeof liveReplay> => (live ??= liveReplay('capi-replay'));

cloudEvent(
  'capi-replay',
  pubsubFunction(
    'capi-replay',
    () => built().dependencies,
    (envelope, log) => replaySlice(envelope, built().slice, log),
  ),
);
