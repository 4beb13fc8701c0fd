import * as v from 'valibot';
import { relayKeyPurposes } from '../../../shared/contracts/relay-documents.ts';
import type { RelayKey } from '../../../shared/contracts/relay-documents.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpCall, HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant, tenantIdOf } from './known-tenant.ts';
import { eventNamesRule } from './relay-settings-fields.ts';
import type { TenantServices } from './services.ts';

const keyFields = {
  purpose: { schema: v.picklist(relayKeyPurposes), expected: relayKeyPurposes },
  events: eventNamesRule,
} as const;

const maxOverlapHours = 30 * 24;
const rotateFields = {
  overlapHours: {
    schema: v.pipe(v.number(), v.minValue(0), v.maxValue(maxOverlapHours)),
    expected: [`hours in which both keys work, 0 to ${maxOverlapHours}`],
  },
} as const;

/** `GET /tenants/{tenant}/relay-keys`: what there is, newest first; neither keys nor their hashes. */
export function listRelayKeys({
  tenants,
  relayKeys,
}: Pick<TenantServices, 'tenants' | 'relayKeys'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const keys = await relayKeys.list(tenantId);
    return jsonAnswer(200, { relayKeys: keys.map(shownKey) });
  };
}

function shownKey({ relayKeyId, purpose, events, createdAt, createdBy, notAfter, revokedAt }: RelayKey): object {
  return { relayKeyId, purpose, events, createdAt, createdBy, notAfter, revokedAt };
}

/**
 * `POST /tenants/{tenant}/relay-keys`: 201 with a new key, shown this once; only its hash is kept. `events`, when given,
 * are the only ones it may send.
 */
export function issueRelayKey({
  tenants,
  relayKeys,
  randomBytes,
}: Pick<TenantServices, 'tenants' | 'relayKeys' | 'randomBytes'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const { purpose, events } = readFields(withEvents(jsonBody(call)), keyFields);
    const parts = makeRelayKey(randomBytes(8), randomBytes(32));
    const { relayKeyId, createdAt } = await relayKeys.issue(tenantId, { purpose, events }, parts, call.caller);
    call.log.info({ tenantId, relayKeyId, purpose }, 'relay key issued');
    return jsonAnswer(201, { relayKeyId, key: parts.key, purpose, events, createdAt });
  };
}

/** A body that says nothing of events means all of them. */
function withEvents(body: unknown): unknown {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { events: null, ...body } : body;
}

/**
 * `POST /tenants/{tenant}/relay-keys/{relayKey}/rotate`: 201 with a successor of the same purpose and events, shown this
 * once. Both work until the overlap is over, so that a sender changes its key without losing an event.
 */
export function rotateRelayKey({
  relayKeys,
  randomBytes,
  now,
}: Pick<TenantServices, 'relayKeys' | 'randomBytes' | 'now'>): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = tenantIdOf(call);
    const relayKeyId = relayKeyIdOf(call);
    const { overlapHours } = readFields(jsonBody(call), rotateFields);
    const parts = makeRelayKey(randomBytes(8), randomBytes(32));
    const notAfter = new Date(now().getTime() + overlapHours * 3_600_000).toISOString();
    const rotated = await relayKeys.rotate(tenantId, relayKeyId, notAfter, parts, call.caller);
    if (rotated === undefined) throw unknownRelayKey();
    if (rotated === 'ended') {
      throw new HttpProblem(409, 'relay-key-ended', 'This key no longer works; issue a new one instead.');
    }
    const { old, successor } = rotated;
    call.log.info({ tenantId, relayKeyId, successor: successor.relayKeyId }, 'relay key rotated');
    return jsonAnswer(201, {
      relayKeyId: successor.relayKeyId,
      key: parts.key,
      purpose: successor.purpose,
      events: successor.events,
      createdAt: successor.createdAt,
      replaces: { relayKeyId, notAfter: old.notAfter },
    });
  };
}

/** `DELETE /tenants/{tenant}/relay-keys/{relayKey}`: ends the key, everywhere within five seconds. Repeatable. */
export function revokeRelayKey({ relayKeys }: Pick<TenantServices, 'relayKeys'>): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = tenantIdOf(call);
    const relayKeyId = relayKeyIdOf(call);
    const revoked = await relayKeys.revoke(tenantId, relayKeyId, call.caller);
    if (revoked === undefined) throw unknownRelayKey();
    call.log.info({ tenantId, relayKeyId }, 'relay key revoked');
    return jsonAnswer(200, { relayKeyId, purpose: revoked.purpose, revokedAt: revoked.revokedAt });
  };
}

/** The key id in the path. What cannot be one never becomes part of a document path. @throws HttpProblem 404 */
function relayKeyIdOf(call: Pick<HttpCall, 'param'>): string {
  const relayKeyId = call.param('relayKey');
  if (!/^[0-9a-f]{16}$/.test(relayKeyId)) throw unknownRelayKey();
  return relayKeyId;
}

function unknownRelayKey(): HttpProblem {
  return new HttpProblem(404, 'unknown-relay-key', 'This tenant has no relay key with this id.');
}
