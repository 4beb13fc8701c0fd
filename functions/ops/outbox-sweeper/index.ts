import { http } from '@google-cloud/functions-framework';
import { tickFunction } from '../../../shared/runtime/scheduled-function.ts';
import { liveOps } from '../live.ts';
import { sweepOutbox } from './sweep-outbox.ts';

let live: ReturnType<typeof liveOps> | undefined;
const built = (): ReturnType<typeof liveOps> => (live ??= liveOps('outbox-sweeper'));

http(
  'outbox-sweeper',
  tickFunction(built, () => sweepOutbox(built())),
);
