import { createHash } from 'node:crypto';
import { CloudTasksClient } from '@google-cloud/tasks';
import { emulatorEndpoint } from './emulator-endpoint.ts';
import { hasGrpcStatus } from './grpc-status.ts';
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

/** Cloud Tasks as the one place that can deliver later (Pub/Sub push has no per-message delay). */
export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  const client = new CloudTasksClient({
    projectId: options.projectId,
    ...googleUniverse,
    ...(options.emulatorHost === undefined ? {} : emulatorEndpoint(options.emulatorHost)),
  });
  const parent = client.queuePath(options.projectId, options.location, options.queue);
  return {
    async schedule({ key, url, body, at }) {
      try {
        await client.createTask({
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
    close: () => client.close(),
  };
}

/**
 * `https://REGION-PROJECT.cloudfunctions.net/NAME`, whatever comes behind it: the audience a function's IAM asks for.
 * Without the name, or with more than the name, the call is answered 401.
 */
function functionAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}/${pathname.split('/')[1] ?? ''}`;
}
