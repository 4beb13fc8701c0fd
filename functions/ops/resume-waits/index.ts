import { http } from '@google-cloud/functions-framework';
import { tickFunction } from '../../../shared/runtime/scheduled-function.ts';
import { liveOps } from '../live.ts';
import { resumeWaits } from './resume-waits.ts';

let live: ReturnType<typeof liveOps> | undefined;
const built = (): ReturnType<typeof liveOps> => (live ??= liveOps('resume-waits'));

http(
  'resume-waits',
  tickFunction(built, () => resumeWaits(built())),
);
