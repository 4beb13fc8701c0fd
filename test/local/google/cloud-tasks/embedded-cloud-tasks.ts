/**
 * Google Cloud Tasks for this machine, over gRPC for the unchanged `@google-cloud/tasks` client: queues with rate limits and retries,
 * HTTP tasks with names, schedule times, deadlines and OIDC tokens. Not served: App Engine targets, OAuth tokens, IAM.
 */
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { GrpcCode, GrpcError, readProtoJson, serveGrpc, type UnaryHandler } from '../grpc-service.ts';
import { systemLocalClock, wireTimestamp, type LocalClock } from '../local-clock.ts';
import { maskedFields, pageOf } from '../pubsub/pagination.ts';
import { wireConfig, type QueueConfig, type QueueSettings } from './queue-config.ts';
import type { TaskQueue } from './task-queue.ts';
import { TaskQueues } from './task-queues.ts';
import { wireTask, type Task, type TaskSettings, type TaskView } from './task.ts';

export type EmbeddedCloudTasks = {
  /** `host:port`, for CLOUD_TASKS_EMULATOR_HOST. */
  readonly host: string;
  /** Every task not yet done, whether scheduled, due or under way. */
  pending(): Task[];
  /** Resolves once no task is left in a running queue: neither scheduled nor resting before a retry. */
  idle(): Promise<void>;
  /** Resolves once every attempt was answered and the next can only start when the clock moves or a queue is resumed. */
  settled(): Promise<void>;
  /** Attempts at once every task scheduled within the next `withinMs`, past all limits; resolves once answered, with how many they were. */
  runDue(withinMs: number): Promise<number>;
  close(): Promise<void>;
};

/** Starts it without queues, on any free port of 127.0.0.1 unless told otherwise. */
export async function startEmbeddedCloudTasks(
  options: {
    clock?: LocalClock;
    port?: number;
    /** How long the name of a task that is done or deleted stays taken. Google: up to about an hour. Default one hour. */
    nameWindowMs?: number;
  } = {},
): Promise<EmbeddedCloudTasks> {
  const clock = options.clock ?? systemLocalClock;
  const queues = new TaskQueues(clock, options.nameWindowMs ?? 3_600_000);
  const server = await serveGrpc({
    port: options.port ?? 0,
    services: [
      {
        protoJson: readProtoJson('@google-cloud/tasks', 'build/protos/protos.json'),
        serviceName: 'google.cloud.tasks.v2.CloudTasks',
        handlers: handlers(queues),
      },
    ],
  });
  return {
    host: server.address,
    pending: () => queues.all().flatMap(({ tasks }) => tasks),
    idle: () => queues.when((queue) => queue.state === 'PAUSED' || queue.tasks.length === 0),
    settled: () => queues.when((queue) => queue.isSettled),
    runDue: async (withinMs) => {
      const untilMs = clock.nowMs() + withinMs;
      let attempted = 0;
      for (const queue of queues.all()) {
        for (const { name, scheduleTimeMs } of queue.tasks) {
          if (scheduleTimeMs > untilMs) continue;
          queue.run(name);
          attempted++;
        }
      }
      await queues.when((queue) => queue.isSettled);
      return attempted;
    },
    close: async () => {
      await queues.close();
      await server.close();
    },
  };
}

/**
 * What makes the real client talk to `host` without TLS and without Google sign-in. The client has no emulator variable of its own.
 * `clientOptions.universeDomain` matters: without it gax asks the credentials for theirs, which looks for a metadata server.
 */
export function cloudTasksClientOptions(host: string): {
  apiEndpoint: string;
  port: number;
  sslCreds: ChannelCredentials;
  clientOptions: { universeDomain: string };
} {
  const separator = host.lastIndexOf(':');
  return {
    apiEndpoint: host.slice(0, separator),
    port: Number(host.slice(separator + 1)),
    sslCreds: credentials.createInsecure(),
    clientOptions: { universeDomain: 'googleapis.com' },
  };
}

