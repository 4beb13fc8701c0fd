/**
 * Google Pub/Sub for this machine: Publisher and Subscriber over gRPC for the unchanged `@google-cloud/pubsub` client
 * (set PUBSUB_EMULATOR_HOST to `host`), with push delivery, ack deadlines, back-off, dead-letter topics, ordering keys and filters.
 * Not served: snapshots and seek, schemas, exports, exactly-once delivery, message retention after acknowledgement.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { readProtoJson, serveGrpc } from '../grpc-service.ts';
import { systemLocalClock, type LocalClock } from '../local-clock.ts';
import { PubsubBroker, type DeliveryChaos } from './broker.ts';
import type { PublishedMessage } from './message.ts';
import { publisherHandlers, subscriberHandlers } from './handlers.ts';
import { serveStreamingPull, type StreamingPullRequest } from './streaming-pull.ts';

export type EmbeddedPubsub = {
  /** `host:port`, for PUBSUB_EMULATOR_HOST. */
  readonly host: string;
  /** Everything ever accepted on a topic, in publish order, dead-lettered copies included. A short name means this project's topic. */
  published(topic: string): PublishedMessage[];
  /** Full names of the topics anything was ever published to. */
  publishedTopics(): string[];
  /** Publishes without a client, as other Google services do (Secret Manager's notifications). */
  publish(topic: string, message: { data: Buffer; attributes: Record<string, string> }): void;
  /** Messages not yet acknowledged, whether ready, in flight or resting before a retry. Pull subscriptions count only while somebody pulls. */
  outstanding(): number;
  /** Resolves once nothing is outstanding. A message that fails for ever, without a dead-letter topic, keeps it waiting. */
  idle(): Promise<void>;
  /** Resolves once every push was answered and the next can only start when the clock moves or after `resume`. For tests on a manual clock. */
  settled(): Promise<void>;
  /** Holds back deliveries; what is in flight goes on. */
  pause(): void;
  resume(): void;
  /** Duplicates and reorders deliveries; `{}` puts back the default. */
  setChaos(chaos: DeliveryChaos): void;
  close(): Promise<void>;
};

/** Starts it empty, on any free port of 127.0.0.1 unless told otherwise. */
export async function startEmbeddedPubsub(
  options: {
    clock?: LocalClock;
    projectId?: string;
    port?: number;
    /** Push requests under way at once, per subscription. Default 100. */
    maxInFlightPerSubscription?: number;
    /** How many messages `published` remembers per topic. Default 100,000. */
    keepPublishedPerTopic?: number;
    chaos?: DeliveryChaos;
  } = {},
): Promise<EmbeddedPubsub> {
  const { projectId = 'kobi-local', port = 0 } = options;
  const clock = options.clock ?? systemLocalClock;
  const broker = new PubsubBroker({
    clock,
    maxInFlightPerSubscription: options.maxInFlightPerSubscription ?? 100,
    keepPublishedPerTopic: options.keepPublishedPerTopic ?? 100_000,
  });
  broker.setChaos(options.chaos ?? {});
  const protoJson = readProtoJson('@google-cloud/pubsub', 'build/protos/protos.json');
  const server = await serveGrpc({
    port,
    services: [
      { protoJson, serviceName: 'google.pubsub.v1.Publisher', handlers: publisherHandlers(broker) },
      {
        protoJson,
        serviceName: 'google.pubsub.v1.Subscriber',
        handlers: subscriberHandlers(broker, clock),
        streams: {
          streamingPull: (call: ServerDuplexStream<StreamingPullRequest, object>) => serveStreamingPull(broker, call),
        },
      },
    ],
  });
  const fullName = (topic: string): string => (topic.includes('/') ? topic : `projects/${projectId}/topics/${topic}`);
  return {
    host: server.address,
    published: (topic) => broker.published(fullName(topic)),
    publishedTopics: () => broker.publishedTopics(),
    publish: (topic, message) => void broker.publish(fullName(topic), [message]),
    outstanding: () => broker.outstanding(),
    idle: () => broker.idle(),
    settled: () => broker.settled(),
    pause: () => broker.pause(),
    resume: () => broker.resume(),
    setChaos: (chaos) => broker.setChaos(chaos),
    close: async () => {
      await broker.close();
      await server.close();
    },
  };
}
