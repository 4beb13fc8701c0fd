import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { createTaskQueue } from '../../../shared/gcp/task-queue.ts';
import type { TaskQueue } from '../../../shared/gcp/task-queue.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';

export interface LiveMissedSlots {
  readonly slots: JobSlots;
  readonly tasks: TaskQueue;
  readonly functionBaseUrl: string;
  readonly now: () => Date;
  readonly log: Logger;
}

/** What missed-slots works with. */
export function liveMissedSlots(functionName: string): LiveMissedSlots {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'FUNCTION_REGION',
    'FUNCTION_BASE_URL',
    'TASKS_SERVICE_ACCOUNT',
    'CLOUD_TASKS_EMULATOR_HOST',
    'LOG_LEVEL',
  ]);
  const db = connectFirestore(config.GOOGLE_CLOUD_PROJECT);
  return {
    slots: new JobSlots(db, systemNow),
    tasks: createTaskQueue({
      projectId: config.GOOGLE_CLOUD_PROJECT,
      location: config.FUNCTION_REGION,
      queue: delayedRetryQueue,
      serviceAccountEmail: config.TASKS_SERVICE_ACCOUNT,
      emulatorHost: config.CLOUD_TASKS_EMULATOR_HOST,
    }),
    functionBaseUrl: config.FUNCTION_BASE_URL,
    now: systemNow,
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
  };
}
