import type { ServerDuplexStream } from '@grpc/grpc-js';
import { GrpcCode, GrpcError, statusReply } from '../grpc-service.ts';
import { wireTimestamp } from '../local-clock.ts';
import type { PubsubBroker } from './broker.ts';
import type { Subscription } from './subscription.ts';
import type { Lease } from './subscription-queue.ts';

/** google.pubsub.v1.StreamingPullRequest. */
export type StreamingPullRequest = {
  subscription: string;
  streamAckDeadlineSeconds: number;
  ackIds: string[];
  modifyDeadlineAckIds: string[];
  modifyDeadlineSeconds: number[];
  maxOutstandingMessages: string;
  maxOutstandingBytes: string;
};

const messagesPerResponse = 1_000;

/** Serves StreamingPull: messages as they become ready, up to the subscriber's flow control; acks may come on the stream too. */
export function serveStreamingPull(broker: PubsubBroker, call: ServerDuplexStream<StreamingPullRequest, object>): void {
  let stream: OpenStream | undefined;
  const fail = (error: unknown): void => {
    stream?.close();
    call.emit('error', statusReply(error));
  };
  call.on('data', (request: StreamingPullRequest) => {
    try {
      if (stream) {
        stream.receive(request);
        // The client sends empty requests as a keep-alive and takes 15 s without any answer for a dead stream.
        call.write({ subscriptionProperties: stream.properties });
      } else {
        stream = new OpenStream(broker, request, (response) => call.write(response), fail);
      }
    } catch (error) {
      fail(error);
    }
  });
  call.on('end', () => {
    stream?.close();
    call.end();
  });
  call.on('cancelled', () => stream?.close());
  call.on('close', () => stream?.close());
}

class OpenStream {
  readonly #broker: PubsubBroker;
  readonly #subscription: Subscription;
  readonly #ackDeadlineMs: number;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #write: (response: object) => void;
  readonly #leave: () => void;
  #messages = 0;
  #bytes = 0;
  #pumpDue = false;
  #closed = false;

  constructor(
    broker: PubsubBroker,
    request: StreamingPullRequest,
    write: (response: object) => void,
    fail: (error: GrpcError) => void,
  ) {
    this.#broker = broker;
    this.#write = write;
    this.#ackDeadlineMs = streamAckDeadlineMs(request.streamAckDeadlineSeconds);
    this.#maxMessages = Number(request.maxOutstandingMessages) || Infinity;
    this.#maxBytes = Number(request.maxOutstandingBytes) || Infinity;
    this.#subscription = broker.subscription(request.subscription);
    this.#leave = this.#subscription.consume({ wake: () => this.#wake(), stop: fail });
    this.receive(request);
    this.#wake();
  }

  get properties(): object {
    const { enableMessageOrdering = false } = this.#subscription.resource;
    return { exactlyOnceDeliveryEnabled: false, messageOrderingEnabled: enableMessageOrdering };
  }

  receive(request: StreamingPullRequest): void {
    const { queue } = this.#subscription;
    for (const ackId of request.ackIds) queue.ack(ackId);
    request.modifyDeadlineAckIds.forEach((ackId, index) => {
      modifyAckDeadline(this.#subscription, ackId, request.modifyDeadlineSeconds[index] ?? 0);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
  }

  #wake(): void {
    if (this.#pumpDue || this.#closed) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      if (!this.#closed) this.#pump();
    });
  }

  #pump(): void {
    const receivedMessages: object[] = [];
    while (this.#messages < this.#maxMessages && this.#bytes < this.#maxBytes) {
      const lease = takeLease(this.#broker, this.#subscription, this.#ackDeadlineMs);
      if (!lease) break;
      this.#count(lease);
      receivedMessages.push(receivedMessage(this.#subscription, lease));
      if (receivedMessages.length === messagesPerResponse)
        this.#write({ receivedMessages: receivedMessages.splice(0) });
    }
    if (receivedMessages.length > 0) this.#write({ receivedMessages, subscriptionProperties: this.properties });
  }

  #count(lease: Lease): void {
    this.#messages++;
    this.#bytes += lease.message.data.length;
    lease.onEnd = () => {
      this.#messages--;
      this.#bytes -= lease.message.data.length;
      this.#wake();
    };
  }
}

function streamAckDeadlineMs(seconds: number): number {
  if (seconds < 10 || seconds > 600) {
    throw new GrpcError(
      GrpcCode.INVALID_ARGUMENT,
      `Invalid ack deadline given (stream_ack_deadline_seconds=${seconds}). Ack deadline must be between 10 and 600 seconds.`,
    );
  }
  return seconds * 1000;
}

/** The next message of a pull subscription, or none while deliveries are paused. */
export function takeLease(broker: PubsubBroker, subscription: Subscription, ackDeadlineMs?: number): Lease | undefined {
  return broker.isPaused ? undefined : subscription.queue.take(broker.order, ackDeadlineMs);
}

/** ModifyAckDeadline for one message: 0 seconds is a negative acknowledgement. */
export function modifyAckDeadline(subscription: Subscription, ackId: string, seconds: number): void {
  if (seconds === 0) subscription.queue.nack(ackId);
  else subscription.queue.extend(ackId, seconds * 1000);
}

/** google.pubsub.v1.ReceivedMessage; `deliveryAttempt` is counted only under a dead-letter policy, 0 otherwise. */
export function receivedMessage(subscription: Subscription, lease: Lease): object {
  const { message } = lease;
  return {
    ackId: lease.ackId,
    deliveryAttempt: subscription.queue.settings.maxDeliveryAttempts === undefined ? 0 : lease.deliveryAttempt,
    message: {
      data: message.data,
      attributes: message.attributes,
      messageId: message.messageId,
      publishTime: wireTimestamp(message.publishTimeMs),
      orderingKey: message.orderingKey,
    },
  };
}
