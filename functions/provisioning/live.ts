import { randomBytes } from 'node:crypto';
import { cloudEvent } from '@google-cloud/functions-framework';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { openSecrets } from '../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { createReadinessReader } from '../../shared/gcp/readiness-reader.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import { StepStore } from '../../shared/gcp/step-store.ts';
import { createTaskQueue } from '../../shared/gcp/task-queue.ts';
import { TenantChanges } from '../../shared/gcp/tenant-changes.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { askPermit } from '../../shared/runtime/call-permit.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { delayedRetry, delayedRetryQueue } from '../../shared/runtime/delayed-retry.ts';
import { graphCallLogger } from '../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { stepFunction } from '../../shared/runtime/step-function.ts';
import type { StepDependencies } from '../../shared/runtime/step-function.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
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
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const tasks = createTaskQueue({
    projectId,
    location: config.FUNCTION_REGION,
    queue: delayedRetryQueue,
    serviceAccountEmail: config.TASKS_SERVICE_ACCOUNT,
    emulatorHost: config.CLOUD_TASKS_EMULATOR_HOST,
  });
  const runs = { db, outbox, now, leaseMs: config.STEP_LEASE_MS };
  const graph = createGraphClient({
    baseUrl: config.META_GRAPH_URL,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    onCall: graphCallLogger(log),
    beforeCall: askPermit,
  });
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
      retryAt: delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName }),
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
