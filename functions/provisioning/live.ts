import { randomBytes } from 'node:crypto';
import { cloudEvent } from '@google-cloud/functions-framework';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { createReadinessReader } from '../../shared/gcp/readiness-reader.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import { StepStore } from '../../shared/gcp/step-store.ts';
import { TenantChanges } from '../../shared/gcp/tenant-changes.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { askPermit } from '../../shared/runtime/call-permit.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { liveMeta } from '../../shared/runtime/live-meta.ts';
import { liveRetry } from '../../shared/runtime/live-retry.ts';
import { stepFunction } from '../../shared/runtime/step-function.ts';
import type { StepDependencies } from '../../shared/runtime/step-function.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import { createTxtLookup } from '../../shared/runtime/txt-lookup.ts';
import type { StartRunDependencies } from './00-start-run/start-run.ts';
import type { ProvisioningServices, StepFactory } from './services.ts';

interface LiveProvisioning {
  readonly dependencies: StepDependencies;
  readonly services: ProvisioningServices;
  readonly runs: Omit<StartRunDependencies, 'pathSetting'>;
}

/** Everything a provisioning function works with, built on the first message and kept for the instance's life. */
export function liveProvisioning(functionName: string): LiveProvisioning {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'FUNCTION_REGION',
    'FUNCTION_BASE_URL',
    'TASKS_SERVICE_ACCOUNT',
    'META_GRAPH_URL',
    'META_APP_ID',
    'META_PARENT_BUSINESS_ID',
    'META_EXTENDED_CREDIT_ID',
    'STEP_LEASE_MS',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
    'CLOUD_TASKS_EMULATOR_HOST',
    'DNS_EMULATOR_HOST',
  ]);
  const { credentials, db, graph, log, now, projectId, secrets } = liveMeta(functionName, config, {
    beforeCall: askPermit,
  });
  const outbox = new Outbox(db, createPublisher(projectId));
  const runs = { db, outbox, now, leaseMs: config.STEP_LEASE_MS };
  return {
    runs: {
      steps: new RunControl(runs),
      changes: new TenantChanges(runs),
      readTenant: createTenantReader(db),
      deliver: (messages) => outbox.deliver(messages),
    },
    dependencies: {
      projectId,
      log,
      now,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: liveRetry(functionName, config),
      steps: new StepStore(runs),
      outbox,
    },
    services: {
      graph,
      credentials,
      secrets,
      systemTokens: createTokenMint({
        lease: new TokenLease({ db, now }),
        secrets,
        graph,
        credentials,
        appId: config.META_APP_ID,
        now,
        breaker: createRelayBreaker(db, { now }),
      }),
      kobi: {
        appId: config.META_APP_ID,
        parentBusinessId: config.META_PARENT_BUSINESS_ID,
        extendedCreditId: config.META_EXTENDED_CREDIT_ID,
      },
      readiness: createReadinessReader(db),
      lookUpTxt: createTxtLookup({ server: config.DNS_EMULATOR_HOST }),
      randomBytes: (size) => randomBytes(size),
    },
  };
}

/** Registers a provisioning step as the function of its name. Nothing is built before the first message. */
export function registerStep<Step extends StepName>(step: Step, factory: StepFactory<Step>): void {
  let live: ReturnType<typeof liveProvisioning> | undefined;
  const built = (): ReturnType<typeof liveProvisioning> => (live ??= liveProvisioning(step));
  cloudEvent(
    step,
    stepFunction(
      step,
      () => built().dependencies,
      (context) => factory(built().services)(context),
    ),
  );
}
