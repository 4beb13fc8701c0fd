/** GA4 beside the world of reports: the real client against the stand-in, with traffic that follows from the same truth. */
import { crossCheckTenants } from '../../functions/reporting/ga4-crosscheck/cross-check-tenants.ts';
import { reportRoutes } from '../../functions/reporting/reports/routes.ts';
import { createGa4Reader } from '../../shared/gcp/ga4.ts';
import type { Ga4Reader } from '../../shared/gcp/ga4.ts';
import { Reconciliations } from '../../shared/gcp/reconciliations.ts';
import { readRelayNumbers } from '../../shared/gcp/relay-numbers.ts';
import { tenantsInPages } from '../../shared/gcp/tenant-pages.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { readAdTags } from '../../shared/meta/ads.ts';
import type { HttpAnswer } from '../../shared/runtime/http-answer.ts';
import type { HttpCall } from '../../shared/runtime/http-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { JobReport } from '../../shared/runtime/scheduled-function.ts';
import { startEmbeddedGa4 } from '../local/google/ga4/embedded-ga4.ts';
import type { EmbeddedGa4 } from '../local/google/ga4/embedded-ga4.ts';
import type { ReportWorld } from './report-world.ts';

const log = createLogger({ level: 'silent', functionName: 'test' });
const neverAborted = new AbortController().signal;

export class Ga4World {
  readonly ga4: EmbeddedGa4;
  readonly reader: Ga4Reader;
  readonly reconciliations: Reconciliations;
  readonly #world: ReportWorld;

  private constructor(world: ReportWorld, ga4: EmbeddedGa4) {
    this.#world = world;
    this.ga4 = ga4;
    this.reader = createGa4Reader({ emulatorHost: ga4.host });
    this.reconciliations = new Reconciliations(world.db);
  }

  static async start(world: ReportWorld): Promise<Ga4World> {
    return new Ga4World(world, await startEmbeddedGa4());
  }

  async close(): Promise<void> {
    await this.reader.close();
    await this.ga4.close();
  }

  /** ga4-crosscheck's hourly run. */
  async crossCheck(): Promise<JobReport> {
    const { alerts, credentials, db, graph, now, outbox, runs, warehouse } = this.#world;
    return crossCheckTenants(
      {
        tenants: () => tenantsInPages(db),
        ga4: this.reader,
        adTags: async ({ adAccountId, operator, tenantId }) =>
          readAdTags(graph.as(await credentials.operator(tenantId, operator)), adAccountId),
        relayNumbers: (tenantId, from, to) => readRelayNumbers(db, tenantId, from, to),
        runs,
        reconciliations: this.reconciliations,
        warehouse,
        alerts,
        outbox,
        now,
        log,
      },
      { signal: neverAborted },
    );
  }

  /** Calls a route of `reports`, as functions-framework would. */
  async report(path: string, options: { method?: string; accept?: string; body?: unknown } = {}): Promise<HttpAnswer> {
    const { db, now, reportingAccounts, runs, warehouse } = this.#world;
    const routes = reportRoutes({
      tenant: createTenantReader(db),
      runs,
      accounts: reportingAccounts,
      reconciliations: this.reconciliations,
      warehouse,
      now,
    });
    const url = new URL(path, 'http://reports');
    const segments = url.pathname.split('/');
    const route = routes.find(
      ({ method, path: pattern }) =>
        method === (options.method ?? 'GET') &&
        pattern.split('/').length === segments.length &&
        pattern.split('/').every((part, index) => part.startsWith('{') || part === segments[index]),
    );
    if (route === undefined) throw new Error(`no route for ${path}`);
    const names = route.path.split('/');
    return route.handle({
      param: (name: string) => segments[names.indexOf(`{${name}}`)] ?? '',
      query: url.searchParams,
      header: (name: string) => (name === 'accept' ? options.accept : undefined),
      caller: 'operator@kobi.example',
      rawBody: Buffer.from(JSON.stringify(options.body ?? {})),
    } as unknown as HttpCall);
  }
}
