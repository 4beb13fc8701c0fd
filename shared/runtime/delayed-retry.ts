import type { Envelope } from '../contracts/topics.ts';
import type { TaskQueue } from '../gcp/task-queue.ts';

/** The Cloud Tasks queue that holds messages until their time. */
export const delayedRetryQueue = 'delayed-retries';

export interface DelayedRetryOptions {
  readonly tasks: TaskQueue;
  readonly projectId: string;
  /** Where functions are reached: `https://REGION-PROJECT.cloudfunctions.net`. */
  readonly functionBaseUrl: string;
  readonly functionName: string;
}

/**
 * Brings a message back to the same function at a known time, as the push body Pub/Sub would have sent. Copies of one
 * message asked back for the same time come once. A message that was brought back and asks for the very same time again,
 * because it came a moment early by this machine's clock, is another: its task must not be taken for the one that is
 * just running.
 */
export function delayedRetry(options: DelayedRetryOptions): (envelope: Envelope, at: Date) => Promise<void> {
  const { tasks, projectId, functionBaseUrl, functionName } = options;
  return (envelope, at) => {
    const next = { ...envelope, hop: (envelope.hop ?? 0) + 1 };
    return tasks.schedule({
      key: `${functionName}:${envelope.eventId}:${next.hop}:${at.toISOString()}`,
      // The path makes functions-framework see the topic the message belongs to.
      url: `${functionBaseUrl}/${functionName}/projects/${projectId}/topics/${envelope.type}`,
      body: pushBody(projectId, next),
      at,
    });
  };
}

/** An envelope in the form of a Pub/Sub push request. */
export function pushBody(projectId: string, envelope: Envelope): Record<string, unknown> {
  return {
    subscription: `projects/${projectId}/subscriptions/${envelope.type}`,
    message: {
      data: Buffer.from(JSON.stringify(envelope)).toString('base64'),
      messageId: envelope.eventId,
      publishTime: envelope.at,
      attributes: {},
    },
  };
}
