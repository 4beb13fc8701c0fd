import type { HttpFunction } from '@google-cloud/functions-framework';
import type { Logger } from './logger.ts';

/** What a scheduled job reports: counts for the log line and the answer. */
export type JobReport = Readonly<Record<string, number>>;

/**
 * Turns a job into an HTTP function for Cloud Scheduler: 200 with its counts, 500 when it failed, which Scheduler shows
 * and retries. A job must be harmless to run twice at once.
 */
export function scheduledFunction(dependencies: () => { log: Logger }, job: () => Promise<JobReport>): HttpFunction {
  return async (_request, response) => {
    const { log } = dependencies();
    try {
      const report = await job();
      log.info(report, 'job done');
      response.status(200).json(report);
    } catch (error) {
      log.error({ err: error }, 'job failed');
      response.status(500).json({ error: 'the job failed, see the log' });
    }
  };
}
