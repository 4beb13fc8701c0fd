/** A tenant's product catalog: what Meta has accepted, the sync in hand, and how the catalog fares. */
import * as v from 'valibot';
import { guards } from '../domain/catalog/feed-guards.ts';
import { gateConditions } from '../domain/catalog/launch-gate.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const counts = v.record(v.string(), count);

export const feedFormats = ['xml', 'csv', 'tsv', 'jsonl'] as const;
export type FeedFormat = (typeof feedFormats)[number];

const bucketName = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'a Cloud Storage bucket'));

/** Where a feed is: an address on the public internet, or a Cloud Storage object. Either may be gzip. */
export const feedSource = v.variant('kind', [
  v.object({
    kind: v.literal('url'),
    url: v.pipe(v.string(), v.maxLength(2048), v.regex(/^https?:\/\/\S+$/i, 'http(s) URL')),
  }),
  v.object({
    kind: v.literal('object'),
    bucket: bucketName,
    object: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  }),
]);
export type FeedSource = v.InferOutput<typeof feedSource>;

/** What the feed service tells of a feed. */
export const feedFacts = v.object({
  source: feedSource,
  format: v.picklist(feedFormats),
  /** SHA-256 of the file's bytes as they are served, hex. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 hex digits')),
  /** How often this feed comes; the catalog counts as stale after two of these. */
  intervalHours: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(24 * 31)), 24),
});
export type FeedFacts = v.InferOutput<typeof feedFacts>;

/** A feed to be synced: its facts, and the message that told of it. */
const feedRequestSchema = v.object({ ...feedFacts.entries, eventId: v.string(), at: v.string() });
export type FeedRequest = v.InferOutput<typeof feedRequestSchema>;

const profileSchema = v.object({
  rows: count,
  items: count,
  duplicates: count,
  valid: count,
  inStock: count,
  zeroPrices: count,
  fields: counts,
  currencies: counts,
});

const findingSchema = v.object({ guard: v.picklist(guards), what: v.string(), fix: v.string() });

/**
 * - `reading` the feed is being read and compared; nothing was sent
 * - `held` a guard holds it: nothing is sent until a better feed comes or a person releases it
 * - `sending` batches are being sent and their outcomes asked for
 * - `applying` every outcome is known and is being written into the accepted state
 * - `waiting` somebody must act; it goes on from where it was
 * - ends: `done`, `unchanged`, `superseded` by a newer feed, `failed`
 */
export const syncStates = [
  'reading',
  'held',
  'sending',
  'applying',
  'waiting',
  'done',
  'unchanged',
  'superseded',
  'failed',
] as const;
export type SyncState = (typeof syncStates)[number];

export const syncSchema = v.object({
  syncId: v.string(),
  feed: feedRequestSchema,
  state: v.picklist(syncStates),
  /** Where `waiting` goes on. */
  resumeAs: v.nullable(v.picklist(['reading', 'sending', 'applying'])),
  wait: v.nullable(
    v.object({ on: v.picklist(['client', 'meta', 'kobi']), for: v.string(), what: v.string(), since: v.string() }),
  ),
  reason: v.nullable(v.string()),
  /** Troubles in a row. */
  retries: count,
  startedAt: v.string(),
  /** Batches planned, numbered from 0. */
  batches: count,
  profile: v.nullable(profileSchema),
  guards: v.array(findingSchema),
  /** Who let a held feed through, and why. */
  released: v.nullable(v.object({ by: v.string(), reason: v.string(), at: v.string() })),
  counts: v.object({
    created: count,
    updated: count,
    deleted: count,
    unchanged: count,
    /** Rows that cannot be sent. */
    refused: count,
    /** Optional fields left out of items that were sent. */
    warned: count,
    /** Requests Meta took. */
    accepted: count,
    /** Requests Meta refused. */
    rejected: count,
    /** Requests whose outcome Meta never told: sent again with the next feed. */
    unknown: count,
  }),
  /** `field code` → rows. */
  problemsBy: counts,
});
export type Sync = v.InferOutput<typeof syncSchema>;

/** One per tenant: which items Meta has (by generation, in `catalogItems`), and the sync in hand. */
export const catalogSchema = v.object({
  tenantId: v.string(),
  /** The catalog at Meta that has the items; a tenant that is moved to another business gets another one. */
  catalogId: v.nullable(v.string()),
  /** Generation of the accepted items; 0 before the first. */
  generation: count,
  items: count,
  /** Of the items: contents Meta refused. */
  rejectedItems: count,
  current: v.nullable(syncSchema),
  /** The newest feed that came while another is being sent. */
  queued: v.nullable(feedRequestSchema),
  /** The last sync that reached Meta, by which the next feed is judged. */
  lastGood: v.nullable(v.object({ syncId: v.string(), feed: feedRequestSchema, profile: profileSchema })),
  /** When the newest feed that was taken became true; an older one that comes late is passed over. */
  lastFeedAt: v.nullable(v.string()),
  /** When a feed was last found to be what the catalog already is. */
  freshAt: v.nullable(v.string()),
  lease: v.nullable(v.object({ owner: v.string(), until: v.string() })),
  /** The newest first. */
  history: v.array(
    v.object({
      syncId: v.string(),
      state: v.picklist(syncStates),
      finishedAt: v.string(),
      reason: v.nullable(v.string()),
      counts: syncSchema.entries.counts,
    }),
  ),
});
export type Catalog = v.InferOutput<typeof catalogSchema>;

