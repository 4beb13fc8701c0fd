/**
 * What the product relies on from Cloud Tasks, through the real client over gRPC. Google offers no emulator of it, so the embedded one is
 * held against the documented behaviour (reference of google.cloud.tasks.v2, page "Create HTTP target tasks").
 */
import { CloudTasksClient, type protos } from '@google-cloud/tasks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cloudTasksClientOptions,
  startEmbeddedCloudTasks,
  type EmbeddedCloudTasks,
} from '../local/google/cloud-tasks/embedded-cloud-tasks.ts';
import { ManualClock, wireTimestamp } from '../local/google/local-clock.ts';
import { recordConnectedHosts } from '../local/google/pubsub/connected-hosts.ts';
import {
  startRecordingEndpoint,
  type Answer,
  type RecordedRequest,
  type RecordingEndpoint,
} from '../local/google/pubsub/recording-endpoint.ts';

type QueueSettings = protos.google.cloud.tasks.v2.IQueue;
type TaskSettings = protos.google.cloud.tasks.v2.ITask;

const connectedHosts = recordConnectedHosts();
const location = 'projects/kobi-contract/locations/europe-west1';
const queue = `${location}/queues/graph-retries`;
let clock: ManualClock;
let tasks: EmbeddedCloudTasks;
let client: CloudTasksClient;
let endpoint: RecordingEndpoint;
let answer: (request: RecordedRequest, before: number) => Answer | Promise<Answer>;

beforeEach(async () => {
  clock = new ManualClock();
  tasks = await startEmbeddedCloudTasks({ clock });
  client = new CloudTasksClient(cloudTasksClientOptions(tasks.host));
  answer = () => 204;
  endpoint = await startRecordingEndpoint((request, before) => answer(request, before));
});

afterEach(async () => {
  await client.close();
  await tasks.close();
  await endpoint.close();
});

const createQueue = (settings: QueueSettings = {}): Promise<unknown> =>
  client.createQueue({ parent: location, queue: { name: queue, ...settings } });

async function createTask(settings: TaskSettings = {}, parent: string = queue): Promise<TaskSettings> {
  const httpRequest = { url: `${endpoint.url}/work`, httpMethod: 'POST' as const, ...settings.httpRequest };
  const [task] = await client.createTask({ parent, task: { ...settings, httpRequest } });
  return task;
}

const named = (id: string): string => `${queue}/tasks/${id}`;
const inMs = (ms: number): TaskSettings => ({ scheduleTime: wireTimestamp(clock.nowMs() + ms) });

/** Moves the clock second by second and notes when, in seconds from now, requests arrive. */
async function arrivals(seconds: number): Promise<number[]> {
  const at: number[] = [];
  let seen = 0;
  for (let second = 0; second <= seconds; second++) {
    if (second > 0) clock.advance(1_000);
    await tasks.settled();
    for (; seen < endpoint.requests.length; seen++) at.push(second);
  }
  return at;
}

