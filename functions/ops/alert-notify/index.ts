import { cloudEvent } from '@google-cloud/functions-framework';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveAlertNotify } from './live.ts';
import { notify } from './notify.ts';

let live: ReturnType<typeof liveAlertNotify> | undefined;
const built = (): ReturnType<typeof liveAlertNotify> => (live ??= liveAlertNotify('alert-notify'));

cloudEvent(
  'alert-notify',
  pubsubFunction('alert-changed', built, (envelope, log) => notify(built())(envelope, log)),
);
