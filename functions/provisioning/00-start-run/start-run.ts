import type { OutboxMessage, Tenant } from '../../../shared/contracts/documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import type { PathSetting } from '../../../shared/domain/provisioning-path.ts';
import type { RunControl } from '../../../shared/gcp/run-control.ts';
import type { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';

export interface StartRunDependencies {
  readonly steps: Pick<RunControl, 'openRun' | 'readRun' | 'deliverLeftByRun'>;
  readonly changes: Pick<TenantChanges, 'reconnected'>;
  /** `PROVISIONING_PATH` */
  readonly pathSetting: PathSetting;
  readonly readTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
}

/**
 * A client connected: opens the tenant's run, or, when there is one, takes the new connection in: the consent is checked
 * anew, the Page and Instagram are linked, and what waited for the client goes on; all else stands. After a cancelled run a new connection opens another, one made before it does not. The same
 * connection delivered twice opens one run. (Document, "2-Tier onboarding flow" 2.)
 */
export function startRun(dependencies: StartRunDependencies) {
  return async (envelope: Envelope<'tenant-connected'>, log: Logger): Promise<Outcome> => {
    const { changes, steps, pathSetting, readTenant, deliver } = dependencies;
    const { tenantId, traceparent } = envelope;
    const tenant = await readTenant(tenantId);
    if (tenant === undefined) {
      log.error('connected tenant does not exist, acknowledged');
      return { kind: 'done' };
    }
    const run = tenant.currentRunId === null ? undefined : await steps.readRun(tenantId, tenant.currentRunId);
    if (run?.state === 'cancelled' && envelope.at <= (run.cancellation?.at ?? '')) {
      log.info({ runId: run.runId }, 'connected before the run was cancelled, nothing to do');
      return { kind: 'done' };
    }
    if (tenant.currentRunId === null || run?.state === 'cancelled') {
      const runId = `run-${envelope.data.connection}`;
      await deliver(await steps.openRun(tenantId, runId, pathSetting, traceparent));
      log.info({ runId }, 'run opened');
      return { kind: 'done' };
    }
    await steps.deliverLeftByRun(tenantId, tenant.currentRunId);
    const { messages, steps: moved } = await changes.reconnected(tenantId, envelope.data.connection, traceparent);
    await deliver(messages);
    log.info({ runId: tenant.currentRunId, moved }, 'client connected again');
    return { kind: 'done' };
  };
}
