import { GrpcCode, GrpcError } from '../grpc-service.ts';
import { wireMs, type WireDuration } from '../local-clock.ts';
import type { PushTarget } from './push-subscriber.ts';
import type { QueueSettings } from './subscription-queue.ts';

/** The fields of google.pubsub.v1.Subscription that mean something here; the rest is kept and given back. */
export type WireSubscription = {
  name: string;
  topic: string;
  pushConfig?: WirePushConfig | null;
  ackDeadlineSeconds?: number;
  enableMessageOrdering?: boolean;
  enableExactlyOnceDelivery?: boolean;
  filter?: string;
  deadLetterPolicy?: { deadLetterTopic?: string; maxDeliveryAttempts?: number } | null;
  retryPolicy?: { minimumBackoff?: WireDuration | null; maximumBackoff?: WireDuration | null } | null;
  labels?: Record<string, string>;
  detached?: boolean;
  bigqueryConfig?: object | null;
  cloudStorageConfig?: object | null;
  bigtableConfig?: object | null;
  messageTransforms?: readonly object[];
};

export type WirePushConfig = {
  pushEndpoint?: string;
  attributes?: Record<string, string>;
  oidcToken?: { serviceAccountEmail?: string; audience?: string } | null;
  noWrapper?: object | null;
};

/** What a push without a retry policy waits between attempts of one message (Google's page "Push subscriptions", push backoff). */
const pushBackoff = { minMs: 100, maxMs: 60_000 } as const;

/**
 * Checks a subscription as CreateSubscription does and fills in Google's defaults (ack deadline 10 s, 5 delivery attempts,
 * back-off 10 s to 600 s). Throws INVALID_ARGUMENT for a value out of range, UNIMPLEMENTED for what is not served here.
 */
export function normaliseSubscription(wire: WireSubscription): WireSubscription {
  const served = !(
    wire.bigqueryConfig ||
    wire.cloudStorageConfig ||
    wire.bigtableConfig ||
    wire.enableExactlyOnceDelivery ||
    wire.pushConfig?.noWrapper ||
    (wire.messageTransforms?.length ?? 0) > 0
  );
  if (!served) {
    throw new GrpcError(
      GrpcCode.UNIMPLEMENTED,
      'The embedded Pub/Sub serves push with Google’s wrapper and pull, at least once: no export, transform, unwrapped push or exactly-once delivery.',
    );
  }
  const ackDeadlineSeconds = wire.ackDeadlineSeconds || 10;
  if (ackDeadlineSeconds < 10 || ackDeadlineSeconds > 600) {
    throw invalid(
      `Invalid ack deadline given (ack_deadline_seconds=${ackDeadlineSeconds}). Ack deadline must be between 10 and 600 seconds.`,
    );
  }
  pushTarget(wire.pushConfig);
  return {
    ...wire,
    ackDeadlineSeconds,
    deadLetterPolicy: wire.deadLetterPolicy ? normaliseDeadLetterPolicy(wire.deadLetterPolicy) : null,
    retryPolicy: wire.retryPolicy ? normaliseRetryPolicy(wire.retryPolicy) : null,
  };
}

function normaliseDeadLetterPolicy(
  policy: NonNullable<WireSubscription['deadLetterPolicy']>,
): NonNullable<WireSubscription['deadLetterPolicy']> {
  const maxDeliveryAttempts = policy.maxDeliveryAttempts || 5;
  if (maxDeliveryAttempts < 5 || maxDeliveryAttempts > 100) {
    throw invalid(
      `Invalid max delivery attempts (max_delivery_attempts=${maxDeliveryAttempts}). It must be between 5 and 100.`,
    );
  }
  if (!policy.deadLetterTopic) throw invalid('A dead letter policy needs a dead letter topic.');
  return { ...policy, maxDeliveryAttempts };
}

function normaliseRetryPolicy(
  policy: NonNullable<WireSubscription['retryPolicy']>,
): NonNullable<WireSubscription['retryPolicy']> {
  const minimumBackoff = policy.minimumBackoff ?? { seconds: '10', nanos: 0 };
  const maximumBackoff = policy.maximumBackoff ?? { seconds: '600', nanos: 0 };
  const [minMs, maxMs] = [wireMs(minimumBackoff), wireMs(maximumBackoff)];
  if (minMs < 0 || maxMs > 600_000 || minMs > maxMs) {
    throw invalid(
      `Invalid retry policy (${minMs} ms to ${maxMs} ms). Back-off is 0 to 600 s, the minimum not above the maximum.`,
    );
  }
  return { minimumBackoff, maximumBackoff };
}

/** Where to push, or `undefined` for a pull subscription. Throws INVALID_ARGUMENT for an endpoint that is no http(s) URL. */
export function pushTarget(config: WirePushConfig | null | undefined): PushTarget | undefined {
  if (!config?.pushEndpoint) return undefined;
  const endpoint = URL.canParse(config.pushEndpoint) ? new URL(config.pushEndpoint) : undefined;
  if (!endpoint || !/^https?:$/.test(endpoint.protocol)) {
    throw invalid(`Invalid push endpoint given (endpoint=${config.pushEndpoint}).`);
  }
  const email = config.oidcToken?.serviceAccountEmail;
  return {
    endpoint,
    oidc: email ? { email, audience: config.oidcToken?.audience || config.pushEndpoint } : undefined,
  };
}

/** How the queue of a normalised subscription behaves. */
export function queueSettings(subscription: WireSubscription): QueueSettings {
  const { retryPolicy, pushConfig } = subscription;
  const backoff = retryPolicy
    ? { minMs: wireMs(retryPolicy.minimumBackoff ?? {}), maxMs: wireMs(retryPolicy.maximumBackoff ?? {}) }
    : pushConfig?.pushEndpoint
      ? pushBackoff
      : { minMs: 0, maxMs: 0 };
  return {
    ackDeadlineMs: (subscription.ackDeadlineSeconds ?? 10) * 1000,
    ordered: subscription.enableMessageOrdering ?? false,
    retryDelayMs: (failedDeliveries) =>
      Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(failedDeliveries - 1, 30)),
    maxDeliveryAttempts: subscription.deadLetterPolicy?.maxDeliveryAttempts,
  };
}

function invalid(message: string): GrpcError {
  return new GrpcError(GrpcCode.INVALID_ARGUMENT, message);
}
