import { GrpcCode, GrpcError } from '../grpc-service.ts';

/** A message as a topic accepted it. */
export type StoredMessage = {
  readonly topic: string;
  readonly messageId: string;
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  /** Empty when the publisher gave none. */
  readonly orderingKey: string;
  readonly publishTimeMs: number;
};

/** google.pubsub.v1.PubsubMessage as a publish request carries it. */
export type WireMessage = {
  data?: Buffer | null;
  attributes?: Record<string, string> | null;
  orderingKey?: string | null;
};

/** Google's page "Pub/Sub quotas and limits". */
const limits = {
  requestBytes: 10_000_000,
  messagesPerRequest: 1_000,
  attributesPerMessage: 100,
  attributeKeyBytes: 256,
  attributeValueBytes: 1_024,
  orderingKeyBytes: 1_024,
} as const;

/** Throws INVALID_ARGUMENT where Google does: an empty or over-large request or message, a reserved or over-long attribute. */
export function checkPublishRequest(messages: readonly WireMessage[]): void {
  if (messages.length === 0)
    throw invalid('The value for message_count is too small. You passed 0 in the request, but the minimum value is 1.');
  if (messages.length > limits.messagesPerRequest) {
    throw invalid(
      `The value for message_count is too large. You passed ${messages.length} in the request, but the maximum value is ${limits.messagesPerRequest}.`,
    );
  }
  let bytes = 0;
  for (const message of messages) bytes += checkMessage(message);
  if (bytes > limits.requestBytes) {
    throw invalid(
      `The value for request_size is too large. You passed ${bytes} in the request, but the maximum value is ${limits.requestBytes}.`,
    );
  }
}

function checkMessage(message: WireMessage): number {
  const attributes = Object.entries(message.attributes ?? {});
  let bytes = message.data?.length ?? 0;
  if (bytes === 0 && attributes.length === 0) {
    throw invalid(
      'Some messages in the list are empty. Each message must contain either non-empty data, or at least one attribute.',
    );
  }
  if (attributes.length > limits.attributesPerMessage) {
    throw invalid(
      `A message may have at most ${limits.attributesPerMessage} attributes, this one has ${attributes.length}.`,
    );
  }
  for (const [key, value] of attributes) {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = Buffer.byteLength(value);
    if (keyBytes === 0 || keyBytes > limits.attributeKeyBytes) {
      throw invalid(`An attribute key must be 1 to ${limits.attributeKeyBytes} bytes long.`);
    }
    if (key.startsWith('goog')) throw invalid(`An attribute key must not start with "goog" (attribute=${key}).`);
    if (valueBytes > limits.attributeValueBytes) {
      throw invalid(`An attribute value may have at most ${limits.attributeValueBytes} bytes (attribute=${key}).`);
    }
    bytes += keyBytes + valueBytes;
  }
  const orderingKeyBytes = Buffer.byteLength(message.orderingKey ?? '');
  if (orderingKeyBytes > limits.orderingKeyBytes) {
    throw invalid(`An ordering key may have at most ${limits.orderingKeyBytes} bytes.`);
  }
  return bytes + orderingKeyBytes;
}

function invalid(message: string): GrpcError {
  return new GrpcError(GrpcCode.INVALID_ARGUMENT, message);
}

/** A message as tests read it back. */
export class PublishedMessage {
  readonly messageId: string;
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey: string;
  readonly publishTimeMs: number;

  constructor(message: StoredMessage) {
    this.messageId = message.messageId;
    this.data = message.data;
    this.attributes = message.attributes;
    this.orderingKey = message.orderingKey;
    this.publishTimeMs = message.publishTimeMs;
  }

  /** The data as UTF-8. */
  get text(): string {
    return this.data.toString('utf8');
  }

  /** The data parsed as JSON; throws when it is none. */
  get json(): unknown {
    return JSON.parse(this.text);
  }
}
