import { isDeepStrictEqual } from 'node:util';
import type { Observations } from '../../../shared/domain/drift.ts';
import { nextOwnTimeAfter } from '../../../shared/domain/own-time.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { lookAtIssues } from './look-at-issues.ts';
import { lookAt } from './look-at.ts';
import { takeInInstagram } from './take-in-instagram.ts';
import type { CheckServices } from './services.ts';

/**
 * `same`: Meta has what we recorded, as far as it said. `unknown`: it said nothing at all. `moving`: the tenant is on its way
 * to another path, or what is recorded changed while Meta was asked. `gone`: not live any more.
 */
export type CheckEnd = 'same' | 'differs' | 'unknown' | 'moving' | 'gone';

export const checkEveryMs = 24 * 60 * 60_000;
/** When Meta does not answer, its trouble is mostly over in an hour. */
export const retryAfterMs = 60 * 60_000;

/**
 * Compares one tenant with what Meta has and tells differences on the tenant and in one alert. Nothing is changed at Meta,
 * nor in what is recorded: which of the two is right is for a person to say. An Instagram account that the client has linked
 * to the Page since is no difference but what the onboarding looked for in vain, and is taken in; ad objects with an open
 * issue are asked about.
 */
export async function checkTenant(tenantId: string, services: CheckServices): Promise<CheckEnd> {
  const { deliver, now, recordsOf, store } = services;
  const traceparent = traceparentOf(undefined);
  const records = await recordsOf(tenantId);
  if (records === undefined) {
    await deliver(await store.forget(tenantId, traceparent));
    return 'gone';
  }
  const ownTime = nextOwnTimeAfter(tenantId, checkEveryMs, now());
  if (records.isMoving) {
    await store.postpone(tenantId, ownTime);
    return 'moving';
  }
  const { answered, observations } = await lookAt(records, services);
  const soon = new Date(now().getTime() + retryAfterMs);
  if (differs(observations) && !isDeepStrictEqual(await recordsOf(tenantId), records)) {
    await store.postpone(tenantId, soon);
    return 'moving';
  }
  const nextCheckAt = answered || ownTime < soon ? ownTime : soon;
  const { differences, messages } = await store.record(tenantId, { observations, nextCheckAt }, traceparent);
  await deliver(messages);
  if (answered) {
    await takeInInstagram(records, services, traceparent);
    await lookAtIssues(records, services);
  }
  if (Object.keys(differences).length > 0) return 'differs';
  return Object.values(observations).every((seen) => seen === 'unknown') ? 'unknown' : 'same';
}

function differs(observations: Observations): boolean {
  return Object.values(observations).some((seen) => seen !== 'unknown' && seen.found !== seen.expected);
}
