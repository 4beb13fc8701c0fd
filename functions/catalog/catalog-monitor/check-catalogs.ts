/** Looks at the catalogs that are due, a few at a time, within the slot's time; wakes syncs that waited for somebody. */
import type { CatalogHealth } from '../../../shared/contracts/catalog-documents.ts';
import type { OutboxMessage, Tenant } from '../../../shared/contracts/documents.ts';
import type { SeenContentId } from '../../../shared/domain/catalog/content-id-form.ts';
import type { CatalogHealthStore } from '../../../shared/gcp/catalog-health-store.ts';
import type { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';
import type { CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { fillOtherCatalog, ifThereIsAny, resumeSync } from '../steer-sync.ts';
import type { SteerServices } from '../steer-sync.ts';
import type { OpenTenantCatalog } from '../tenant-catalog.ts';
import { checkCatalog, unseenCatalog } from './check-catalog.ts';

export interface MonitorServices {
  readonly tenants: () => AsyncIterable<Tenant>;
  readonly catalogs: Pick<CatalogStore, 'read'>;
  readonly health: Pick<CatalogHealthStore, 'read' | 'write' | 'readSets'>;
  readonly items: Pick<CatalogItemStore, 'load'>;
  readonly openCatalog: OpenTenantCatalog;
  /** Content ids the relay saw in the last days; undefined when there are none. */
  readonly contentIdsSeen: (tenantId: string) => Promise<readonly SeenContentId[] | undefined>;
  readonly steer: SteerServices;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Meta looks at a catalog about once a day; four times a day is soon enough to see it, and spares the limits. */
const everyMs = 6 * 3_600_000;
/** What could not be read is tried again sooner. */
const againMs = 3_600_000;
const atOnce = 4;

/** @param signal aborted when the slot's time is over; the others are due in the next */
export async function checkCatalogs(services: MonitorServices, signal: AbortSignal): Promise<JobReport> {
  const report = { checked: 0, notDue: 0, notReady: 0, throttled: 0, failed: 0, open: 0, blocked: 0, unknown: 0 };
  const count = (found: Awaited<ReturnType<typeof checkOne>>): number => {
    if (typeof found === 'string') return (report[found] += 1);
    report.checked += 1;
    return (report[found.gate.state] += 1);
  };
  const work = new Set<Promise<unknown>>();
  for await (const tenant of services.tenants()) {
    if (signal.aborted) break;
    if (tenant.status !== 'live' || !tenant.skus.includes('ecommerce')) continue;
    const one: Promise<unknown> = checkOne(tenant, services)
      .then(count)
      .finally(() => work.delete(one));
    work.add(one);
    if (work.size >= atOnce) await Promise.race(work);
  }
  await Promise.all(work);
  return report;
}

/** One tenant's trouble is its own. */
async function checkOne(
  { tenantId, assets }: Tenant,
  services: MonitorServices,
): Promise<CatalogHealth | 'notDue' | 'notReady' | 'throttled' | 'failed'> {
  const { catalogs, contentIdsSeen, deliver, health, items, log, now, openCatalog, steer } = services;
  let known: Pick<Parameters<typeof unseenCatalog>[0], 'before' | 'catalog'> = {
    before: undefined,
    catalog: undefined,
  };
  try {
    const [before, catalog] = await Promise.all([health.read(tenantId), catalogs.read(tenantId)]);
    known = { before, catalog };
    const traceparent = traceparentOf(undefined);
    const catalogId = assets?.catalogId ?? null;
    if (catalog?.current?.state === 'waiting') {
      await deliver(await ifThereIsAny(resumeSync(tenantId, traceparent, steer)));
    } else if (catalog !== undefined && catalogId !== null && catalog.catalogId !== catalogId) {
      await deliver(await ifThereIsAny(fillOtherCatalog(tenantId, catalogId, traceparent, steer)));
    }
    const dueAfterMs = before?.troubles.length === 0 ? everyMs : againMs;
    if (before !== undefined && now().getTime() - Date.parse(before.checkedAt) < dueAfterMs) return 'notDue';
    const opened = await openCatalog(tenantId);
    const found = await checkCatalog(opened, {
      tenantId,
      catalog,
      before,
      sets: await health.readSets(tenantId),
      contentIds: await contentIdsSeen(tenantId),
      loadItems: ({ generation, items: count }) => items.load(tenantId, generation, count),
      now: now(),
    });
    return await health.write(found);
  } catch (error) {
    if (error instanceof OutcomeError) {
      const { kind } = error.outcome;
      log.warn({ tenantId, outcome: kind, reason: error.message }, 'catalog not checked');
      if (error.outcome.kind === 'waiting') {
        const { on, what } = error.outcome.wait;
        await health.write(unseenCatalog({ tenantId, now: now(), ...known }, `Waits on ${on}: ${what}`));
      }
      return kind === 'waiting' ? 'notReady' : kind === 'retry' ? 'throttled' : 'failed';
    }
    log.error({ tenantId, err: error }, 'catalog could not be checked');
    return 'failed';
  }
}
