import type { PubSub, Topic } from '@google-cloud/pubsub';
import type { Envelope } from '../contracts/topics.ts';
import { googleUniverse } from './universe.ts';

export interface Publisher {
  /** Resolves once Pub/Sub has stored the message; rejects when that is not certain. */
  publish(envelope: Envelope): Promise<void>;
  /** The same for an envelope already serialised (outbox rows). */
  publishJson(topic: string, json: string): Promise<void>;
  /** Sends what is buffered and closes the channel. */
  close(): Promise<void>;
}

/**
 * Publishes through one client per process. Messages published within a few milliseconds travel in one call, which is
 * what keeps the relay's answer cheap. The client is loaded by the first message. `PUBSUB_EMULATOR_HOST` is honoured by Google's client itself.
 */
export function createPublisher(projectId: string, options: { maxDelayMs?: number } = {}): Publisher {
  let connecting: Promise<PubSub> | undefined;
  const topics = new Map<string, Topic>();
  const open = async (name: string): Promise<Topic> => {
    connecting ??= import('@google-cloud/pubsub').then(
      ({ default: library }) => new library.PubSub({ projectId, ...googleUniverse }),
    );
    const pubsub = await connecting;
    // Whoever waited for the client beside us may have opened it: two would batch apart.
    const opened =
      topics.get(name) ??
      pubsub.topic(name, {
        batching: { maxMessages: 500, maxBytes: 5_000_000, maxMilliseconds: options.maxDelayMs ?? 5 },
      });
    topics.set(name, opened);
    return opened;
  };
  const publishJson = async (name: string, json: string): Promise<void> => {
    const topic = topics.get(name) ?? (await open(name));
    await topic.publishMessage({ data: Buffer.from(json) });
  };
  return {
    publishJson,
    publish: (envelope) => publishJson(envelope.type, JSON.stringify(envelope)),
    async close() {
      await Promise.all([...topics.values()].map((opened) => opened.flush()));
      await (await connecting)?.close();
    },
  };
}
