import type { Outbox } from '../../../shared/gcp/outbox.ts';
import type { RunControl } from '../../../shared/gcp/run-control.ts';
import type { WaitControl } from '../../../shared/gcp/wait-control.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';

const batchSize = 500;

/**
 * Wakes every step whose time has come: parked ones to look again, postponed ones whose task got lost, and running ones
 * whose worker died with its lease. Then it reminds whoever lets a wait last. Two of these at once wake each step once, and
 * remind once.
 */
export async function resumeWaits(dependencies: {
  steps: Pick<RunControl, 'dueSteps' | 'wake'>;
  waits: Pick<WaitControl, 'dueReminders' | 'remind'>;
  outbox: Pick<Outbox, 'deliver'>;
}): Promise<JobReport> {
  const due = await dependencies.steps.dueSteps(batchSize);
  const traceparent = traceparentOf(undefined);
  let resumed = 0;
  for (const ref of due) {
    const messages = await dependencies.steps.wake(ref, 'resumed', 'resume-waits', traceparent);
    await dependencies.outbox.deliver(messages);
    resumed += messages.length;
  }
  let reminded = 0;
  for (const ref of await dependencies.waits.dueReminders(batchSize)) {
    const messages = await dependencies.waits.remind(ref, 'resume-waits', traceparent);
    await dependencies.outbox.deliver(messages);
    reminded += messages.length;
  }
  return { due: due.length, resumed, reminded };
}
