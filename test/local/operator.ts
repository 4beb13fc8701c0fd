/** The operator at the tenants API, with the development token. */
import * as v from 'valibot';
import { stepStates } from '../../shared/contracts/documents.ts';
import { stepNames, waitParties } from '../../shared/domain/provisioning-steps.ts';
import { operatorToken } from './gateway.ts';

const waitSchema = v.object({ on: v.picklist(waitParties), for: v.string(), what: v.string(), since: v.string() });

const tenantSchema = v.object({
  tenantId: v.string(),
  status: v.string(),
  steps: v.array(
    v.object({
      name: v.picklist(stepNames),
      title: v.string(),
      state: v.picklist(stepStates),
      finishedAt: v.nullable(v.string()),
      ms: v.nullable(v.number()),
      wait: v.optional(waitSchema),
      reason: v.optional(v.string()),
    }),
  ),
  waits: v.array(v.object({ ...waitSchema.entries, step: v.string() })),
  operatedWith: v.nullable(
    v.object({ operator: v.string(), businessId: v.string(), adAccountId: v.string(), datasetId: v.string() }),
  ),
  connectUrl: v.optional(v.string()),
  produced: v.record(v.string(), v.unknown()),
});

export type TenantView = v.InferOutput<typeof tenantSchema>;

export interface NewTenant {
  readonly slug: string;
  readonly name: string;
  readonly planId: string;
  readonly vertical: string;
  readonly skus: readonly string[];
  readonly country: string;
  readonly currency: string;
  readonly timezone: string;
  readonly domains: readonly string[];
}

export class Operator {
  readonly #url: string;

  /** @param hostUrl `http://127.0.0.1:PORT`, before `/tenant-api` */
  constructor(hostUrl: string) {
    this.#url = `${hostUrl}/tenant-api`;
  }

  async createTenant(tenant: NewTenant): Promise<string> {
    return v.parse(v.object({ tenantId: v.string() }), await this.#ask('POST', '/tenants', tenant)).tenantId;
  }

  /** Records the client's acceptance; returns the address at which the client connects Meta. */
  async acceptTerms(tenantId: string, acceptedBy: string): Promise<string> {
    const body = { tos: true, dataSharing: true, acceptedBy };
    const answer = await this.#ask('POST', `/tenants/${tenantId}/terms`, body);
    return v.parse(v.object({ connectUrl: v.string() }), answer).connectUrl;
  }

  async tenant(tenantId: string): Promise<TenantView> {
    return v.parse(tenantSchema, await this.#ask('GET', `/tenants/${tenantId}`));
  }

  async retryStep(tenantId: string, step: string): Promise<void> {
    await this.#ask('POST', `/tenants/${tenantId}/steps/${step}/retry`);
  }

  /** Says what Meta cannot tell: whether the 2-Tier API is granted. */
  async setPre10(pre10: boolean): Promise<void> {
    await this.#ask('PATCH', '/readiness', { pre10, reason: 'what Meta wrote' });
  }

  /** What of the tenant's audit trail is not as it was written. */
  async auditProblems(tenantId: string): Promise<string[]> {
    const answer = await this.#ask('GET', `/tenants/${tenantId}/audit/verify`);
    return v.parse(v.object({ problems: v.array(v.string()) }), answer).problems;
  }

  async relayKey(tenantId: string, purpose: 'server' | 'browser' | 'crm'): Promise<string> {
    const answer = await this.#ask('POST', `/tenants/${tenantId}/relay-keys`, { purpose });
    return v.parse(v.object({ key: v.string() }), answer).key;
  }

  /** Lets pages of that origin use the browser script. */
  async allowOrigin(tenantId: string, origin: string): Promise<void> {
    await this.#ask('PATCH', `/tenants/${tenantId}/relay-settings`, { origins: [origin] });
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
