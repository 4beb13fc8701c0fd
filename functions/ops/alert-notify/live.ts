import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { createTaskQueue } from '../../../shared/gcp/task-queue.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { delayedRetry, delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createPublicFetch } from '../../../shared/runtime/public-fetch.ts';
import type { PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
import type { NotifyServices } from './notify.ts';

/** What alert-notify works with, built on its first message. */
export function liveAlertNotify(functionName: string): PubsubFunctionDependencies & NotifyServices {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'FUNCTION_REGION',
    'FUNCTION_BASE_URL',
    'TASKS_SERVICE_ACCOUNT',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
    'CLOUD_TASKS_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const db = connectFirestore(projectId);
  const now = systemNow;
  const tasks = createTaskQueue({
    projectId,
    location: config.FUNCTION_REGION,
    queue: delayedRetryQueue,
    serviceAccountEmail: config.TASKS_SERVICE_ACCOUNT,
    emulatorHost: config.CLOUD_TASKS_EMULATOR_HOST,
  });
  return {
    projectId,
    now,
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
    deadLetters: new DeadLetterStore(db, now),
    retryAt: delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName }),
    secrets: openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now }),
    publicFetch: createPublicFetch(),
  };
}
