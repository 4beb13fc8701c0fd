import { GrpcCode, GrpcError } from '../grpc-service.ts';
import { wireMs, type WireDuration } from '../local-clock.ts';

/** The fields of google.cloud.tasks.v2.Queue that a caller may set. */
export type QueueSettings = {
  rateLimits?: { maxDispatchesPerSecond?: number; maxConcurrentDispatches?: number } | null;
  retryConfig?: {
    maxAttempts?: number;
    maxRetryDuration?: WireDuration | null;
    minBackoff?: WireDuration | null;
    maxBackoff?: WireDuration | null;
    maxDoublings?: number;
  } | null;
  appEngineRoutingOverride?: object | null;
};

/** How a queue dispatches and retries. */
export type QueueConfig = {
  readonly maxDispatchesPerSecond: number;
  readonly maxBurstSize: number;
  readonly maxConcurrentDispatches: number;
  /** -1 = no limit. */
  readonly maxAttempts: number;
  /** 0 = no limit. */
  readonly maxRetryDurationMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly maxDoublings: number;
};

/**
 * A queue's configuration with Google's defaults (500 dispatches a second, 1,000 at once, 100 attempts, back-off 0.1 s to 1 h in
 * 16 doublings). Zero means unset, as on the wire. Throws INVALID_ARGUMENT for what Google refuses.
 */
export function queueConfig(settings: QueueSettings): QueueConfig {
  if (settings.appEngineRoutingOverride) {
    throw new GrpcError(GrpcCode.UNIMPLEMENTED, 'The embedded Cloud Tasks has no App Engine targets.');
  }
  const { rateLimits, retryConfig } = settings;
  const maxDispatchesPerSecond = rateLimits?.maxDispatchesPerSecond || 500;
  const maxConcurrentDispatches = rateLimits?.maxConcurrentDispatches || 1_000;
  const maxAttempts = retryConfig?.maxAttempts || 100;
  const minBackoffMs = durationMs(retryConfig?.minBackoff, 100);
  const maxBackoffMs = durationMs(retryConfig?.maxBackoff, 3_600_000);
  if (maxDispatchesPerSecond < 0 || maxDispatchesPerSecond > 500) {
    throw invalid('RateLimits.maxDispatchesPerSecond must be above 0 and at most 500.');
  }
  if (maxConcurrentDispatches < 0 || maxConcurrentDispatches > 5_000) {
    throw invalid('RateLimits.maxConcurrentDispatches must be above 0 and at most 5000.');
  }
  if (maxAttempts < -1) throw invalid('RetryConfig.maxAttempts must be -1 or above.');
  if (minBackoffMs < 0 || maxBackoffMs < minBackoffMs)
    throw invalid('RetryConfig.minBackoff must not exceed RetryConfig.maxBackoff.');
  return {
    maxDispatchesPerSecond,
    // Google chooses the burst from the rate; it shows 100 for 500 a second and 10 for slow queues.
    maxBurstSize: Math.min(100, Math.max(10, Math.ceil(maxDispatchesPerSecond / 5))),
    maxConcurrentDispatches,
    maxAttempts,
    maxRetryDurationMs: durationMs(retryConfig?.maxRetryDuration, 0),
    minBackoffMs,
    maxBackoffMs,
    maxDoublings: retryConfig?.maxDoublings || 16,
  };
}

/** google.cloud.tasks.v2.Queue's `rateLimits` and `retryConfig`. */
export function wireConfig(config: QueueConfig): object {
  return {
    rateLimits: {
      maxDispatchesPerSecond: config.maxDispatchesPerSecond,
      maxBurstSize: config.maxBurstSize,
      maxConcurrentDispatches: config.maxConcurrentDispatches,
    },
    retryConfig: {
      maxAttempts: config.maxAttempts,
      maxRetryDuration: wireDuration(config.maxRetryDurationMs),
      minBackoff: wireDuration(config.minBackoffMs),
      maxBackoff: wireDuration(config.maxBackoffMs),
      maxDoublings: config.maxDoublings,
    },
  };
}

/**
 * The wait after a task's n-th failed attempt (n ≥ 1): `minBackoff` doubled up to `maxDoublings` times, then growing by the last
 * doubled step, never above `maxBackoff`. Google's example: 10 s, 300 s, 3 doublings → 10, 20, 40, 80, 160, 240, 300, 300 s.
 */
export function retryDelayMs(config: QueueConfig, failedAttempts: number): number {
  const { minBackoffMs, maxBackoffMs, maxDoublings } = config;
  const doublings = Math.min(failedAttempts - 1, maxDoublings);
  const linearSteps = failedAttempts - 1 - doublings;
  return Math.min(maxBackoffMs, minBackoffMs * 2 ** doublings * (1 + linearSteps));
}

/** Whether a task that failed is given up: out of attempts and, where a retry duration is set, older than it too. */
export function isExhausted(config: QueueConfig, failedAttempts: number, sinceFirstAttemptMs: number): boolean {
  const { maxAttempts, maxRetryDurationMs } = config;
  if (maxAttempts === -1) return maxRetryDurationMs > 0 && sinceFirstAttemptMs >= maxRetryDurationMs;
  return failedAttempts >= maxAttempts && (maxRetryDurationMs === 0 || sinceFirstAttemptMs >= maxRetryDurationMs);
}

/** A Duration for the wire. */
export function wireDuration(ms: number): { seconds: string; nanos: number } {
  return { seconds: String(Math.trunc(ms / 1000)), nanos: Math.round((ms % 1000) * 1e6) };
}

function durationMs(duration: WireDuration | null | undefined, defaultMs: number): number {
  return duration ? wireMs(duration) : defaultMs;
}

function invalid(message: string): GrpcError {
  return new GrpcError(GrpcCode.INVALID_ARGUMENT, message);
}
