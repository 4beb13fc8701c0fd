import type { OutboxMessage, Tenant } from '../../../shared/contracts/documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import type { PathSetting } from '../../../shared/domain/provisioning-path.ts';
import type { StepName } from '../../../shared/domain/provisioning-steps.ts';
import type { RunControl } from '../../../shared/gcp/run-control.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';

export interface StartRunDependencies {
  readonly steps: Pick<RunControl, 'openRun' | 'readRun' | 'readSteps' | 'wake' | 'deliverLeftByRun'>;
  /** `PROVISIONING_PATH` */
  readonly pathSetting: PathSetting;
  readonly readTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
}

/**
 * A client connected: opens the tenant's run, or, when one is already open, wakes the steps that were waiting for the
 * client to connect again. After a cancelled run a new connection opens another, one made before it does not. The same
 * connection delivered twice opens one run. (Document, "2-Tier onboarding flow" 2.)
 */
export function startRun(dependencies: StartRunDependencies) {
  return async (envelope: Envelope<'tenant-connected'>, log: Logger): Promise<Outcome> => {
    const { steps, pathSetting, readTenant, deliver } = dependencies;
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
    const woken: StepName[] = [];
    for (const record of await steps.readSteps(tenantId, tenant.currentRunId)) {
      if (record.state !== 'waiting' || record.wait?.on !== 'client') continue;
      const ref = { tenantId, runId: tenant.currentRunId, step: record.step };
      const messages = await steps.wake(ref, 'redrive', 'start-run', traceparent);
      await deliver(messages);
      if (messages.length > 0) woken.push(record.step);
    }
    log.info({ runId: tenant.currentRunId, woken }, 'client connected again');
    return { kind: 'done' };
  };
}
