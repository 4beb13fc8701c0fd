import { Outbox } from '../../../shared/gcp/outbox.ts';
import { PathChange } from '../../../shared/gcp/path-change.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { ReadinessStore } from '../../../shared/gcp/readiness-store.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
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
  let accessTier: string | undefined;
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config, {
    onCall: ({ usage }) => {
      accessTier = usage.find((row) => row.accessTier !== undefined)?.accessTier ?? accessTier;
    },
  });
  const outbox = new Outbox(db, createPublisher(projectId));
  const runs = { db, outbox, now, leaseMs: config.STEP_LEASE_MS };
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
