import { setTimeout as delay } from 'node:timers/promises';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { PersonStore } from '../../../shared/gcp/person-store.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { createRelayHeldReader } from '../../../shared/gcp/relay-held.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { TokenLease } from '../../../shared/gcp/token-lease.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
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
  const { credentials, db, graph, log, now, secrets } = liveMeta(functionName, config);
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
