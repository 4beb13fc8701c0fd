import { createHash } from 'node:crypto';
import { pollEveryMs } from '../../../shared/domain/match-quality/reading.ts';

/**
 * When a tenant is polled after an instant: every six hours, at a time of its own, so that all tenants together come
 * evenly and a tenant's polls keep their distance whatever happened in between.
 */
export function nextPollAfter(tenantId: string, at: Date): Date {
  const offsetMs = createHash('sha256').update(tenantId).digest().readUInt32BE(0) % pollEveryMs;
  const passed = Math.floor((at.getTime() - offsetMs) / pollEveryMs);
  return new Date((passed + 1) * pollEveryMs + offsetMs);
}
