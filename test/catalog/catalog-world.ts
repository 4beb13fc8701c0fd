/**
 * A tenant with a catalog at a fresh Meta, and catalog-sync working on it: real Graph client, Google's Firestore client over
 * the embedded engine, one clock for all. Messages that ask to come back are brought back by the test, at their time.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Firestore } from '@google-cloud/firestore';
import { createCatalogStep } from '../../functions/provisioning/08a-create-catalog/create-catalog.ts';
import { createPixelStep } from '../../functions/provisioning/05-create-pixel/create-pixel.ts';
import { syncFeed } from '../../functions/catalog/catalog-sync/sync-feed.ts';
import type { SyncServices } from '../../functions/catalog/catalog-sync/catalog-turn.ts';
import { catalogOpener } from '../../functions/catalog/tenant-catalog.ts';
import type { Catalog as CatalogDocument, FeedFormat } from '../../shared/contracts/catalog-documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { OperatorKind } from '../../shared/domain/provisioning-path.ts';
import { AlertStore } from '../../shared/gcp/alert-store.ts';
import { CatalogBatchStore } from '../../shared/gcp/catalog-batch-store.ts';
import { CatalogItemStore } from '../../shared/gcp/catalog-item-store.ts';
import { CatalogStore } from '../../shared/gcp/catalog-store.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { ObjectMissing } from '../../shared/gcp/object-reader.ts';
import type { CatalogAssets } from '../../shared/gcp/tenant-assets.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { Outcome } from '../../shared/runtime/outcomes.ts';
import { PublicFetchError } from '../../shared/runtime/public-fetch.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import { startStepWorld } from '../provisioning/step-world.ts';
import type { StepWorld } from '../provisioning/step-world.ts';
import { noPlans } from '../simulator/catalog-items.ts';
import { EventLedger } from '../simulator/event-ledger.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { RequestLog } from '../simulator/request-log.ts';
import { seed } from '../simulator/seed.ts';
import { applySwitches, defaultSwitches } from '../simulator/switches.ts';
import type { Switches } from '../simulator/switches.ts';
import type { Catalog } from '../simulator/world.ts';

const projectId = 'kobi-catalog';
export const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

export interface CatalogWorld {
  readonly tenantId: string;
  readonly db: Firestore;
  readonly meta: StepWorld;
  readonly graph: GraphClient;
  readonly services: SyncServices;
  readonly alerts: AlertStore;
  /** Messages that left through the outbox. */
  readonly published: Envelope[];
  /** The catalog as Meta has it, settled. */
  atMeta(): Catalog;
  /** The tenant gets another, empty catalog: in the child business, or in the parent's. Resolves with its id. */
  moveTo(owner: OperatorKind): Promise<string>;
  nowMs(): number;
  advance(ms: number): void;
  /** Announces a feed and works until nothing is left to do. Returns the catalog's document. */
  feed(text: string | Uint8Array, options?: FeedOptions): Promise<CatalogDocument>;
  /** The message a feed is announced with. */
  announce(text: string | Uint8Array, options?: FeedOptions): Envelope<'feed-updated'>;
  /** One delivery of a message. */
  deliver(envelope: Envelope<'feed-updated'>, services?: Partial<SyncServices>): Promise<Outcome>;
  /** Delivers a message, and again each time it asks to come back. */
  work(envelope: Envelope<'feed-updated'>, services?: Partial<SyncServices>): Promise<Outcome>;
  document(): Promise<CatalogDocument>;
  /** Calls to items_batch that were answered 200, and the ids each held. */
  sentIds(): string[][];
  /** Back to a tenant whose catalog is empty and whose feed never came. Cheaper than another world. */
  reset(): void;
  close(): Promise<void>;
}

export interface FeedOptions {
  readonly format?: FeedFormat;
  readonly sha256?: string;
  readonly intervalHours?: number;
}

