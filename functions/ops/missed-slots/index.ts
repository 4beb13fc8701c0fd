import { http } from '@google-cloud/functions-framework';
import { tickFunction } from '../../../shared/runtime/scheduled-function.ts';
import { catchUpSlots } from './catch-up-slots.ts';
import { liveMissedSlots } from './live.ts';

let live: ReturnType<typeof liveMissedSlots> | undefined;
const built = (): ReturnType<typeof liveMissedSlots> => (live ??= liveMissedSlots('missed-slots'));

http(
  'missed-slots',
  tickFunction(built, () => catchUpSlots(built())),
);
