import type { Firestore, Transaction } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { OutboxMessage, Run, StepRecord, Tenant } from '../contracts/documents.ts';
import { consequencesOfChange, consequencesOfConnection, consequencesOfRequest, movesOf } from '../domain/reopening.ts';
import type { Consequences, Move, reopenableSteps } from '../domain/reopening.ts';
import { stepNames } from '../domain/provisioning-steps.ts';
import type { StepName } from '../domain/provisioning-steps.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import { RunDocuments } from './run-documents.ts';
import type { RunDocumentsOptions, StepRef } from './run-documents.ts';

/** The facts that may change over a tenant's life. */
export type TenantChange = Partial<Pick<Tenant, 'name' | 'planId' | 'skus' | 'domains' | 'domainVerification'>>;

/** What became of the steps: by step, the state it has now. */
export type MovedSteps = Readonly<Partial<Record<StepName, StepRecord['state']>>>;

export type Changed =
  | {
      readonly kind: 'changed';
      readonly before: TenantChange;
      readonly after: TenantChange;
      readonly steps: MovedSteps;
      readonly messages: OutboxMessage[];
    }
  | { readonly kind: 'unknown-tenant' }
  /** A tenant in this status is not changed any more. */
  | { readonly kind: 'not-changeable'; readonly status: Tenant['status'] };

const changeable: readonly Tenant['status'][] = ['created', 'terms-accepted', 'provisioning', 'live', 'cancelled'];

/**
 * Changes to a tenant whose run is under way or over. The fact, the steps it opens again, the audit entries and the
 * messages are one transaction; the steps then bring the fact to Meta, as resumable as the first time. A live tenant
 * stays live meanwhile: events and ads go on.
 */
export class TenantChanges {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #run: RunDocuments;

  constructor(options: RunDocumentsOptions) {
    this.#db = options.db;
    this.#now = options.now;
    this.#run = new RunDocuments(options);
  }

