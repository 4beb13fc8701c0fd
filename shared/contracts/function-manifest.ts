/**
 * `function.json`: what a function is, for Terraform, the local stack, the topology test and the README's table. Code and
 * infrastructure read the same file, so they cannot drift.
 */
import * as v from 'valibot';
import { topicNames } from './topics.ts';

const cron = v.pipe(v.string(), v.regex(/^(\S+ ){4}\S+$/, 'expected five cron fields'));

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What a function may do with a secret; Terraform gives a right for each. */
export const secretUses = ['read', 'create', 'add', 'retire', 'list'] as const;

export const functionManifestSchema = v.strictObject({
  /** The registered name: also the Cloud Run service, the log field and the README row. */
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{1,48}[a-z0-9]$/)),
  trigger: v.union([
    v.strictObject({ topic: v.picklist(topicNames) }),
    /** Paths a caller uses, relative to the function's own address. */
    v.strictObject({ http: v.pipe(v.array(v.string()), v.minLength(1)) }),
    v.strictObject({
      schedule: cron,
      /** The IANA zone the schedule is read in; slots are named in it. */
      timeZone: v.pipe(v.string(), v.check(isTimeZone, 'expected an IANA time zone')),
      /**
       * `once-per-slot`: under a lease, one run at a time, a finished slot is not run again and a missed one is caught up.
       * `every-tick`: whenever called, without a write of its own; for cheap jobs whose work is safe side by side.
       */
      runs: v.picklist(['once-per-slot', 'every-tick']),
    }),
  ]),
  /**
   * Who may call: anybody, holders of the IAM invoker role, people in a browser (`iap`: Identity-Aware Proxy in front),
   * Pub/Sub's push account, or Cloud Scheduler's account.
   */
  callers: v.picklist(['public', 'iam', 'iap', 'pubsub', 'scheduler']),
  /** Why anybody may call it; for `public` functions and no others. */
  publicBecause: v.optional(v.pipe(v.string(), v.minLength(10), v.maxLength(200))),
  /** Topics it publishes to, directly or through the outbox. */
  emits: v.array(v.picklist(topicNames)),
  timeoutSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(540)),
  memoryMiB: v.picklist([256, 512, 1024, 2048]),
  /** Requests one instance handles at a time. */
  concurrency: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  /** Deliveries before Pub/Sub moves a message to the dead letters; only for topics. */
  maxAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(5), v.maxValue(100))),
  /** Instances kept warm; none unless told. */
  minInstances: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100))),
  /** Most instances at a time; Terraform's `max_instances` unless told. */
  maxInstances: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))),
  /** Its subscription delivers messages of one ordering key in order; only for topics. */
  ordering: v.optional(v.boolean()),
  /** Secret ids it reads or writes; `{tenant}` stands for every tenant's own. */
  secrets: v.array(v.string()),
  /**
   * What it does with a secret, where that is not just reading it. `create` makes the secret where there is none, `add`
   * a version; `retire` disables and destroys versions; `list` sees their states and never a value.
   */
  secretUses: v.optional(v.record(v.string(), v.pipe(v.array(v.picklist(secretUses)), v.minLength(1)))),
  /** What it does with the warehouse in BigQuery; absent: nothing. */
  warehouse: v.optional(v.picklist(['read', 'write'])),
  /** Environment variables its code reads. */
  variables: v.array(v.string()),
  /** One line: what it is for. */
  why: v.pipe(v.string(), v.minLength(10), v.maxLength(160)),
});

export type FunctionManifest = v.InferOutput<typeof functionManifestSchema>;
