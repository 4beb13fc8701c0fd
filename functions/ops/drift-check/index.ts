import { http } from '@google-cloud/functions-framework';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import { checkDue } from './check-due.ts';
import manifest from './function.json' with { type: 'json' };
import { liveDriftCheck } from './live.ts';

let live: ReturnType<typeof liveDriftCheck> | undefined;
const built = (): ReturnType<typeof liveDriftCheck> => (live ??= liveDriftCheck('drift-check'));

http(
  'drift-check',
  scheduledFunction(manifest, built, (run) => checkDue(run, built())),
);