/** Some of the accepted items, as `ItemTable` writes them. */
export const catalogItemsSchema = v.object({
  tenantId: v.string(),
  generation: count,
  n: count,
  bytes: v.instance(Uint8Array),
});

/**
 * - `planned` not sent, or not known to be
 * - `sent` Meta gave a handle
 * - `done` its outcome is known
 */
export const batchStates = ['planned', 'sent', 'done'] as const;

export const catalogBatchSchema = v.object({
  tenantId: v.string(),
  syncId: v.string(),
  n: count,
  state: v.picklist(batchStates),
  items: count,
  /** The requests as gzipped JSON; empty once they are accepted. */
  requests: v.instance(Uint8Array),
  /** Row, method and facts of each request, in their order. */
  entries: v.instance(Uint8Array),
  handle: v.nullable(v.string()),
  sentAt: v.nullable(v.string()),
  /** When its outcome is asked for next. */
  checkAt: v.nullable(v.string()),
  checks: count,
  tries: count,
  /** Places (in the batch) of requests that Meta refused. */
  rejected: v.array(count),
  /** Requests whose outcome was never told. */
  isLost: v.boolean(),
  expireAt: v.date(),
});
export type CatalogBatch = v.InferOutput<typeof catalogBatchSchema>;

/** What is wrong with a row, said by our rules or by Meta. */
const catalogProblemSchema = v.object({
  row: count,
  id: v.nullable(v.string()),
  field: v.string(),
  code: v.string(),
  expected: v.string(),
  got: v.nullable(v.string()),
  by: v.picklist(['kobi', 'meta']),
  isRefused: v.boolean(),
});
export type CatalogProblem = v.InferOutput<typeof catalogProblemSchema>;

export const catalogProblemsSchema = v.object({
  tenantId: v.string(),
  syncId: v.string(),
  lastRow: count,
  problems: v.array(catalogProblemSchema),
  expireAt: v.date(),
});

const rate = v.object({ matched: count, unmatched: count });

/** What `catalog-monitor` saw last, and the launch gate that follows from it. Null: not known. */
export const catalogHealthSchema = v.object({
  tenantId: v.string(),
  checkedAt: v.string(),
  gate: v.object({
    state: v.picklist(['open', 'blocked', 'unknown']),
    checks: v.array(
      v.object({
        condition: v.picklist(gateConditions),
        answer: v.picklist(['yes', 'no', 'unknown']),
        reason: v.string(),
        fix: v.string(),
      }),
    ),
  }),
  override: v.nullable(v.object({ reason: v.string(), actor: v.string(), at: v.string(), expiresAt: v.string() })),
  itemCount: v.nullable(count),
  /** Day → products Meta counted; eight days. */
  itemCounts: counts,
  diagnostics: v.nullable(
    v.array(
      v.object({
        type: v.string(),
        severity: v.string(),
        title: v.string(),
        affectedChannels: v.array(v.string()),
        affectedItems: v.nullable(count),
      }),
    ),
  ),
  /** By event and source. */
  matchRates: v.nullable(
    v.array(
      v.object({
        event: v.string(),
        sourceId: v.nullable(v.string()),
        sourceType: v.nullable(v.string()),
        days7: rate,
        days28: rate,
      }),
    ),
  ),
  contentIds: v.nullable(
    v.object({ seen: count, matched: count, hint: v.nullable(v.object({ what: v.string(), fix: v.string() })) }),
  ),
  productSets: v.nullable(v.array(v.object({ id: v.string(), name: v.string(), productCount: v.nullable(count) }))),
  /** What could not be read, and why. */
  troubles: v.array(v.string()),
});
export type CatalogHealth = v.InferOutput<typeof catalogHealthSchema>;

/** The product sets a tenant wants, as rules. */
export const productSetsSchema = v.object({
  tenantId: v.string(),
  sets: v.array(v.object({ key: v.string(), name: v.string(), filter: v.record(v.string(), v.unknown()) })),
  updatedAt: v.string(),
  updatedBy: v.string(),
});
export type ProductSets = v.InferOutput<typeof productSetsSchema>;
