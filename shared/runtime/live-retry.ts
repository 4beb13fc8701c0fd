import type { Envelope } from '../contracts/topics.ts';
import { createTaskQueue } from '../gcp/task-queue.ts';
import type { Config } from './config.ts';
import { delayedRetry, delayedRetryQueue } from './delayed-retry.ts';

/** The variables `liveRetry` takes from a function's configuration. */
type RetryConfig = Config<
  | 'GOOGLE_CLOUD_PROJECT'
  | 'FUNCTION_REGION'
  | 'FUNCTION_BASE_URL'
  | 'TASKS_SERVICE_ACCOUNT'
  | 'CLOUD_TASKS_EMULATOR_HOST'
>;

/** Brings a message back to the function at a known time, by Cloud Tasks (`delayed-retry.ts`). */
export function liveRetry(functionName: string, config: RetryConfig): (envelope: Envelope, at: Date) => Promise<void> {
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const tasks = createTaskQueue({
    projectId,
    location: config.FUNCTION_REGION,
    queue: delayedRetryQueue,
    serviceAccountEmail: config.TASKS_SERVICE_ACCOUNT,
    emulatorHost: config.CLOUD_TASKS_EMULATOR_HOST,
  });
  return delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName });
}
