import { setTimeout as delay } from 'node:timers/promises';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { PersonStore } from '../../../shared/gcp/person-store.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { createRelayHeldReader } from '../../../shared/gcp/relay-held.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { TokenLease } from '../../../shared/gcp/token-lease.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { createTokenMint } from '../../../shared/runtime/token-mint.ts';
import type { TokenCheckDependencies } from './check-tokens.ts';

/** What token-check works with. */
export function liveTokenCheck(functionName: string): TokenCheckDependencies & { readonly slots: JobSlots } {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'META_GRAPH_URL',
    'META_APP_ID',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const graph = createGraphClient({
    baseUrl: config.META_GRAPH_URL,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    onCall: graphCallLogger(log),
  });
  const lease = new TokenLease({ db, now });
  const breaker = createRelayBreaker(db, { now });
  return {
    systemTokens: createTokenMint({ lease, secrets, graph, credentials, appId: config.META_APP_ID, now, breaker }),
    tenants: () => tenantsInPages(db),
    sleep: delay,
    persons: new PersonStore(db, now),
    lease,
    secrets,
    breaker,
    isHeld: createRelayHeldReader(db),
    log,
    now,
    slots: new JobSlots(db, now),
  };
}
