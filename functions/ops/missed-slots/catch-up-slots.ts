import type { JobSlots } from '../../../shared/gcp/job-slots.ts';
import type { TaskQueue } from '../../../shared/gcp/task-queue.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';

const batchSize = 50;

/**
 * Calls every job whose slot is overdue, through Cloud Tasks, as Cloud Scheduler would have. The task is named after slot
 * and due time, so that looking twice calls once. Mostly this costs one query that finds nothing.
 */
export async function catchUpSlots(dependencies: {
  slots: Pick<JobSlots, 'overdue'>;
  tasks: Pick<TaskQueue, 'schedule'>;
  /** `https://REGION-PROJECT.cloudfunctions.net` */
  functionBaseUrl: string;
  now: () => Date;
  log: Logger;
}): Promise<JobReport> {
  const { slots, tasks, functionBaseUrl, now, log } = dependencies;
  const overdue = await slots.overdue(batchSize);
  for (const { job, nextSlot, catchUpAt, error } of overdue) {
    log.warn({ job, nextSlot, reason: error ?? 'nobody finished it' }, 'a slot is overdue, its job is called again');
    await tasks.schedule({
      key: `catch-up:${job}:${nextSlot}:${catchUpAt}`,
      url: `${functionBaseUrl}/${job}`,
      body: {},
      at: now(),
    });
  }
  return { overdue: overdue.length };
}
