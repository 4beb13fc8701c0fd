import { cloudEvent } from '@google-cloud/functions-framework';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { closeRelay } from '../../shared/gcp/relay-door.ts';
import { TeardownStore } from '../../shared/gcp/teardown-store.ts';
import { eraseTenantDocuments } from '../../shared/gcp/tenant-erasure.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { liveMeta } from '../../shared/runtime/live-meta.ts';
import { liveRetry } from '../../shared/runtime/live-retry.ts';
import { pubsubFunction } from '../../shared/runtime/pubsub-function.ts';
import type { PubsubFunctionDependencies } from '../../shared/runtime/pubsub-function.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import { tearDown } from './tear-down.ts';
import type { TeardownServices } from './services.ts';
import type { TearDownDependencies } from './tear-down.ts';

interface LiveTeardown {
  readonly dependencies: PubsubFunctionDependencies;
  readonly tearDown: TearDownDependencies;
}

/** Everything a teardown works with, built on the first message and kept for the instance's life. */
function liveTeardown(functionName: string, eraseReports: TeardownServices['eraseReports']): LiveTeardown {
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
  ]);
  const { credentials, db, graph, log, now, projectId, secrets } = liveMeta(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  const lease = new TokenLease({ db, now });
  const teardowns = new TeardownStore({ db, now, leaseMs: config.STEP_LEASE_MS });
  return {
    dependencies: {
      projectId,
      log,
      now,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: liveRetry(functionName, config),
    },
    tearDown: {
      teardowns,
      deliverLeftBy: (teardownId) => outbox.deliverLeftBy(paths.teardown(teardownId)),
      services: {
        graph,
        credentials,
        secrets,
        systemTokens: createTokenMint({ lease, secrets, graph, credentials, appId: config.META_APP_ID, now }),
        facts: (tenantId) => teardowns.facts(tenantId),
        closeRelay: (tenantId, options) => closeRelay(db, tenantId, options),
        erase: (tenantId, options) => eraseTenantDocuments(db, tenantId, options),
        eraseReports,
        kobi: {
          appId: config.META_APP_ID,
          parentBusinessId: config.META_PARENT_BUSINESS_ID,
          extendedCreditId: config.META_EXTENDED_CREDIT_ID,
        },
        now,
      },
    },
  };
}

/**
 * Registers a teardown as the function of its topic. Nothing is built before the first message.
 *
 * @param eraseReports absent for one whose actions erase none, so that its account needs no right in the warehouse
 */
export function registerTeardown(
  topic: 'undo-run' | 'offboard-tenant',
  eraseReports: TeardownServices['eraseReports'] = () => Promise.reject(new Error(`${topic} erases no reports`)),
): void {
  let live: LiveTeardown | undefined;
  const built = (): LiveTeardown => (live ??= liveTeardown(topic, eraseReports));
  cloudEvent(
    topic,
    pubsubFunction(
      topic,
      () => built().dependencies,
      (envelope, log) => tearDown(built().tearDown)(envelope, log),
    ),
  );
}