/** @param options.otherProcesses whether they need this world's Firestore: then it is served at the wire, which costs time */
export async function startCatalogWorld(
  options: { switches?: Partial<Switches>; otherProcesses?: boolean } = {},
): Promise<CatalogWorld> {
  const meta = await startStepWorld({ switches: { catalog_batch_seconds: 3, ...options.switches } });
  await meta.prepare('create-pixel');
  const { datasetId } = (await meta.run('create-pixel', createPixelStep)).products;
  const { catalogId } = (await meta.run('create-catalog', createCatalogStep)).products;

  const { clock } = meta.simulator.context;
  const now = (): Date => new Date(clock.nowMs());
  const { db, ...firestore } = await (options.otherProcesses === true ? firestoreAtTheWire() : firestoreInProcess());
  const published: Envelope[] = [];
  const outbox = new Outbox(db, {
    publish: async () => undefined,
    publishJson: async (_topic, json) => void published.push(JSON.parse(json) as Envelope),
    close: async () => undefined,
  });
  const secrets = { latest: async (id: string) => ({ version: '1', value: meta.secrets.get(id) ?? '' }) };
  const credentials = createTenantCredentials({ secrets });
  const graph = createGraphClient({
    baseUrl: meta.simulator.url,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    sleep: async () => undefined,
    random: () => 0,
  });
  const alerts = new AlertStore({ db, outbox, now });
  const made = { operator: 'child', catalogId, datasetId } as const;
  let assets: CatalogAssets = made;
  const files = new Map<string, Uint8Array>();
  let owners = 0;
  const services: SyncServices = {
    catalogs: new CatalogStore({ db, alerts, now }),
    items: new CatalogItemStore(db),
    batches: new CatalogBatchStore(db, now),
    sources: {
      fetchUrl: async (url) => {
        throw new PublicFetchError('refused', `${url} is not on the public internet.`);
      },
      readObject: async (bucket, object) => {
        const bytes = files.get(`${bucket}/${object}`);
        if (bytes === undefined) throw new ObjectMissing(`gs://${bucket}/${object} does not exist`);
        return Readable.from(chunksOf(bytes));
      },
    },
    openCatalog: catalogOpener({
      readAssets: async () => assets,
      credentials,
      graph,
    }),
    isTenant: async () => true,
    deliver: (messages) => outbox.deliver(messages),
    newOwner: () => `worker-${(owners += 1)}`,
    now,
    log: createLogger({ level: 'silent', functionName: 'catalog-sync' }),
  };
  let announced = 0;
  const world: CatalogWorld = {
    tenantId: meta.tenant.tenantId,
    db,
    meta,
    graph,
    services,
    alerts,
    published,
    nowMs: () => clock.nowMs(),
    advance: (ms) => clock.advance(ms),
    atMeta: () => meta.simulator.store.get('catalog', assets.catalogId ?? ''),
    async moveTo(owner) {
      const caller = new GraphCaller(meta.simulator.url);
      const of = {
        child: {
          businessId: meta.simulator.store.get('catalog', catalogId).businessId,
          token: meta.secrets.get(secretName.systemToken(meta.tenant.tenantId)),
        },
        fallback: { businessId: seed.parentBusinessId, token: seed.parentSystemUserToken },
      }[owner];
      const { id } = await caller.done<{ id: string }>(
        caller.post(`/${of.businessId}/owned_product_catalogs`, of.token, { name: `another of ${owner}` }),
      );
      assets = { operator: owner, catalogId: id, datasetId };
      return id;
    },
    announce(text, { format = 'csv', sha256, intervalHours = 24 } = {}) {
      announced += 1;
      // Feeds come one after another, never in the same instant.
      clock.advance(1_000);
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      files.set(`feeds/${announced}`, bytes);
      return {
        eventId: `feed-${announced}`,
        type: 'feed-updated',
        version: 1,
        tenantId: meta.tenant.tenantId,
        at: now().toISOString(),
        traceparent,
        data: {
          source: { kind: 'object', bucket: 'feeds', object: String(announced) },
          format,
          sha256: sha256 ?? createHash('sha256').update(bytes).digest('hex'),
          intervalHours,
          cause: 'updated',
        },
      };
    },
    deliver: (envelope, changed = {}) => syncFeed(envelope, { ...services, ...changed }),
    async work(envelope, changed) {
      let message = envelope;
      for (let turns = 0; turns < 2_000; turns += 1) {
        const outcome = await world.deliver(message, changed);
        if (outcome.kind !== 'retry') return outcome;
        clock.advance(outcome.afterMs ?? 10_000);
        message = { ...message, hop: (message.hop ?? 0) + 1 };
      }
      throw new Error('the sync does not come to its end');
    },
    async feed(text, feedOptions) {
      await world.work(world.announce(text, feedOptions));
      return world.document();
    },
    async document() {
      const catalog = await services.catalogs.read(meta.tenant.tenantId);
      if (catalog === undefined) throw new Error('there is no catalog document');
      return catalog;
    },
    sentIds: () =>
      meta.simulator.log
        .entries()
        .filter(({ operation, status }) => operation === 'send_catalog_items' && status === 200)
        .map(({ params }) => idsIn(params['requests'])),
    reset() {
      firestore.clear();
      assets = made;
      published.length = 0;
      const { context } = meta.simulator;
      context.log = new RequestLog(100_000);
      context.events = new EventLedger();
      context.faults.clear();
      applySwitches(context.switches, { ...defaultSwitches(), catalog_batch_seconds: 3, ...options.switches });
      Object.assign(world.atMeta(), { items: new Map(), batches: new Map(), setIds: [], plans: noPlans() });
      // Past every limit the Graph client has learnt of.
      clock.advance(26 * 3_600_000);
    },
    async close() {
      await graph.close();
      await db.terminate();
      await firestore.close();
      await meta.close();
    },
  };
  return world;
}

