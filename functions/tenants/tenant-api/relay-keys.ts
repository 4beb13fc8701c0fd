import * as v from 'valibot';
import { relayKeyPurposes } from '../../../shared/contracts/relay-documents.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant, tenantIdOf } from './known-tenant.ts';
import type { TenantServices } from './services.ts';

const keyFields = {
  purpose: { schema: v.picklist(relayKeyPurposes), expected: relayKeyPurposes },
} as const;

/** `POST /tenants/{tenant}/relay-keys`: 201 with a new key, shown this once; only its hash is kept. */
export function issueRelayKey({
  tenants,
  relayKeys,
  randomBytes,
}: Pick<TenantServices, 'tenants' | 'relayKeys' | 'randomBytes'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const { purpose } = readFields(jsonBody(call), keyFields);
    const parts = makeRelayKey(randomBytes(8), randomBytes(32));
    const { relayKeyId, createdAt } = await relayKeys.issue(tenantId, purpose, parts, call.caller);
    call.log.info({ tenantId, relayKeyId, purpose }, 'relay key issued');
    return jsonAnswer(201, { relayKeyId, key: parts.key, purpose, createdAt });
  };
}

/** `DELETE /tenants/{tenant}/relay-keys/{relayKey}`: ends the key. Repeatable. */
export function revokeRelayKey({ relayKeys }: Pick<TenantServices, 'relayKeys'>): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = tenantIdOf(call);
    const relayKeyId = call.param('relayKey');
    const revoked = /^[0-9a-f]{16}$/.test(relayKeyId)
      ? await relayKeys.revoke(tenantId, relayKeyId, call.caller)
      : undefined;
    if (revoked === undefined) {
      throw new HttpProblem(404, 'unknown-relay-key', 'This tenant has no relay key with this id.');
    }
    call.log.info({ tenantId, relayKeyId }, 'relay key revoked');
    return jsonAnswer(200, { relayKeyId, purpose: revoked.purpose, revokedAt: revoked.revokedAt });
  };
}
