/** Cloud Scheduler, locally: calls each function with a schedule when its minute has come. Times are UTC. */
import { unsignedOidcToken } from './google/pubsub/http-delivery.ts';
import { parseCron } from './cron.ts';
import { serviceAccountEmail } from './gateway.ts';
import type { FunctionFolder } from './manifests.ts';

export interface LocalScheduler {
  /**
   * Runs one job now, as Cloud Scheduler does, and returns the function's answer.
   *
   * @throws Error when there is no such job, or it does not answer with a success
   */
  run(functionName: string): Promise<unknown>;
  close(): void;
}

const minuteMs = 60_000;

/** @param onFailure told about a scheduled run that failed; the next minute tries again */
export function startLocalScheduler(
  functions: readonly FunctionFolder[],
  hostUrl: string,
  onFailure: (functionName: string, error: unknown) => void,
): LocalScheduler {
  const jobs = new Map(
    functions.flatMap(({ manifest }) =>
      'schedule' in manifest.trigger ? [[manifest.name, parseCron(manifest.trigger.schedule)] as const] : [],
    ),
  );
  const run = async (name: string): Promise<unknown> => {
    if (!jobs.has(name)) throw new Error(`There is no job "${name}"; jobs: ${[...jobs.keys()].join(', ')}`);
    const token = unsignedOidcToken({ email: serviceAccountEmail, audience: hostUrl, nowMs: Date.now() });
    const response = await fetch(`${hostUrl}/${name}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'Google-Cloud-Scheduler',
        'x-cloudscheduler': 'true',
        'x-cloudscheduler-jobname': name,
      },
      body: '{}',
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${name} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  let timer: NodeJS.Timeout;
  const waitForNextMinute = (): void => {
    timer = setTimeout(
      () => {
        const at = new Date();
        for (const [name, isDue] of jobs) if (isDue(at)) run(name).catch((error: unknown) => onFailure(name, error));
        waitForNextMinute();
      },
      minuteMs - (Date.now() % minuteMs),
    );
    timer.unref();
  };
  waitForNextMinute();
  return { run, close: () => clearTimeout(timer) };
}