describe('a task', () => {
  it('arrives once as the request it describes, with Cloud Tasks’ headers', async () => {
    await createQueue();
    await createTask({
      name: named('poll-1'),
      httpRequest: {
        url: `${endpoint.url}/catalog-sync?x=1`,
        httpMethod: 'PUT',
        headers: { 'Content-Type': 'application/json', 'X-Kobi': '1', 'X-CloudTasks-QueueName': 'forged' },
        body: Buffer.from('{"handle":"h"}'),
      },
    });
    await tasks.idle();
    expect(endpoint.requests).toHaveLength(1);
    expect(endpoint.requests[0]).toMatchObject({ method: 'PUT', path: '/catalog-sync?x=1', body: '{"handle":"h"}' });
    expect(endpoint.requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Google-Cloud-Tasks',
      'x-kobi': '1',
      'x-cloudtasks-queuename': 'graph-retries',
      'x-cloudtasks-taskname': 'poll-1',
      'x-cloudtasks-taskretrycount': '0',
      'x-cloudtasks-taskexecutioncount': '0',
      'x-cloudtasks-tasketa': String(clock.nowMs() / 1000),
    });
  });

  it('waits for its schedule time', async () => {
    await createQueue();
    await createTask(inMs(90_000));
    expect(await arrivals(120)).toEqual([90]);
  });

  it('may be scheduled 30 days ahead and no further', async () => {
    await createQueue();
    const thirtyDaysMs = 30 * 24 * 3_600_000;
    await createTask(inMs(thirtyDaysMs));
    await expect(createTask(inMs(thirtyDaysMs + 1))).rejects.toMatchObject({
      code: 3,
      message: expect.stringContaining('too far in the future'),
    });
    clock.advance(thirtyDaysMs);
    await tasks.idle();
    expect(endpoint.requests).toHaveLength(1);
  });

  it('with an OIDC token carries a bearer token naming the service account and, without an audience, its URL', async () => {
    await createQueue();
    const url = `${endpoint.url}/work`;
    await createTask({ httpRequest: { url, oidcToken: { serviceAccountEmail: 'tasks@kobi.iam' } } });
    await tasks.idle();
    const claims = endpoint.requests[0]?.headers.authorization?.split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      email: 'tasks@kobi.iam',
      aud: url,
    });
  });

  it('is seen without its body unless asked for in full', async () => {
    await createQueue();
    const { name } = await createTask({
      ...inMs(1_000),
      httpRequest: { url: endpoint.url, body: Buffer.from('personal') },
    });
    const [basic] = await client.getTask({ name: name ?? '' });
    expect(Buffer.from(basic.httpRequest?.body ?? '').toString()).toBe('');
    const [full] = await client.getTask({ name: name ?? '', responseView: 'FULL' });
    expect(Buffer.from(full.httpRequest?.body ?? '').toString()).toBe('personal');
    const [listed] = await client.listTasks({ parent: queue });
    expect(listed.map((task) => task.name)).toEqual([name]);
  });

  it('deleted before its time never arrives', async () => {
    await createQueue();
    const { name } = await createTask(inMs(60_000));
    await client.deleteTask({ name: name ?? '' });
    expect(await arrivals(70)).toEqual([]);
    expect(tasks.pending()).toEqual([]);
  });

  it('run by hand arrives at once, even from a paused queue', async () => {
    await createQueue();
    await client.pauseQueue({ name: queue });
    const { name } = await createTask(inMs(3_600_000));
    await client.runTask({ name: name ?? '' });
    await tasks.settled();
    expect(endpoint.requests).toHaveLength(1);
    expect(tasks.pending()).toEqual([]);
  });

  it('all that is scheduled soon can be run at once', async () => {
    await createQueue();
    await createTask(inMs(30_000));
    await createTask(inMs(60_000));
    await createTask(inMs(61_000));
    expect(await tasks.runDue(60_000)).toBe(2);
    expect(endpoint.requests).toHaveLength(2);
    expect(tasks.pending()).toHaveLength(1);
  });
});

