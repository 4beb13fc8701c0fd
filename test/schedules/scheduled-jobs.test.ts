/** Jobs that run once per slot: real HTTP, Firestore and Cloud Tasks at the wire, on a clock the test moves. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudTasksClient } from '@google-cloud/tasks';
import type { Firestore } from '@google-cloud/firestore';
import type { Request, Response } from '@google-cloud/functions-framework';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catchUpSlots } from '../../functions/ops/missed-slots/catch-up-slots.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { JobSlots } from '../../shared/gcp/job-slots.ts';
import { createTaskQueue } from '../../shared/gcp/task-queue.ts';
import type { TaskQueue } from '../../shared/gcp/task-queue.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { scheduledFunction } from '../../shared/runtime/scheduled-function.ts';
import type { JobRun } from '../../shared/runtime/scheduled-function.ts';
import { cloudTasksClientOptions, startEmbeddedCloudTasks } from '../local/google/cloud-tasks/embedded-cloud-tasks.ts';
import type { EmbeddedCloudTasks } from '../local/google/cloud-tasks/embedded-cloud-tasks.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { ManualClock } from '../local/google/local-clock.ts';
import { startLocalScheduler } from '../local/local-scheduler.ts';
import type { LocalScheduler } from '../local/local-scheduler.ts';

const projectId = 'kobi-schedules';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const log = createLogger({ level: 'silent', functionName: 'test' });
const manifest = {
  name: 'daily-job',
  timeoutSeconds: 300,
  trigger: { schedule: '15 5 * * *', timeZone: 'Europe/Istanbul', runs: 'once-per-slot' as const },
};

let clock: ManualClock;
let firestore: EmbeddedFirestore;
let db: Firestore;
let cloudTasks: EmbeddedCloudTasks;
let tasks: TaskQueue;
let host: Server;
let url: string;
let scheduler: LocalScheduler;
let runs: JobRun[];
let work: (run: JobRun) => Promise<Record<string, number>>;
let failures: string[];

const now = (): Date => new Date(clock.nowMs());

beforeEach(async () => {
  // 05:00 in Istanbul, fifteen minutes before the slot.
  clock = new ManualClock(Date.parse('2026-11-25T02:00:00Z'));
  firestore = await startEmbeddedFirestore({ projectId });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore(projectId);
  cloudTasks = await startEmbeddedCloudTasks({ clock });
  const client = new CloudTasksClient({ projectId, ...cloudTasksClientOptions(cloudTasks.host) });
  await client.createQueue({
    parent: client.locationPath(projectId, 'here'),
    queue: { name: client.queuePath(projectId, 'here', 'delayed-retries') },
  });
  await client.close();
  tasks = createTaskQueue({ projectId, location: 'here', queue: 'delayed-retries', emulatorHost: cloudTasks.host });
  runs = [];
  failures = [];
  work = async () => ({ worked: 1 });
  host = createServer(serve);
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  scheduler = startLocalScheduler({
    functions: [
      {
        manifest: {
          ...manifest,
          callers: 'scheduler',
          emits: [],
          memoryMiB: 256,
          concurrency: 1,
          secrets: [],
          variables: [],
          why: 'is a test',
        },
      },
    ],
    hostUrl: url,
    clock,
    onFailure: (runId) => failures.push(runId),
  });
});

afterEach(async () => {
  scheduler.close();
  host.closeAllConnections();
  await new Promise((resolve) => host.close(resolve));
  await tasks.close();
  await cloudTasks.close();
  await db.terminate();
  await firestore.close();
});

/** A process of its own for every request, as instances are: nothing is shared but Firestore. */
const serve: Parameters<typeof createServer>[1] = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const handle = scheduledFunction(
      manifest,
      () => ({ log, slots: new JobSlots(db, now) }),
      async (run) => {
        runs.push(run);
        return work(run);
      },
    );
    const as = Object.assign(response, {
      status: (code: number) => Object.assign(response, { statusCode: code }),
      json: (body: unknown) => response.end(JSON.stringify(body)),
    });
    void handle(
      Object.assign(request, { rawBody: Buffer.concat(chunks) }) as unknown as Request,
      as as unknown as Response,
    );
  });
};

