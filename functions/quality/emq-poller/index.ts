import { http } from '@google-cloud/functions-framework';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import manifest from './function.json' with { type: 'json' };
import { liveEmqPoller } from './live.ts';
import { pollDue } from './poll-due.ts';

let live: ReturnType<typeof liveEmqPoller> | undefined;
const built = (): ReturnType<typeof liveEmqPoller> => (live ??= liveEmqPoller('emq-poller'));

http(
  'emq-poller',
  scheduledFunction(manifest, built, (run) => pollDue(run, built())),
);
