/**
 * `node terraform/release/canary.ts`: gives the newest revision of a function traffic step by step, watches what it
 * answers, and takes the traffic back by itself when it answers worse than the revision before it. Terraform deploys such a
 * function (`canary_functions`) without giving it any.
 *
 * Reads PROJECT, REGION and SERVICE; calls Cloud Run and Cloud Monitoring with the token of the account it runs as. Ends
 * with 1 when the new revision was sent back.
 */
import { setTimeout as wait } from 'node:timers/promises';

/** What a revision answered while it was watched. */
export interface Answers {
  readonly requests: number;
  /** Of them: with 5xx. */
  readonly errors: number;
}

/** The parts of Google that are needed, for one service. */
export interface RevisionControl {
  /** The newest revision that is ready, and who gets how much of the traffic. */
  state(): Promise<{ readonly newest: string; readonly percents: Readonly<Record<string, number>> }>;
  /** Gives each revision its percent; returns once that is so. */
  split(percents: Readonly<Record<string, number>>): Promise<void>;
  answersSince(start: Date): Promise<Readonly<Record<string, Answers>>>;
}

export interface CanaryOptions {
  readonly control: RevisionControl;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly say: (line: string) => void;
}

export type CanaryOutcome = 'promoted' | 'returned' | 'nothing-new';

const percents = [5, 25, 50] as const;
const looksPerStep = 5;
const lookEveryMs = 60_000;
/** Fewer say nothing about one error in a hundred. */
const enoughRequests = 200;
const toleratedErrors = 0.01;

/**
 * Moves the traffic to the newest revision, or back. Whatever goes wrong on the way, the old revision has all of it
 * afterwards.
 */
export async function canary({ control, now, sleep, say }: CanaryOptions): Promise<CanaryOutcome> {
  const { newest, percents: current } = await control.state();
  const [old] = Object.entries(current).sort(([, left], [, right]) => right - left)[0] ?? [];
  if (old === undefined || old === newest) {
    say(`${newest} has the traffic already.`);
    return 'nothing-new';
  }
  try {
    for (const percent of percents) {
      const start = now();
      await control.split({ [newest]: percent, [old]: 100 - percent });
      say(`${newest} gets ${percent} %.`);
      for (let look = 0; look < looksPerStep; look++) {
        await sleep(lookEveryMs);
        const answers = await control.answersSince(start);
        const complaint = judge(answers[newest], answers[old]);
        if (complaint === undefined) continue;
        say(`${newest} is sent back: ${complaint}`);
        await control.split({ [old]: 100 });
        return 'returned';
      }
    }
    // By name, not "the newest": otherwise the next deployment would get everything at once.
    await control.split({ [newest]: 100 });
    say(`${newest} gets everything.`);
    return 'promoted';
  } catch (error) {
    say(`${newest} is sent back: ${error instanceof Error ? error.message : String(error)}`);
    await control.split({ [old]: 100 });
    return 'returned';
  }
}

/** What is wrong with the new revision, or undefined while nothing is known to be. */
export function judge(fresh: Answers | undefined, old: Answers | undefined): string | undefined {
  if (fresh === undefined || fresh.requests < enoughRequests) return undefined;
  const share = fresh.errors / fresh.requests;
  const usual = old === undefined || old.requests === 0 ? 0 : old.errors / old.requests;
  if (share <= Math.max(toleratedErrors, 2 * usual)) return undefined;
  return `${shown(share)} of ${fresh.requests} requests were answered 5xx, ${shown(usual)} by the revision before it`;
}