  /** Changes the facts that differ, and opens again what they concern. The same change again changes nothing. */
  async change(
    tenantId: string,
    wanted: TenantChange,
    reason: string,
    actor: string,
    traceparent: string,
  ): Promise<Changed> {
    return this.#db.runTransaction(async (transaction): Promise<Changed> => {
      const tenantRef = this.#db.doc(paths.tenant(tenantId));
      const tenant = readDocument(await transaction.get(tenantRef), tenantSchema);
      if (tenant === undefined) return { kind: 'unknown-tenant' };
      if (!changeable.includes(tenant.status)) return { kind: 'not-changeable', status: tenant.status };
      const fields = (Object.keys(wanted) as (keyof TenantChange)[]).filter(
        (field) => wanted[field] !== undefined && JSON.stringify(wanted[field]) !== JSON.stringify(tenant[field]),
      );
      const before = only(tenant, fields);
      const after = only(wanted, fields);
      if (fields.length === 0) return { kind: 'changed', before, after, steps: {}, messages: [] };
      const next: Tenant = { ...tenant, ...after };
      let isHandedOver = false;
      const opened = await this.#openRuns(transaction, runsOf(tenant), (run, records) => {
        // From then on the account that is replaced is closed, and stays so.
        if (run.runId === tenant.currentRunId) isHandedOver = hasBegun(records, 'migrate-fallback');
        else if (isHandedOver) return undefined;
        const done = new Set(records.flatMap(({ state, step }) => (state === 'done' ? [step] : [])));
        return consequencesOfChange(tenant, next, { path: run.path, done });
      });
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      transaction.update(tenantRef, { ...after });
      const { messages, steps } = this.#write(transaction, opened, { actor, because: reason, traceparent });
      const detail = { reason, before, after, steps };
      audit.append({ at: this.#now().toISOString(), actor, action: 'tenant-changed', subject: tenantId, detail });
      return { kind: 'changed', before, after, steps, messages };
    });
  }

  /**
   * Takes in that the client connected again, once for each connection: however often it is told, and in whatever order.
   * Nothing when the tenant has no run that could take it in.
   */
  async reconnected(
    tenantId: string,
    connection: number,
    traceparent: string,
  ): Promise<{ readonly steps: MovedSteps; readonly messages: OutboxMessage[] }> {
    return this.#db.runTransaction(async (transaction) => {
      const tenant = readDocument(await transaction.get(this.#db.doc(paths.tenant(tenantId))), tenantSchema);
      if (tenant?.connection == null || tenant.currentRunId === null) return { steps: {}, messages: [] };
      const opened = await this.#openRuns(transaction, [[tenantId, tenant.currentRunId]], (run, records) => {
        if (run.connection >= connection) return undefined;
        const waiting = records.filter(({ state, wait }) => state === 'waiting' && wait?.on === 'client');
        const link = records.find(({ step }) => step === 'link-page-and-instagram');
        return consequencesOfConnection(tenant, run.path, {
          waitingOnClient: waiting.map(({ step }) => step),
          isLinkWanted: link?.state !== 'skipped',
        });
      });
      // Steps read the newest connection, so that is the one taken in.
      for (const { ref } of opened) transaction.update(ref, { connection: tenant.connection.number });
      return this.#write(transaction, opened, { actor: 'client', because: `connection ${connection}`, traceparent });
    });
  }

  /** Has one step looked at again, by a person's decision. Undefined when its run was cancelled or is not there. */
  async reopen(
    { runId, step, tenantId }: StepRef & { readonly step: (typeof reopenableSteps)[number] },
    reason: string,
    actor: string,
    traceparent: string,
  ): Promise<{ readonly steps: MovedSteps; readonly messages: OutboxMessage[] } | undefined> {
    return this.#db.runTransaction(async (transaction) => {
      const opened = await this.#openRuns(transaction, [[tenantId, runId]], () => consequencesOfRequest(step));
      if (opened.length === 0) return undefined;
      return this.#write(transaction, opened, { actor, because: reason, traceparent });
    });
  }

  /** Reads runs with all their steps and decides the moves; cancelled runs, and those without consequences, are left out. */
  async #openRuns(
    transaction: Transaction,
    runs: readonly (readonly [tenantId: string, runId: string])[],
    consequencesFor: (run: Run, records: readonly StepRecord[]) => Consequences | undefined,
  ): Promise<OpenedRun[]> {
    const opened: OpenedRun[] = [];
    for (const [tenantId, runId] of runs) {
      const ref = this.#db.doc(paths.run(tenantId, runId));
      const [runSnapshot, ...snapshots] = await transaction.getAll(
        ref,
        ...stepNames.map((step) => this.#run.doc({ tenantId, runId, step })),
      );
      const run = runSnapshot && readDocument(runSnapshot, runSchema);
      if (run === undefined || run.state === 'cancelled') continue;
      const records = snapshots.flatMap((snapshot) => readDocument(snapshot, stepSchema) ?? []);
      const consequences = consequencesFor(run, records);
      if (consequences === undefined) continue;
      const moves = movesOf(new Map(records.map(({ step, state }) => [step, state])), consequences);
      const steps = [];
      for (const record of records) {
        const move = moves.get(record.step);
        if (move === undefined) continue;
        const audit = await this.#run.auditStream(transaction, { tenantId, runId, step: record.step });
        steps.push({ record, move, audit });
      }
      opened.push({ ref, steps });
    }
    return opened;
  }

  #write(
    transaction: Transaction,
    opened: readonly OpenedRun[],
    { actor, because, traceparent }: { actor: string; because: string; traceparent: string },
  ): { steps: MovedSteps; messages: OutboxMessage[] } {
    const at = this.#now().toISOString();
    const messages: OutboxMessage[] = [];
    const moved: Partial<Record<StepName, StepRecord['state']>> = {};
    for (const { ref, steps } of opened) {
      for (const { record, move, audit } of steps) {
        const isStarted = move.to === 'queued' && move.from !== 'queued';
        const next = movedStep(record, move, { at, because, wakeAt: this.#run.leaseFromNow() });
        transaction.set(this.#run.doc(record), next);
        if (isStarted)
          messages.push(this.#run.start(transaction, record, 'reopened', next.fence, traceparent, ref.path));
        const action = move.reopened ? 'reopened' : move.to === 'skipped' ? 'dismissed' : 'started';
        const detail = { because, from: move.from, to: move.to, effects: move.reopened?.effects ?? [] };
        audit.append({ at, actor, action, subject: record.step, detail });
        moved[record.step] = move.to;
      }
    }
    return { steps: moved, messages };
  }
}

interface OpenedRun {
  readonly ref: FirebaseFirestore.DocumentReference;
  readonly steps: readonly {
    readonly record: StepRecord;
    readonly move: Move;
    readonly audit: Awaited<ReturnType<typeof openAuditStream>>;
  }[];
}

/** The step as a change leaves it. What it produced stays in force until it has produced something else. */
function movedStep(
  record: StepRecord,
  { from, reopened, to }: Move,
  { at, because, wakeAt }: { at: string; because: string; wakeAt: string },
): StepRecord {
  const effects = [...new Set([...(record.reopened?.effects ?? []), ...(reopened?.effects ?? [])])];
  const again = reopened ? { at, because, effects } : record.reopened;
  if (from === to) return { ...record, reopened: again };
  const moved = { ...record, state: to, fence: record.fence + 1, lease: null, retries: 0, reopened: again } as const;
  if (to === 'queued') return { ...moved, reason: null, wakeAt, finishedAt: null };
  if (to === 'skipped') return { ...moved, reason: because, wait: null, wakeAt: null, finishedAt: at, reopened: null };
  return { ...moved, reason: null, wakeAt: null, finishedAt: null };
}

/** The runs a change concerns: the newest, and the one that made what is in use, should another be replacing it. */
function runsOf({ assets, currentRunId, tenantId }: Tenant): [string, string][] {
  const runIds = new Set([currentRunId, assets?.runId].flatMap((runId) => runId ?? []));
  return [...runIds].map((runId) => [tenantId, runId]);
}

function hasBegun(records: readonly StepRecord[], name: StepName): boolean {
  const record = records.find(({ step }) => step === name);
  return record !== undefined && record.state !== 'pending' && record.state !== 'skipped';
}

function only(facts: TenantChange, fields: readonly (keyof TenantChange)[]): TenantChange {
  return Object.fromEntries(fields.map((field) => [field, facts[field]]));
}
