import { cloudEvent } from '@google-cloud/functions-framework';
import { liveDeadLetters } from './live.ts';
import { recordDeadLetters } from './record-dead-letter.ts';

let live: ReturnType<typeof liveDeadLetters> | undefined;

cloudEvent(
  'capi-dead-letters',
  recordDeadLetters(() => (live ??= liveDeadLetters('capi-dead-letters'))),
);
