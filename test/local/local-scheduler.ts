/**
 * Cloud Scheduler, locally: calls each function with a schedule when its slot has come, on the stack's clock or on one that
 * a test moves. A call that fails is tried again as the job's retry policy says in the cloud.
 */
import { runIdOf, slotAfter } from '../../shared/domain/schedule.ts';
import type { Schedule } from '../../shared/domain/schedule.ts';
import { serviceAccountEmail } from './gateway.ts';
import { systemLocalClock } from './google/local-clock.ts';
import type { LocalClock } from './google/local-clock.ts';
import { unsignedOidcToken } from './google/pubsub/http-delivery.ts';
import type { FunctionFolder } from './manifests.ts';

export interface LocalScheduler {
  /**
   * Runs one job now, as a person does who wants it run again, and returns the function's answer.
   *
   * @throws Error when there is no such job, or it does not answer with a success
   */
  run(functionName: string): Promise<unknown>;
  /** From now on no slot is heard, as when Scheduler is down or its jobs are paused. */
  pause(): void;
  resume(): void;
  /** Resolves when no call is under way. */
  settled(): Promise<void>;
  close(): void;
}

export interface LocalSchedulerOptions {
  readonly functions: readonly Pick<FunctionFolder, 'manifest'>[];
  /** `http://127.0.0.1:PORT`, before `/<function-name>`. */
  readonly hostUrl: string;
  readonly clock?: LocalClock;
  /** Told about a slot whose calls all failed. */
  readonly onFailure: (functionName: string, error: unknown) => void;
}

/** As Terraform sets it, in shorter times: a person is watching. */
const retries = 3;
const firstRetryMs = 2_000;

export function startLocalScheduler(options: LocalSchedulerOptions): LocalScheduler {
  const { functions, hostUrl, clock = systemLocalClock, onFailure } = options;
  const jobs = new Map(
    functions.flatMap(({ manifest }) =>
      'schedule' in manifest.trigger ? [[manifest.name, manifest.trigger] as const] : [],
    ),
  );
  const cancels = new Map<string, () => void>();
  const underWay = new Set<Promise<void>>();
  let isPaused = false;

  const call = async (name: string, body: object, slot?: Date): Promise<unknown> => {
    const token = unsignedOidcToken({ email: serviceAccountEmail, audience: hostUrl, nowMs: clock.nowMs() });
    const response = await fetch(`${hostUrl}/${name}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'Google-Cloud-Scheduler',
        'x-cloudscheduler': 'true',
        'x-cloudscheduler-jobname': name,
        ...(slot && { 'x-cloudscheduler-scheduletime': slot.toISOString() }),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${name} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.at(clock.nowMs() + ms, resolve));

  const runSlot = async (name: string, slot: Date, timeZone: string): Promise<void> => {
    for (let tried = 0; ; tried += 1) {
      try {
        await call(name, {}, slot);
        return;
      } catch (error) {
        if (tried === retries) {
          onFailure(runIdOf(name, slot, timeZone), error);
          return;
        }
        await wait(firstRetryMs * 2 ** tried);
      }
    }
  };

  const waitForSlotAfter = (name: string, schedule: Schedule, after: Date): void => {
    const slot = slotAfter(schedule, after);
    if (slot === undefined) return;
    cancels.set(
      name,
      clock.at(slot.getTime(), () => {
        waitForSlotAfter(name, schedule, slot);
        if (isPaused) return;
        const running = runSlot(name, slot, schedule.timeZone).finally(() => underWay.delete(running));
        underWay.add(running);
      }),
    );
  };

  for (const [name, schedule] of jobs) waitForSlotAfter(name, schedule, new Date(clock.nowMs()));
  return {
    run: async (name) => {
      if (!jobs.has(name)) throw new Error(`There is no job "${name}"; jobs: ${[...jobs.keys()].join(', ')}`);
      return call(name, { again: true });
    },
    pause: () => void (isPaused = true),
    resume: () => void (isPaused = false),
    settled: async () => void (await Promise.all(underWay)),
    close: () => {
      for (const cancel of cancels.values()) cancel();
    },
  };
}
