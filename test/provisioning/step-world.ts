/**
 * One provisioning step at a time against the simulator: the real behaviour, the real Graph client, and the objects that
 * earlier steps would have made, made by their own behaviours. What surrounds a step (leases, retries) is left out; that
 * is `shared/runtime/step-function.test.ts`.
 */
import { randomBytes } from 'node:crypto';
import { recordConsent } from '../../functions/provisioning/01-record-consent/record-consent.ts';
import { createChildBusinessStep } from '../../functions/provisioning/02-create-child-business/create-child-business.ts';
import { createSystemUser } from '../../functions/provisioning/03-create-system-user/create-system-user.ts';
import { shareCreditLineStep } from '../../functions/provisioning/03b-share-credit-line/share-credit-line.ts';
import { createAdAccountStep } from '../../functions/provisioning/04-create-ad-account/create-ad-account.ts';
import { createPixelStep } from '../../functions/provisioning/05-create-pixel/create-pixel.ts';
import type { ProvisioningServices, StepFactory } from '../../functions/provisioning/services.ts';
import type { Readiness, Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { StepName, StepProducts } from '../../shared/domain/provisioning-steps.ts';
import type { SecretStore } from '../../shared/gcp/secret-store.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { StepContext, StepResult } from '../../shared/runtime/step-function.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { lookUpTxtIn, userTokenOf } from '../faults/simulated-client.ts';
import type { ConsentChoices } from '../faults/simulated-client.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import type { Switches } from '../simulator/switches.ts';
import { tokenMintOn } from '../tokens/token-mint-in-memory.ts';

const now = (): Date => new Date('2026-11-23T10:00:00.000Z');

/** Every step that others build on, in an order that works. */
const foundations = {
  'record-consent': recordConsent,
  'create-child-business': createChildBusinessStep,
  'create-system-user': createSystemUser,
  'share-credit-line': shareCreditLineStep,
  'create-ad-account': createAdAccountStep,
  'create-pixel': createPixelStep,
} as const;
type Foundation = keyof typeof foundations;

export interface StepWorld {
  readonly simulator: Simulator;
  readonly tenant: Tenant;
  readonly secrets: Map<string, string>;
  readonly readiness: { -readonly [Key in keyof Readiness]: Readiness[Key] };
  /** Which effects were created rather than found, in order. */
  readonly created: string[];
  /** Runs a step; throws what the behaviour throws. */
  run<Step extends StepName>(step: Step, factory: StepFactory<Step>): Promise<StepResult<Step>>;
  /** Runs a step again as the next attempt would: what earlier attempts did is remembered. */
  rerun<Step extends StepName>(step: Step, factory: StepFactory<Step>): Promise<StepResult<Step>>;
  /** Runs the steps up to and including this one. */
  prepare(upTo: Foundation): Promise<void>;
  close(): Promise<void>;
}

/** A fresh Meta, and a tenant whose client has just consented. */
export async function startStepWorld(
  options: { switches?: Partial<Switches>; consent?: ConsentChoices; tenant?: Partial<Tenant> } = {},
): Promise<StepWorld> {
  const simulator = await startSimulator({ now, ...(options.switches && { switches: options.switches }) });
  const tenant = tenantOf(options.tenant);
  const values = new Map([
    [secretName.appSecret, seed.appSecret],
    [secretName.parentToken, seed.parentSystemUserToken],
    [secretName.userToken(tenant.tenantId), await userTokenOf(simulator.url, seed.user.id, options.consent)],
  ]);
  const secrets = secretsIn(values);
  const readiness = { pre2: true, pre8: true, pre10: true };
  const credentials = createTenantCredentials({ secrets });
  const graph = createGraphClient({
    baseUrl: simulator.url,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    sleep: async () => undefined,
  });
  const services: ProvisioningServices = {
    graph,
    credentials,
    secrets,
    systemTokens: tokenMintOn(secrets, values, { graph, credentials, appId: seed.appId, now }),
    kobi: {
      appId: seed.appId,
      parentBusinessId: seed.parentBusinessId,
      extendedCreditId: seed.extendedCreditId,
    },
    readiness: async () => readiness,
    lookUpTxt: lookUpTxtIn(simulator.url),
    randomBytes: (size) => randomBytes(size),
  };
  const products: Partial<StepProducts> = {};
  const created: string[] = [];
  const remembered = new Map<StepName, Map<string, unknown>>();
  const world: StepWorld = {
    simulator,
    tenant,
    secrets: values,
    readiness,
    created,
    async run(step, factory) {
      remembered.delete(step);
      return world.rerun(step, factory);
    },
    async rerun(step, factory) {
      const effects = remembered.get(step) ?? new Map<string, unknown>();
      remembered.set(step, effects);
      const result = await factory(services)(contextOf(tenant, products, created, effects));
      Object.assign(products, { [step]: result.products });
      return result;
    },
    async prepare(upTo) {
      for (const [step, factory] of Object.entries(foundations)) {
        await world.run(step as Foundation, factory);
        if (step === upTo) return;
      }
    },
    async close() {
      await graph.close();
      await simulator.close();
    },
  };
  return world;
}

function contextOf<Step extends StepName>(
  tenant: Tenant,
  products: Partial<StepProducts>,
  created: string[],
  effects: Map<string, unknown>,
): StepContext<Step> {
  return {
    tenant,
    run: {
      runId: 'run-1',
      tenantId: tenant.tenantId,
      path: 'two-tier',
      state: 'running',
      sagaVersion: 1,
      startedAt: now().toISOString(),
      finishedAt: null,
      connection: 1,
      cancellation: null,
    },
    log: createLogger({ level: 'silent', functionName: 'test' }),
    now,
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    productIfAny: (need) => products[need],
    product: (need) => {
      const product = products[need];
      if (product === undefined) throw new Error(`${need} was not prepared`);
      return product;
    },
    hasActed: effects.size > 0,
    async ensure(effect) {
      const done = effects.get(effect.name) as Awaited<ReturnType<typeof effect.create>> | undefined;
      if (done !== undefined) return done;
      let result = await effect.find(undefined);
      if (result === undefined) {
        created.push(effect.name);
        result = await effect.create();
      }
      effects.set(effect.name, result);
      return result;
    },
  };
}

function secretsIn(values: Map<string, string>): SecretStore {
  return {
    latest: async (secretId) => {
      const value = values.get(secretId);
      return value === undefined ? undefined : { version: '1', value };
    },
    add: async (secretId, value) => (values.set(secretId, value), '1'),
    destroyAll: async (secretId) => void values.delete(secretId),
    forget: () => undefined,
    close: async () => undefined,
  };
}

function tenantOf(changes: Partial<Tenant> = {}): Tenant {
  const at = now().toISOString();
  return {
    tenantId: 'acme-shop',
    slug: 'acme-shop',
    name: 'Acme Shop',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: ['ecommerce', 'crm'],
    domainVerification: 'auto',
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    domains: [new URL(seed.page.website).hostname],
    status: 'provisioning',
    createdAt: at,
    createdBy: 'test',
    terms: { tos: true, dataSharing: true, acceptedBy: 'owner', acceptedAt: at },
    connection: { number: 1, metaUserId: seed.user.id, pageId: seed.page.id, userTokenVersion: '1', connectedAt: at },
    currentRunId: 'run-1',
    ...changes,
  };
}
