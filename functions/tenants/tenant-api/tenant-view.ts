import type { StepRecord, Tenant } from '../../../shared/contracts/documents.ts';
import { stepDefinition } from '../../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../../shared/domain/provisioning-steps.ts';

export type ShownStatus = Tenant['status'] | 'waiting' | 'failed';

export interface ShownStep {
  readonly name: string;
  readonly title: string;
  readonly state: StepRecord['state'];
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** From first start to finish. */
  readonly ms: number | null;
  readonly wait?: Omit<ShownWait, 'step'>;
  readonly reason?: string;
}

export interface ShownWait {
  /** A step's name, or `terms` and `connect` before there is a run. */
  readonly step: string;
  readonly on: 'client' | 'meta' | 'kobi';
  readonly for: string;
  readonly what: string;
  readonly since: string;
  /** When the wait becomes a failure for a person to look at; null: never. */
  readonly expiresAt: string | null;
  /** When whoever must act is reminded next; null: not by us. */
  readonly remindAt: string | null;
  readonly remindersSent: number;
  /** Where the client says that it has acted; works once. Absent where there is no such link. */
  readonly resumeUrl?: string;
}

/** A tenant as operators and the portal see it. Ids and words only, never a token. */
export interface TenantView {
  readonly tenantId: string;
  readonly name: string;
  readonly planId: Tenant['planId'];
  readonly skus: Tenant['skus'];
  readonly domains: Tenant['domains'];
  readonly status: ShownStatus;
  readonly runId: string | null;
  /** With what it is operated at Meta, and by whom; null until it is live. During a migration the former stays here. */
  readonly operatedWith: Omit<NonNullable<Tenant['assets']>, 'runId'> | null;
  readonly steps: readonly ShownStep[];
  readonly waits: readonly ShownWait[];
  /** What is worth knowing although nobody has to act. */
  readonly notes: readonly string[];
  /** What all finished steps produced, merged. */
  readonly produced: Readonly<Record<string, unknown>>;
}

/** The resume link of each step that has one. */
export type ResumeUrls = ReadonlyMap<StepName, string>;

export function tenantView(
  tenant: Tenant,
  records: readonly StepRecord[],
  resumeUrls: ResumeUrls = new Map(),
): TenantView {
  return {
    tenantId: tenant.tenantId,
    name: tenant.name,
    planId: tenant.planId,
    skus: tenant.skus,
    domains: tenant.domains,
    status: statusOf(tenant, records),
    runId: tenant.currentRunId,
    operatedWith: operatedWith(tenant),
    steps: records.map((record) => shownStep(record, resumeUrls)),
    waits: [
      ...(tenant.currentRunId === null
        ? waitsBeforeRun(tenant)
        : records.flatMap((record) => waitOf(record, resumeUrls))),
      ...waitsOfDeauthorized(tenant),
    ],
    notes: records.flatMap(notesOn),
    produced: Object.assign({}, ...records.map((record) => record.products ?? {})) as Record<string, unknown>,
  };
}

function operatedWith({ assets }: Tenant): TenantView['operatedWith'] {
  if (assets === undefined) return null;
  const { runId: _runId, ...shown } = assets;
  return shown;
}

/** Whether the next move is the client's in Facebook's dialog: to connect for the first time, or again. */
export function clientMustConnect(tenant: Tenant, records: readonly StepRecord[]): boolean {
  if (tenant.terms === null || tenant.status === 'offboarding') return false;
  if (tenant.connection === null || tenant.connection.deauthorizedAt) return true;
  return records.some(
    (record) =>
      record.state === 'waiting' && record.wait?.on === 'client' && stepDefinition(record.step).credential === 'user',
  );
}

function statusOf(tenant: Tenant, records: readonly StepRecord[]): ShownStatus {
  if (['live', 'cancelled', 'offboarding'].includes(tenant.status)) return tenant.status;
  if (tenant.currentRunId === null) {
    if (tenant.connection !== null) return 'provisioning';
    return tenant.terms === null ? 'created' : 'terms-accepted';
  }
  const states = new Set(records.map((record) => record.state));
  if (states.has('failed')) return 'failed';
  const isActive = states.has('queued') || states.has('running') || states.has('retrying');
  return !isActive && states.has('waiting') ? 'waiting' : 'provisioning';
}

/** Until the client has connected, the portal itself holds the conversation. */
const byThePortal = { expiresAt: null, remindAt: null, remindersSent: 0 } as const;

/** Before there is a run, the client's moves are the terms and the dialog. */
function waitsBeforeRun(tenant: Tenant): ShownWait[] {
  if (tenant.terms === null) {
    const what = 'Accept the terms of service and the data sharing agreement in the Kobi portal.';
    return [{ step: 'terms', on: 'client', for: 'accept-terms', what, since: tenant.createdAt, ...byThePortal }];
  }
  if (tenant.connection !== null) return [];
  const what = 'Connect Meta & Instagram in the Kobi portal and select the Facebook Page to advertise.';
  return [{ step: 'connect', on: 'client', for: 'connect', what, since: tenant.terms.acceptedAt, ...byThePortal }];
}

/** The person took the app off: nothing that needs their consent works until they give it again. */
function waitsOfDeauthorized({ connection, status }: Tenant): ShownWait[] {
  if (!connection?.deauthorizedAt || status === 'offboarding') return [];
  const what = 'Connect Meta & Instagram again: the app was removed from the Facebook account that connected it.';
  return [{ step: 'connect', on: 'client', for: 'reconnect', what, since: connection.deauthorizedAt, ...byThePortal }];
}

function waitOf(record: StepRecord, resumeUrls: ResumeUrls): ShownWait[] {
  if (record.state !== 'waiting' || record.wait === null) return [];
  const { linkNumber: _linkNumber, ...wait } = record.wait;
  const resumeUrl = resumeUrls.get(record.step);
  return [{ step: record.step, ...wait, ...(resumeUrl !== undefined && { resumeUrl }) }];
}

/** What a step ended with that somebody might want otherwise, and how to have it so. */
function notesOn({ products, state, step, tenantId }: StepRecord): string[] {
  if (step === 'link-page-and-instagram' && state === 'done' && products?.['instagramIdentity'] === 'page-backed') {
    return [
      `The Page has no Instagram account: ads appear on Instagram under the Page's name and picture. Once one is linked to the Page it is found within a day; to have it sooner, connect again or POST /tenants/${tenantId}/steps/${step}/reopen.`,
    ];
  }
  const isDoneAgain = products !== null && state !== 'done' && state !== 'cancelled';
  return isDoneAgain ? [`${step} is being done again; until it is, what it produced before stays in force.`] : [];
}

function shownStep(record: StepRecord, resumeUrls: ResumeUrls): ShownStep {
  const { attempt, finishedAt, reason, startedAt, state, step } = record;
  const [wait] = waitOf(record, resumeUrls).map(({ step: _step, ...shown }) => shown);
  const ms = startedAt === null || finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);
  return {
    name: step,
    title: stepDefinition(step).title,
    state,
    attempt,
    startedAt,
    finishedAt,
    ms,
    ...(wait && { wait }),
    ...(reason !== null && { reason }),
  };
}
