/** One instance of catalog-sync in a process of its own, so that its processor time and memory are its own. */
import { createReadStream } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { syncFeed } from '../../functions/catalog/catalog-sync/sync-feed.ts';
import { catalogOpener } from '../../functions/catalog/tenant-catalog.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import { AlertStore } from '../../shared/gcp/alert-store.ts';
import { CatalogBatchStore } from '../../shared/gcp/catalog-batch-store.ts';
import { CatalogItemStore } from '../../shared/gcp/catalog-item-store.ts';
import { CatalogStore } from '../../shared/gcp/catalog-store.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';

/** What the parent hands over. */
export interface WorkerOrder {
  readonly projectId: string;
  readonly graphUrl: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly catalogId: string;
  readonly datasetId: string;
  /** Its clock goes ahead of the machine's by this much. */
  readonly clockAheadMs: number;
  readonly maxItemsPerBatch: number;
  readonly envelope: Envelope<'feed-updated'>;
}

/** What the worker tells, every so often and at its end. */
export interface WorkerNews {
  readonly cpuMs: number;
  readonly maxRssMiB: number;
  readonly outcome: string | null;
}

const tell = (outcome: string | null): void => {
  const { user, system } = process.cpuUsage();
  const news: WorkerNews = {
    cpuMs: Math.round((user + system) / 1_000),
    maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    outcome,
  };
  process.send?.(news);
};

process.once('message', (order: WorkerOrder) => {
  const telling = setInterval(() => tell(null), 200);
  work(order)
    .then(
      (outcome) => tell(outcome),
      (error: unknown) => tell(`failed: ${String(error)}`),
    )
    .finally(() => {
      clearInterval(telling);
      process.disconnect();
      // Idle connections would keep it alive for a minute.
      process.exit();
    });
});

async function work(order: WorkerOrder): Promise<string> {
  const { catalogId, clockAheadMs, datasetId, envelope, graphUrl, maxItemsPerBatch, projectId, secrets } = order;
  const now = (): Date => new Date(Date.now() + clockAheadMs);
  const db = connectFirestore(projectId);
  const credentials = createTenantCredentials({
    secrets: { latest: async (id: string) => ({ version: '1', value: secrets[id] ?? '' }) },
  });
  const graph = createGraphClient({
    baseUrl: graphUrl,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
  });
  const outbox = { add: () => ({ eventId: '', topic: '', source: '', json: '', createdAt: '' }) };
  let message = envelope;
  for (;;) {
    const outcome = await syncFeed(message, {
      catalogs: new CatalogStore({ db, alerts: new AlertStore({ db, outbox, now }), now }),
      items: new CatalogItemStore(db),
      batches: new CatalogBatchStore(db, now),
      sources: {
        fetchUrl: async () => {
          throw new Error('the bench reads from disk');
        },
        readObject: async (_bucket, object) => createReadStream(object),
      },
      openCatalog: catalogOpener({
        readAssets: async () => ({ operator: 'child', catalogId, datasetId }),
        credentials,
        graph,
      }),
      isTenant: async () => true,
      deliver: async () => undefined,
      newOwner: randomUUID,
      now,
      maxItemsPerBatch,
      log: createLogger({ level: 'silent', functionName: 'catalog-sync' }),
    });
    if (outcome.kind !== 'retry') {
      await graph.close();
      await db.terminate();
      return outcome.kind;
    }
    await delay(outcome.afterMs ?? 1_000);
    message = { ...message, hop: (message.hop ?? 0) + 1 };
  }
}