const call = async (body: object = {}): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${url}/daily-job`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const advance = async (ms: number): Promise<void> => {
  clock.advance(ms);
  await scheduler.settled();
};
const catchUp = async (): Promise<number> => {
  const { overdue = 0 } = await catchUpSlots({ slots: new JobSlots(db, now), tasks, functionBaseUrl: url, now, log });
  await cloudTasks.settled();
  return overdue;
};
const runIds = (): string[] => runs.map(({ runId }) => runId);

describe('a job that runs once per slot', () => {
  it('runs at its slot in the zone of its schedule, under a run id made of job and slot', async () => {
    await advance(14 * minuteMs);
    expect(runIds()).toEqual([]);
    await advance(minuteMs);
    expect(runIds()).toEqual(['daily-job:2026-11-25T05:15+03:00']);
    await advance(24 * hourMs);
    expect(runIds().at(-1)).toBe('daily-job:2026-11-26T05:15+03:00');
    expect(runs.map(({ fence }) => fence)).toEqual([1, 2]);
    expect(runs.at(-1)?.lastSlot?.toISOString()).toBe('2026-11-25T02:15:00.000Z');
  });

  it('does nothing when Scheduler calls twice for one slot, and runs again when a person asks', async () => {
    await advance(15 * minuteMs);
    expect(await call()).toMatchObject({ status: 200, body: { skipped: 'this slot is finished' } });
    expect(runs).toHaveLength(1);
    expect(await scheduler.run('daily-job')).toMatchObject({ runId: 'daily-job:2026-11-25T05:15+03:00', worked: 1 });
    expect(runs).toHaveLength(2);
  });

  it('never overlaps: of twenty calls at once one runs, the others are told to come again', async () => {
    clock.advance(15 * minuteMs);
    await scheduler.settled();
    clock.advance(24 * hourMs - minuteMs);
    let active = 0;
    let most = 0;
    const done = Promise.withResolvers<void>();
    work = async () => {
      active += 1;
      most = Math.max(most, active);
      await done.promise;
      active -= 1;
      return {};
    };
    clock.advance(minuteMs);
    const calls = Array.from({ length: 20 }, () => call({ again: true }));
    const refused = await Promise.race([Promise.all(calls.slice(0, 19)), ...calls.map(async (each) => [await each])]);
    expect(refused.map(({ status }) => status)).toContain(503);
    done.resolve();
    await Promise.all(calls);
    await scheduler.settled();
    expect(most).toBe(1);
  });

  it('stands for all the slots that were missed with one run, brought by missed-slots, once', async () => {
    await advance(15 * minuteMs);
    scheduler.pause();
    await advance(3 * 24 * hourMs + hourMs);
    expect(runs).toHaveLength(1);
    expect(await catchUp()).toBe(1);
    expect(runIds().slice(1)).toEqual(['daily-job:2026-11-28T05:15+03:00']);
    expect(runs[1]?.lastSlot?.toISOString()).toBe('2026-11-25T02:15:00.000Z');
    expect(await catchUp()).toBe(0);
    await advance(hourMs);
    expect(await catchUp()).toBe(0);
    expect(runs).toHaveLength(2);
    scheduler.resume();
    await advance(24 * hourMs);
    expect(runIds().at(-1)).toBe('daily-job:2026-11-29T05:15+03:00');
  });

  it('is run again under the same run id after it failed, by Scheduler soon and by missed-slots later', async () => {
    work = async () => {
      throw new Error('not today');
    };
    const record = () => new JobSlots(db, now).read('daily-job');
    clock.advance(15 * minuteMs);
    for (const [tries, waitMs] of [2_000, 4_000, 8_000].entries()) {
      await expect.poll(async () => (await record())?.error).toContain('daily-job:2026-11-25T05:15+03:00');
      await expect.poll(async () => (await record())?.attempt).toBe(tries + 1);
      await expect.poll(async () => (await record())?.lease).toBeNull();
      await expect.poll(() => clock.waiting).toBe(2);
      clock.advance(waitMs);
    }
    await scheduler.settled();
    expect(failures).toEqual(['daily-job:2026-11-25T05:15+03:00']);
    expect(await catchUp()).toBe(0);
    work = async () => ({ worked: 1 });
    clock.advance(2 * hourMs);
    expect(await catchUp()).toBe(1);
    expect(await record()).toMatchObject({ lastSlot: '2026-11-25T02:15:00.000Z', error: null, report: { worked: 1 } });
    expect(new Set(runIds())).toEqual(new Set(['daily-job:2026-11-25T05:15+03:00']));
  });

  it('is taken over after its process died, and what the dead one still says changes nothing', async () => {
    const never = Promise.withResolvers<Record<string, number>>();
    work = () => never.promise;
    clock.advance(15 * minuteMs);
    await expect.poll(() => runs.length).toBe(1);
    work = async () => ({ worked: 2 });
    clock.advance(minuteMs);
    expect((await call()).status).toBe(503);
    clock.advance(5 * minuteMs);
    expect(await catchUp()).toBe(1);
    expect(runIds()).toEqual(['daily-job:2026-11-25T05:15+03:00', 'daily-job:2026-11-25T05:15+03:00']);
    never.resolve({ worked: 1 });
    await scheduler.settled();
    expect((await new JobSlots(db, now).read('daily-job'))?.report).toEqual({ worked: 2 });
  });
});
