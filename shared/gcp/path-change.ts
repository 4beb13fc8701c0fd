import type { Firestore, Transaction } from '@google-cloud/firestore';
import { fallbackSlotsSchema, paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { FormerAssets, OutboxMessage, Run, StepRecord, Tenant } from '../contracts/documents.ts';
import { stepNames } from '../domain/provisioning-steps.ts';
import type { StepName, StepProducts } from '../domain/provisioning-steps.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import { RunDocuments } from './run-documents.ts';
import type { RunDocumentsOptions } from './run-documents.ts';

export interface PathChanged {
  /**
   * `migrating`: a live tenant's second run was opened beside what it is operated with. `restarted`: a tenant that has no
   * ad account on the parent yet goes on on the 2-Tier path. `not-yet`: it is on its way to an account there, and is
   * migrated once it is live. `nothing`: it is not on the fallback path, or already on its way off it.
   */
  readonly kind: 'migrating' | 'restarted' | 'not-yet' | 'nothing';
  readonly messages: readonly OutboxMessage[];
}

/**
 * Takes tenants off the fallback path when PRE-10 is granted. Each change is one transaction: the new run, the tenant's
 * pointer to it, the audit entry and the messages that start it. Asked twice, it happens once.
 */
export class PathChange {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #run: RunDocuments;

  constructor(options: RunDocumentsOptions) {
    this.#db = options.db;
    this.#now = options.now;
    this.#run = new RunDocuments(options);
  }

  /** Every tenant that ever took a slot on the parent business; at most five. */
  async fallbackTenants(): Promise<string[]> {
    const found = readDocument(await this.#db.doc(paths.fallbackSlots()).get(), fallbackSlotsSchema);
    return (found?.slots ?? []).map(({ tenantId }) => tenantId);
  }

  async toTwoTier(tenantId: string, actor: string, traceparent: string): Promise<PathChanged> {
    return this.#db.runTransaction(async (transaction): Promise<PathChanged> => {
      const tenant = readDocument(await transaction.get(this.#db.doc(paths.tenant(tenantId))), tenantSchema);
      const runId = tenant?.currentRunId ?? null;
      if (tenant === undefined || runId === null) return nothing;
      const run = readDocument(await transaction.get(this.#db.doc(paths.run(tenantId, runId))), runSchema);
      if (run?.path !== 'fallback' || run.state === 'cancelled') return nothing;
      const steps = await this.#steps(transaction, run);
      if (run.state === 'done') return this.#migrate(transaction, { tenant, run, steps, actor, traceparent });
      return this.#restart(transaction, { tenant, run, steps, actor, traceparent });
    });
  }

  async #migrate(transaction: Transaction, change: Change): Promise<PathChanged> {
    const { tenant, run, steps } = change;
    if (tenant.status !== 'live' || tenant.assets?.operator !== 'fallback') return nothing;
    const pixel = steps.get('create-pixel')?.products as StepProducts['create-pixel'] | undefined;
    if (pixel === undefined) return nothing;
    const { adAccountId } = tenant.assets;
    const migrates = { runId: run.runId, adAccountId, datasetId: pixel.datasetId, relayKeyId: pixel.relayKeyId };
    return { kind: 'migrating', messages: await this.#open(transaction, change, migrates) };
  }

  /** Only what is surely without an account may leave: the account could never be deleted, and would go on unused. */
  async #restart(transaction: Transaction, change: Change): Promise<PathChanged> {
    const { tenant, run, steps, actor } = change;
    const at = this.#now().toISOString();
    const hasAccount = steps.get('create-ad-account')?.effects['ad-account'] !== undefined;
    const isWorkedOn = [...steps.values()].some(({ state, lease }) => state === 'running' && (lease?.until ?? '') > at);
    if (hasAccount || isWorkedOn) return { kind: 'not-yet', messages: [] };
    const slotsRef = this.#db.doc(paths.fallbackSlots());
    const { slots } = readDocument(await transaction.get(slotsRef), fallbackSlotsSchema) ?? { slots: [] };
    const messages = await this.#open(transaction, change);
    const reason = 'PRE-10 was granted before it had an ad account on the parent business';
    const cancelled: Run = { ...run, state: 'cancelled', finishedAt: at, cancellation: { at, by: actor, reason } };
    transaction.set(this.#db.doc(paths.run(tenant.tenantId, run.runId)), cancelled);
    transaction.set(slotsRef, { slots: slots.filter(({ tenantId }) => tenantId !== tenant.tenantId) });
    for (const record of steps.values()) {
      if (record.state === 'done' || record.state === 'skipped') continue;
      transaction.set(this.#run.doc(record), this.#run.cancelledStep(record));
    }
    return { kind: 'restarted', messages };
  }

  /** Reads the audit trail's end, then only writes. */
  async #open(transaction: Transaction, change: Change, migrates?: FormerAssets): Promise<OutboxMessage[]> {
    const { tenant, run: former, actor, traceparent } = change;
    const { tenantId } = tenant;
    const at = this.#now().toISOString();
    const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
    const run: Run = {
      runId: `${former.runId}-two-tier`,
      tenantId,
      path: 'two-tier',
      ...(migrates && { migrates }),
      state: 'running',
      sagaVersion: 1,
      startedAt: at,
      finishedAt: null,
      connection: tenant.connection?.number ?? 1,
      cancellation: null,
    };
    const messages = this.#run.createRun(transaction, tenant, run, traceparent);
    transaction.update(this.#db.doc(paths.tenant(tenantId)), { currentRunId: run.runId });
    audit.append({
      at,
      actor,
      action: migrates ? 'migration-started' : 'path-changed',
      subject: run.runId,
      detail: { from: former.runId, ...migrates },
    });
    return messages;
  }

  async #steps(transaction: Transaction, { tenantId, runId }: Run): Promise<Map<StepName, StepRecord>> {
    const rows = await transaction.getAll(...stepNames.map((step) => this.#run.doc({ tenantId, runId, step })));
    return new Map(
      rows.flatMap((row) => {
        const record = readDocument(row, stepSchema);
        return record === undefined ? [] : [[record.step, record] as const];
      }),
    );
  }
}

interface Change {
  readonly tenant: Tenant;
  readonly run: Run;
  readonly steps: ReadonlyMap<StepName, StepRecord>;
  readonly actor: string;
  readonly traceparent: string;
}

const nothing: PathChanged = { kind: 'nothing', messages: [] };
