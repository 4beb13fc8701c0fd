import { PubSub } from '@google-cloud/pubsub';
import type { Topic } from '@google-cloud/pubsub';
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
 * what keeps the relay's answer cheap. `PUBSUB_EMULATOR_HOST` is honoured by Google's client itself.
 */
export function createPublisher(projectId: string, options: { maxDelayMs?: number } = {}): Publisher {
  const pubsub = new PubSub({ projectId, ...googleUniverse });
  const topics = new Map<string, Topic>();
  const topic = (name: string): Topic => {
    const known = topics.get(name);
    if (known !== undefined) return known;
    const opened = pubsub.topic(name, {
      batching: { maxMessages: 500, maxBytes: 5_000_000, maxMilliseconds: options.maxDelayMs ?? 5 },
    });
    topics.set(name, opened);
    return opened;
  };
  const publishJson = async (name: string, json: string): Promise<void> => {
    await topic(name).publishMessage({ data: Buffer.from(json) });
  };
  return {
    publishJson,
    publish: (envelope) => publishJson(envelope.type, JSON.stringify(envelope)),
    async close() {
      await Promise.all([...topics.values()].map((opened) => opened.flush()));
      await pubsub.close();
    },
  };
}
