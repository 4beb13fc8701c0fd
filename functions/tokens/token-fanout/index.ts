import { cloudEvent } from '@google-cloud/functions-framework';
import { fanOut } from './fan-out.ts';
import { liveFanOut } from './live.ts';

let live: ReturnType<typeof liveFanOut> | undefined;

cloudEvent(
  'token-fanout',
  fanOut(() => (live ??= liveFanOut('token-fanout'))),
);
