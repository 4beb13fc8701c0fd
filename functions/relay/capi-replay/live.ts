import { setTimeout as sleep } from 'node:timers/promises';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { ReplayWork } from '../../../shared/gcp/replay-work.ts';
import { createTaskQueue } from '../../../shared/gcp/task-queue.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { delayedRetry, delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
import type { SliceDependencies } from './replay-slice.ts';

export interface LiveReplay {
  readonly dependencies: PubsubFunctionDependencies;
  readonly slice: SliceDependencies;
}

/** What capi-replay works with, built on its first message. */
export function liveReplay(functionName: string): LiveReplay {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'FUNCTION_REGION',
    'FUNCTION_BASE_URL',
    'TASKS_SERVICE_ACCOUNT',
    'LOG_LEVEL',
    'CLOUD_TASKS_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const db = connectFirestore(projectId);
  const publisher = createPublisher(projectId);
  const deadLetters = new DeadLetterStore(db, now);
  const tasks = createTaskQueue({
    projectId,
    location: config.FUNCTION_REGION,
    queue: delayedRetryQueue,
    serviceAccountEmail: config.TASKS_SERVICE_ACCOUNT,
    emulatorHost: config.CLOUD_TASKS_EMULATOR_HOST,
  });
  return {
    dependencies: {
      projectId,
      log: createLogger({ level: config.LOG_LEVEL, functionName }),
      deadLetters,
      now,
    },
    slice: {
      replays: new ReplayWork(db, now),
      deadLetters,
      publish: (topic, json) => publisher.publishJson(topic, json),
      bringBack: delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName }),
      now,
      sleep: (ms) => sleep(ms),
    },
  };
}
