/** Requests a second, per tenant, of this instance. */
export interface RateLimiter {
  /** Undefined when the request may go on; otherwise the seconds after which one may, at least 1. */
  take(tenantId: string, requestsPerSecond: number, nowMs: number): number | undefined;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** More tenants than one instance serves; the ones seen longest ago go first, which only ever lets more through. */
const maxTenants = 10_000;

/**
 * A token bucket per tenant that holds one second's worth, so that a burst passes and a flood does not. Tenants do not
 * touch each other's. A clock that goes back changes nothing.
 */
export function createRateLimiter(): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take(tenantId, requestsPerSecond, nowMs) {
      const capacity = Math.max(1, requestsPerSecond);
      let bucket = buckets.get(tenantId);
      if (bucket === undefined) {
        const oldest = buckets.size >= maxTenants ? buckets.keys().next().value : undefined;
        if (oldest !== undefined) buckets.delete(oldest);
        bucket = { tokens: capacity, filledAtMs: nowMs };
        buckets.set(tenantId, bucket);
      }
      const passedMs = Math.max(0, nowMs - bucket.filledAtMs);
      bucket.tokens = Math.min(capacity, bucket.tokens + (passedMs * requestsPerSecond) / 1_000);
      bucket.filledAtMs = Math.max(bucket.filledAtMs, nowMs);
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return undefined;
      }
      return Math.max(1, Math.ceil((1 - bucket.tokens) / requestsPerSecond));
    },
  };
}