interface Firestores {
  readonly db: Firestore;
  clear(): void;
  close(): Promise<void>;
}

async function firestoreInProcess(): Promise<Firestores> {
  const firestore = createInProcessFirestore({ projectId });
  return { db: firestore.connect(), clear: () => firestore.clear(), close: async () => undefined };
}

async function firestoreAtTheWire(): Promise<Firestores> {
  const firestore = await startEmbeddedFirestore({ projectId });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  return { db: connectFirestore(projectId), clear: () => firestore.clear(), close: () => firestore.close() };
}

function idsIn(requests: unknown): string[] {
  if (!Array.isArray(requests)) return [];
  return requests.flatMap((request) => {
    const id: unknown = (request as { data?: { id?: unknown } }).data?.id;
    return typeof id === 'string' ? [id] : [];
  });
}

/** In pieces whose ends fall anywhere, as a network delivers them. */
function chunksOf(bytes: Uint8Array, size = 1_000): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size));
  return chunks;
}

/** A row of a feed as the tests write them. */
export interface ShopItem {
  readonly id: string;
  readonly title?: string;
  readonly price?: string;
  readonly availability?: string;
  readonly sale_price?: string;
  readonly brand?: string;
  readonly link?: string;
  readonly product_type?: string;
  readonly item_group_id?: string;
}

export const columns = [
  'id',
  'title',
  'description',
  'availability',
  'condition',
  'price',
  'link',
  'image_link',
  'brand',
  'sale_price',
  'product_type',
  'item_group_id',
] as const;

const fullItem = (item: ShopItem): Record<(typeof columns)[number], string> => ({
  title: `Product ${item.id}`,
  description: 'Soft, warm and "made" in Denizli, şık',
  availability: 'in stock',
  condition: 'new',
  price: '10.00 TRY',
  link: `https://shop.example/p/${item.id}`,
  image_link: `https://shop.example/i/${item.id}.jpg`,
  brand: 'Acme',
  sale_price: '',
  product_type: 'Towels',
  item_group_id: '',
  ...item,
});

export function csvOf(items: readonly ShopItem[], without: readonly string[] = []): string {
  const shown = columns.filter((column) => !without.includes(column));
  const quoted = (value: string): string => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const rows = items.map((item) => shown.map((column) => quoted(fullItem(item)[column])).join(','));
  return `${shown.join(',')}\n${rows.map((row) => `${row}\n`).join('')}`;
}

export function jsonlOf(items: readonly ShopItem[], without: readonly string[] = []): string {
  return items.map((item) => `${JSON.stringify(kept(item, without))}\n`).join('');
}

function kept(item: ShopItem, without: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(fullItem(item)).filter(([name]) => !without.includes(name)));
}

export function xmlOf(items: readonly ShopItem[], without: readonly string[] = []): string {
  const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const entries = items.map((item) => {
    const fields = Object.entries(kept(item, without)).filter(([, value]) => value !== '');
    return `<item>${fields.map(([name, value]) => `<g:${name}>${escaped(value)}</g:${name}>`).join('')}</item>`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>' +
    `<title>Acme</title>${entries.join('\n')}</channel></rss>`
  );
}

export const shop = (count: number, change: (item: ShopItem, index: number) => ShopItem = (item) => item): ShopItem[] =>
  Array.from({ length: count }, (_, index) => change({ id: `SKU-${index + 1}` }, index));
