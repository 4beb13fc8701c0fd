import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { PathChange } from '../../../shared/gcp/path-change.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { ReadinessStore } from '../../../shared/gcp/readiness-store.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { askMeta } from './ask-meta.ts';
import type { CheckReadinessDependencies } from './check-readiness.ts';

/** What readiness-check works with. */
export function liveReadinessCheck(functionName: string): CheckReadinessDependencies {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'META_GRAPH_URL',
    'META_APP_ID',
    'META_PARENT_BUSINESS_ID',
    'META_EXTENDED_CREDIT_ID',
    'PROVISIONING_PATH',
    'STEP_LEASE_MS',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const runs = { db, outbox, now, leaseMs: config.STEP_LEASE_MS };
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const logCall = graphCallLogger(log);
  let accessTier: string | undefined;
  const graph = createGraphClient({
    baseUrl: config.META_GRAPH_URL,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    onCall: (call) => {
      logCall(call);
      accessTier = call.usage.find((usage) => usage.accessTier !== undefined)?.accessTier ?? accessTier;
    },
  });
  const kobi = {
    appId: config.META_APP_ID,
    parentBusinessId: config.META_PARENT_BUSINESS_ID,
    extendedCreditId: config.META_EXTENDED_CREDIT_ID,
  };
  return {
    readiness: new ReadinessStore(db, now),
    askMeta: async () => {
      const [parent, app] = [await credentials.parent(), await credentials.app(kobi.appId)];
      return askMeta({ graph, parent, app, kobi, accessTier: () => accessTier });
    },
    steps: new RunControl(runs),
    pathChange: new PathChange(runs),
    pathSetting: config.PROVISIONING_PATH,
    outbox,
    log,
    now,
  };
}
