import { createHash } from 'node:crypto';

/**
 * The next instant after `at` that is a tenant's own: one in every `everyMs`, by a hash of its id, so that all tenants
 * together come evenly and each keeps its distance from one time to the next whatever happened in between.
 */
export function nextOwnTimeAfter(tenantId: string, everyMs: number, at: Date): Date {
  const offsetMs = createHash('sha256').update(tenantId).digest().readUInt32BE(0) % everyMs;
  const passed = Math.floor((at.getTime() - offsetMs) / everyMs);
  return new Date((passed + 1) * everyMs + offsetMs);
}