describe('a task’s name', () => {
  it('creates one task however often it is created, also an hour after it is done', async () => {
    await createQueue();
    const task = { name: named('tenant-1-resume') };
    const results = await Promise.allSettled([createTask(task), createTask(task), createTask(task)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await tasks.idle();
    clock.advance(3_599_999);
    await expect(createTask(task)).rejects.toMatchObject({ code: 6 });
    expect(endpoint.requests).toHaveLength(1);
    clock.advance(1);
    await createTask(task);
    await tasks.idle();
    expect(endpoint.requests).toHaveLength(2);
  });

  it('stays taken after a deletion', async () => {
    await createQueue();
    await createTask({ name: named('gone'), ...inMs(60_000) });
    await client.deleteTask({ name: named('gone') });
    await expect(createTask({ name: named('gone') })).rejects.toMatchObject({ code: 6 });
    await expect(client.getTask({ name: named('gone') })).rejects.toMatchObject({ code: 9 });
    await expect(client.getTask({ name: named('never') })).rejects.toMatchObject({ code: 5 });
  });

  it('must be one of its queue', async () => {
    await createQueue();
    await expect(createTask({ name: `${location}/queues/other/tasks/a` })).rejects.toMatchObject({ code: 3 });
    await expect(createTask({ name: named('no spaces') })).rejects.toMatchObject({ code: 3 });
  });
});

describe('retries', () => {
  const retryConfig = { minBackoff: { seconds: 10 }, maxBackoff: { seconds: 300 }, maxDoublings: 3 };

  it('back off by Google’s own example: 10, 20, 40, 80, 160, 240, 300, 300 s', async () => {
    await createQueue({ retryConfig });
    answer = () => 500;
    await createTask();
    const at = await arrivals(1_150);
    expect(at.slice(1).map((second, index) => second - (at[index] ?? 0))).toEqual([10, 20, 40, 80, 160, 240, 300, 300]);
  });

  it('stop at maxAttempts, and the task is gone', async () => {
    await createQueue({ retryConfig: { ...retryConfig, maxAttempts: 3 } });
    answer = () => 503;
    await createTask();
    expect(await arrivals(600)).toEqual([0, 10, 30]);
    expect(tasks.pending()).toEqual([]);
    await tasks.idle();
  });

  it('go on past maxAttempts until maxRetryDuration is over too', async () => {
    await createQueue({ retryConfig: { ...retryConfig, maxAttempts: 2, maxRetryDuration: { seconds: 60 } } });
    answer = () => 500;
    await createTask();
    expect(await arrivals(600)).toEqual([0, 10, 30, 70]);
  });

  it('count themselves in the headers and show the last answer', async () => {
    await createQueue({ retryConfig });
    answer = (_, before) => (before === 0 ? 429 : 200);
    await createTask();
    await arrivals(10);
    expect(endpoint.requests[1]?.headers).toMatchObject({
      'x-cloudtasks-taskretrycount': '1',
      'x-cloudtasks-taskexecutioncount': '1',
      'x-cloudtasks-taskpreviousresponse': '429',
    });
    expect(tasks.pending()).toEqual([]);
  });

  it('wait as long as Retry-After says', async () => {
    await createQueue({ retryConfig });
    answer = (_, before) => (before === 0 ? { status: 429, headers: { 'retry-after': '45' } } : 200);
    await createTask();
    expect(await arrivals(60)).toEqual([0, 45]);
  });

  it('follow an attempt that is not answered within the dispatch deadline', async () => {
    await createQueue({ retryConfig });
    const never = Promise.withResolvers<Answer>();
    answer = (_, before) => (before === 0 ? never.promise : 204);
    await createTask({ dispatchDeadline: { seconds: 15 } });
    await endpoint.received(1);
    clock.advance(15_000);
    await tasks.settled();
    expect(tasks.pending()).toMatchObject([{ dispatchCount: 1, responseCount: 0 }]);
    clock.advance(10_000);
    await tasks.idle();
    expect(endpoint.requests).toHaveLength(2);
    never.resolve(204);
  });
});

describe('a queue', () => {
  it('dispatches its burst at once and then maxDispatchesPerSecond', async () => {
    await createQueue({ rateLimits: { maxDispatchesPerSecond: 2 } });
    const [{ rateLimits }] = await client.getQueue({ name: queue });
    const burst = rateLimits?.maxBurstSize ?? 0;
    await Promise.all(Array.from({ length: burst + 6 }, () => createTask()));
    const at = await arrivals(5);
    expect(at.filter((second) => second === 0)).toHaveLength(burst);
    expect(at.slice(burst)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('never has more attempts under way than maxConcurrentDispatches', async () => {
    await createQueue({ rateLimits: { maxConcurrentDispatches: 3 } });
    const held = Promise.withResolvers<Answer>();
    answer = () => held.promise;
    await client.pauseQueue({ name: queue });
    await Promise.all(Array.from({ length: 30 }, () => createTask()));
    await client.resumeQueue({ name: queue });
    await endpoint.received(3);
    expect(tasks.pending().filter(({ dispatchCount }) => dispatchCount > 0)).toHaveLength(3);
    held.resolve(204);
    await tasks.idle();
    expect(endpoint.requests).toHaveLength(30);
  });

  it('holds its tasks while paused', async () => {
    await createQueue();
    const [paused] = await client.pauseQueue({ name: queue });
    expect(paused.state).toBe('PAUSED');
    await createTask();
    expect(await arrivals(5)).toEqual([]);
    await client.resumeQueue({ name: queue });
    await tasks.idle();
    expect(endpoint.requests).toHaveLength(1);
  });

  it('purged holds nothing', async () => {
    await createQueue();
    await createTask(inMs(1_000));
    await createTask(inMs(2_000));
    await client.purgeQueue({ name: queue });
    expect(await arrivals(3)).toEqual([]);
  });

  it('shows Google’s defaults, takes an update by field mask, and is listed', async () => {
    await createQueue();
    const [created] = await client.getQueue({ name: queue });
    expect(created).toMatchObject({
      state: 'RUNNING',
      rateLimits: { maxDispatchesPerSecond: 500, maxBurstSize: 100, maxConcurrentDispatches: 1000 },
      retryConfig: {
        maxAttempts: 100,
        minBackoff: { nanos: 100_000_000 },
        maxBackoff: { seconds: '3600' },
        maxDoublings: 16,
      },
    });
    const [updated] = await client.updateQueue({
      queue: { name: queue, rateLimits: { maxDispatchesPerSecond: 5 }, retryConfig: { maxAttempts: 9 } },
      updateMask: { paths: ['rate_limits.max_dispatches_per_second'] },
    });
    expect(updated).toMatchObject({
      rateLimits: { maxDispatchesPerSecond: 5, maxConcurrentDispatches: 1000 },
      retryConfig: { maxAttempts: 100 },
    });
    const [queues] = await client.listQueues({ parent: location });
    expect(queues.map(({ name }) => name)).toEqual([queue]);
  });

  it('that does not exist is NOT_FOUND, a second of a name ALREADY_EXISTS, a deleted one FAILED_PRECONDITION', async () => {
    await expect(createTask()).rejects.toMatchObject({ code: 5 });
    await createQueue();
    await expect(createQueue()).rejects.toMatchObject({ code: 6 });
    await client.deleteQueue({ name: queue });
    await expect(createQueue()).rejects.toMatchObject({ code: 9 });
    await expect(createTask()).rejects.toMatchObject({ code: 9 });
  });
});

describe('the client', () => {
  it('never looks for a metadata server or a Google sign-in', async () => {
    await createQueue();
    expect([...connectedHosts]).toEqual(['127.0.0.1']);
  });
});
