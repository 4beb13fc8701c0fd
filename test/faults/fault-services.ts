/**
 * What a test of an onboarding's faults runs on: Google's services, Meta, one clock, and tenants in a clean world. Two things
 * provide it: `in-process-services.ts`, at a fifth of the cost, and `wire-services.ts` for what only shows over a network.
 */
import type { Firestore } from '@google-cloud/firestore';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import type { EmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import type { EmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import { seed } from '../simulator/seed.ts';
import type { Simulator } from '../simulator/server.ts';
import { seedConnectedTenant } from './connected-tenant.ts';
import { OnboardingWorld } from './onboarding-world.ts';
import type { OnboardingWorldOptions } from './onboarding-world.ts';
import { acceptPageRequest, publishDnsRecord, userTokenOf } from './simulated-client.ts';

export const faultProjectId = 'kobi-faults';
/** When every clean world begins. */
export const epoch = '2026-11-23T10:00:00.000Z';

/** What a clean world may have of its own. */
export type WorldChoices = Pick<OnboardingWorldOptions, 'atCrossing' | 'onLogLine' | 'pathSetting'>;

/** What differs between the ways to provide them. */
export interface FaultParts {
  readonly firestore: Pick<EmbeddedFirestore, 'clear' | 'dump'>;
  readonly secretManager: Pick<EmbeddedSecretManager, 'clear' | 'dump'>;
  readonly simulator: Simulator;
  /** A client that no fault touches. */
  readonly db: Firestore;
  readonly clock: { now: Date };
  /** A reader that remembers nothing yet, as a new process has it. */
  readonly openSecrets: () => SecretStore & SecretVersions;
  /** How a process of the world reaches the services. */
  readonly perProcess: Pick<OnboardingWorldOptions, 'connect' | 'dispatcher' | 'openSecrets'>;
  close(): Promise<void>;
}

export interface FaultServices extends Omit<FaultParts, 'perProcess'> {
  /** Everything as new, and nobody there yet. */
  cleanWorld(choices?: WorldChoices): Promise<OnboardingWorld>;
  /** A clean world with a tenant that has just connected, and the message about it on its way. */
  connectedWorld(tenantId: string, choices?: WorldChoices & { tenant?: Partial<Tenant> }): Promise<OnboardingWorld>;
  /** The client consents once more in Facebook's dialog; the message about it is on its way. */
  consentAgain(world: OnboardingWorld, tenantId: string): Promise<void>;
}

export function faultServices({ perProcess, ...parts }: FaultParts): FaultServices {
  const { clock, db, firestore, openSecrets, secretManager, simulator } = parts;

  const cleanWorld: FaultServices['cleanWorld'] = async (choices = {}) => {
    firestore.clear();
    secretManager.clear();
    // Before the simulator: it takes the age of what it plants from this clock.
    clock.now = new Date(epoch);
    simulator.reset();
    const secrets = openSecrets();
    await secrets.add(secretName.appSecret, seed.appSecret, {});
    await secrets.add(secretName.parentToken, seed.parentSystemUserToken, {});
    const { appId, parentBusinessId, extendedCreditId } = seed;
    return new OnboardingWorld({
      ...choices,
      ...perProcess,
      db,
      graphUrl: simulator.url,
      kobi: { appId, parentBusinessId, extendedCreditId },
      clock,
      publishDns: (what) => publishDnsRecord(simulator.url, what),
      acceptPage: () => acceptPageRequest(simulator),
    });
  };

  const addUserToken = async (tenantId: string): Promise<string> =>
    openSecrets().add(secretName.userToken(tenantId), await userTokenOf(simulator.url), {});

  return {
    ...parts,
    cleanWorld,
    async connectedWorld(tenantId, { tenant, ...choices } = {}) {
      const world = await cleanWorld(choices);
      const facts = { slug: tenantId, domains: [new URL(seed.page.website).hostname], ...tenant };
      const userTokenVersion = await addUserToken(tenantId);
      const connection = { metaUserId: seed.user.id, pageId: seed.page.id, userTokenVersion };
      await seedConnectedTenant(db, facts, connection, clock.now);
      world.connect(tenantId);
      return world;
    },
    async consentAgain(world, tenantId) {
      await world.connectAgain(tenantId, await addUserToken(tenantId));
    },
  };
}
