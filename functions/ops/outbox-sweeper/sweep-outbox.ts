import type { Outbox } from '../../../shared/gcp/outbox.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';

/** A healthy publisher needs well under a second; whatever is older was left by a crash. */
const untouchedForMs = 30_000;
const batchSize = 200;

/** Publishes messages whose publisher died between the commit and Pub/Sub. */
export async function sweepOutbox(dependencies: {
  outbox: Pick<Outbox, 'sweep'>;
  now: () => Date;
}): Promise<JobReport> {
  const before = new Date(dependencies.now().getTime() - untouchedForMs);
  let published = 0;
  for (let swept = batchSize; swept === batchSize; published += swept) {
    swept = await dependencies.outbox.sweep(before, batchSize);
  }
  return { published };
}
