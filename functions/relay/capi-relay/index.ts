import { http } from '@google-cloud/functions-framework';
import { liveAccept } from './live.ts';
import { relayFunction } from './relay-function.ts';

let live: ReturnType<typeof liveAccept> | undefined;

http(
  'capi-relay',
  relayFunction(() => (live ??= liveAccept('capi-relay'))),
);
