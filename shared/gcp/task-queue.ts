import { createHash } from 'node:crypto';
import type { CloudTasksClient } from '@google-cloud/tasks';
import { hasGrpcStatus } from './grpc-status.ts';
import { localEndpoint } from './local-endpoint.ts';
import { googleUniverse } from './universe.ts';

export interface TaskQueue {
  /**
   * Delivers `body` to `url` at `at`, as Pub/Sub would push it. `key` names the task: scheduling the same key twice
   * delivers once.
   */
  schedule(task: { key: string; url: string; body: unknown; at: Date }): Promise<void>;
  close(): Promise<void>;
}

export interface TaskQueueOptions {
  readonly projectId: string;
  readonly location: string;
  readonly queue: string;
  /** Signs the call with an ID token of this account, so that the function's IAM lets it in. */
  readonly serviceAccountEmail?: string | undefined;
  readonly emulatorHost?: string | undefined;
}

/**
 * Cloud Tasks as the one place that can deliver later (Pub/Sub push has no per-message delay). Google's client is loaded
 * by the first task: most instances never schedule one.
 */
export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  let client: Promise<CloudTasksClient> | undefined;
  const parent = `projects/${options.projectId}/locations/${options.location}/queues/${options.queue}`;
  return {
    async schedule({ key, url, body, at }) {
      client ??= connect(options);
      try {
        await (
          await client
        ).createTask({
          parent,
          task: {
            // Task ids allow letters, digits, - and _ only; a hash also spreads them, as Google advises.
            name: `${parent}/tasks/${createHash('sha256').update(key).digest('hex')}`,
            scheduleTime: { seconds: Math.floor(at.getTime() / 1000), nanos: (at.getTime() % 1000) * 1_000_000 },
            httpRequest: {
              httpMethod: 'POST',
              url,
              headers: { 'content-type': 'application/json' },
              body: Buffer.from(JSON.stringify(body)).toString('base64'),
              ...(options.serviceAccountEmail === undefined
                ? {}
                : { oidcToken: { serviceAccountEmail: options.serviceAccountEmail, audience: functionAddress(url) } }),
            },
          },
        });
      } catch (error) {
        if (!hasGrpcStatus(error, 'alreadyExists')) throw error;
      }
    },
    close: async () => (await client)?.close(),
  };
}

async function connect({ projectId, emulatorHost }: TaskQueueOptions): Promise<CloudTasksClient> {
  const library = await import('@google-cloud/tasks');
  return new library.CloudTasksClient({ projectId, ...googleUniverse, ...(await localEndpoint(emulatorHost)) });
}

/**
 * `https://REGION-PROJECT.cloudfunctions.net/NAME`, whatever comes behind it: the audience a function's IAM asks for.
 * Without the name, or with more than the name, the call is answered 401.
 */
function functionAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}/${pathname.split('/')[1] ?? ''}`;
}