function shown(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export interface GoogleOptions {
  readonly projectId: string;
  readonly region: string;
  readonly service: string;
  readonly token: () => Promise<string>;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly runUrl?: string;
  readonly monitoringUrl?: string;
}

interface Service {
  readonly latestReadyRevision: string;
  readonly reconciling?: boolean;
  readonly trafficStatuses?: readonly { readonly revision?: string; readonly percent?: number }[];
}

interface Series {
  readonly resource: { readonly labels: { readonly revision_name: string } };
  readonly metric: { readonly labels: { readonly response_code_class: string } };
  readonly points: readonly { readonly value: { readonly int64Value: string } }[];
}

/**
 * Cloud Run's Admin API v2 (`services.get`, `services.patch` of `traffic`) and Cloud Monitoring's
 * `projects.timeSeries.list`.
 */
export function googleRevisions(options: GoogleOptions): RevisionControl {
  const { projectId, region, service, token, now, sleep } = options;
  const { runUrl = 'https://run.googleapis.com', monitoringUrl = 'https://monitoring.googleapis.com' } = options;
  const address = `${runUrl}/v2/projects/${projectId}/locations/${region}/services/${service}`;
  const call = async <T>(url: string, init: RequestInit = {}): Promise<T> => {
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' };
    const answer = await fetch(url, { ...init, headers });
    if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${new URL(url).pathname} was answered ${answer.status}`);
    return (await answer.json()) as T;
  };
  const nameOf = (revision: string): string => revision.split('/').at(-1) ?? revision;
  const settled = async (): Promise<Service> => {
    for (let tries = 0; tries < 60; tries++) {
      const found = await call<Service>(address);
      if (found.reconciling !== true) return found;
      await sleep(2_000);
    }
    throw new Error(`${service} did not settle within two minutes`);
  };
  return {
    async state() {
      const { latestReadyRevision, trafficStatuses = [] } = await settled();
      const shares = trafficStatuses.map(({ revision = '', percent = 0 }) => [nameOf(revision), percent] as const);
      return {
        newest: nameOf(latestReadyRevision),
        percents: Object.fromEntries(shares.filter(([, share]) => share > 0)),
      };
    },
    async split(shares) {
      const traffic = Object.entries(shares).map(([revision, percent]) => ({
        type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION',
        revision,
        percent,
      }));
      await call(`${address}?updateMask=traffic`, { method: 'PATCH', body: JSON.stringify({ traffic }) });
      await settled();
    },
    async answersSince(start) {
      const end = now();
      const query = new URLSearchParams({
        filter: `metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision" AND resource.label.service_name="${service}"`,
        'interval.startTime': start.toISOString(),
        'interval.endTime': end.toISOString(),
        'aggregation.alignmentPeriod': `${Math.max(60, Math.ceil((end.getTime() - start.getTime()) / 1_000))}s`,
        'aggregation.perSeriesAligner': 'ALIGN_DELTA',
        'aggregation.crossSeriesReducer': 'REDUCE_SUM',
      });
      for (const field of ['resource.label.revision_name', 'metric.label.response_code_class'])
        query.append('aggregation.groupByFields', field);
      const { timeSeries = [] } = await call<{ timeSeries?: Series[] }>(
        `${monitoringUrl}/v3/projects/${projectId}/timeSeries?${query.toString()}`,
      );
      const answers: Record<string, { requests: number; errors: number }> = {};
      for (const { resource, metric, points } of timeSeries) {
        const count = points.reduce((sum, { value }) => sum + Number(value.int64Value), 0);
        const known = (answers[resource.labels.revision_name] ??= { requests: 0, errors: 0 });
        known.requests += count;
        if (metric.labels.response_code_class === '5xx') known.errors += count;
      }
      return answers;
    },
  };
}

/** The access token of the account this runs as, from the metadata server of Cloud Build. */
async function tokenOfMetadataServer(): Promise<string> {
  const answer = await fetch(
    'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token',
    { headers: { 'metadata-flavor': 'Google' } },
  );
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function main(): Promise<void> {
  const { PROJECT: projectId, REGION: region, SERVICE: service } = process.env;
  if (!projectId || !region || !service) throw new Error('PROJECT, REGION and SERVICE must be set');
  const now = (): Date => new Date();
  const sleep = (ms: number): Promise<unknown> => wait(ms);
  const control = googleRevisions({ projectId, region, service, token: tokenOfMetadataServer, now, sleep });
  const outcome = await canary({ control, now, sleep, say: (line) => void process.stdout.write(`${line}\n`) });
  if (outcome === 'returned') process.exitCode = 1;
}

if (import.meta.main) await main();