type Paging = { pageSize: number; pageToken: string };
type WireQueueSettings = QueueSettings & { name: string };

function handlers(queues: TaskQueues): Record<string, UnaryHandler> {
  const byName =
    (change: (queue: TaskQueue) => void) =>
    ({ name }: { name: string }) => {
      const queue = queues.queue(name);
      change(queue);
      return wireQueue(queue);
    };
  return {
    createQueue: ({ queue }: { queue: WireQueueSettings | null }) =>
      wireQueue(queues.create(queue?.name ?? '', queue ?? {})),
    getQueue: byName(() => undefined),
    listQueues: ({ parent, filter, ...paging }: { parent: string; filter: string } & Paging) => {
      if (filter !== '')
        throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'The embedded Cloud Tasks lists queues without a filter.');
      const matching = queues.all().filter(({ name }) => name.startsWith(`${parent}/queues/`));
      const { items, nextPageToken } = pageOf(matching, paging);
      return { queues: items.map(wireQueue), nextPageToken };
    },
    updateQueue: (request: { queue: WireQueueSettings | null; updateMask: { paths: string[] } | null }) => {
      const queue = queues.queue(request.queue?.name ?? '');
      queue.update(updatedSettings(queue.config, request.queue ?? {}, maskedFields(request.updateMask)));
      return wireQueue(queue);
    },
    deleteQueue: ({ name }: { name: string }) => queues.delete(name),
    purgeQueue: byName((queue) => queue.purge()),
    pauseQueue: byName((queue) => queue.setState('PAUSED')),
    resumeQueue: byName((queue) => queue.setState('RUNNING')),
    createTask: ({
      parent,
      task,
      responseView,
    }: {
      parent: string;
      task: TaskSettings | null;
      responseView: TaskView;
    }) => wireTask(queues.queue(parent).create(task ?? {}), responseView),
    getTask: ({ name, responseView }: { name: string; responseView: TaskView }) =>
      wireTask(queues.queueOfTask(name).get(name), responseView),
    listTasks: ({ parent, responseView, ...paging }: { parent: string; responseView: TaskView } & Paging) => {
      const { items, nextPageToken } = pageOf(queues.queue(parent).tasks, paging);
      return { tasks: items.map((task) => wireTask(task, responseView)), nextPageToken };
    },
    deleteTask: ({ name }: { name: string }) => queues.queueOfTask(name).delete(name),
    runTask: ({ name, responseView }: { name: string; responseView: TaskView }) =>
      wireTask(queues.queueOfTask(name).run(name), responseView),
  };
}

function wireQueue(queue: TaskQueue): object {
  return {
    name: queue.name,
    ...wireConfig(queue.config),
    state: queue.state,
    ...(queue.purgeTimeMs !== undefined && { purgeTime: wireTimestamp(queue.purgeTimeMs) }),
  };
}

/** The settings after an update: all of the request's without a mask, otherwise only the fields the mask names. */
function updatedSettings(config: QueueConfig, requested: QueueSettings, fields: readonly string[]): QueueSettings {
  if (fields.length === 0) return requested;
  const current: Required<Pick<QueueSettings, 'rateLimits' | 'retryConfig'>> = wireSettings(config);
  for (const field of fields) {
    const [group = '', member] = field.split('.');
    if (group !== 'rateLimits' && group !== 'retryConfig') {
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Field '${field}' cannot be updated.`);
    }
    const changed: object = requested[group] ?? {};
    if (member === undefined) Object.assign(current, { [group]: changed });
    else Object.assign(current[group] ?? {}, { [member]: Reflect.get(changed, member) });
  }
  return current;
}

function wireSettings(config: QueueConfig): Required<Pick<QueueSettings, 'rateLimits' | 'retryConfig'>> {
  const { rateLimits, retryConfig }: Pick<QueueSettings, 'rateLimits' | 'retryConfig'> = wireConfig(config);
  return { rateLimits: { ...rateLimits }, retryConfig: { ...retryConfig } };
}
