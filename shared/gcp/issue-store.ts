import { hash } from 'node:crypto';
import type { Firestore } from '@google-cloud/firestore';
import { collectionGroups, collections, paths, stepSchema, tenantSchema } from '../contracts/documents.ts';
import { issueSchema } from '../contracts/issue-documents.ts';
import type { Issue } from '../contracts/issue-documents.ts';
import { isOpen, levelOf, newer, objectOf, reportOf } from '../domain/ad-issues.ts';
import { readDocument } from './firestore.ts';
import { readThrough } from './relay-directory.ts';

/** A change of an ad account as told. */
export interface ToldChange {
  readonly adAccountId: string;
  readonly field: string;
  readonly at: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const objectsPerTransaction = 100;
const accountsAtOnce = 8;
const retentionMs = 90 * 24 * 60 * 60 * 1000;
const openShown = 50;

/**
 * What Meta told about the objects of tenants' ad accounts: one document per object with the newest report of each field.
 * Copies, late ones and any order end in the same documents.
 */
export class IssueStore {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #tenantOf: (adAccountId: string) => string | undefined | Promise<string | undefined>;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
    this.#tenantOf = readThrough((adAccountId) => this.#readOwner(adAccountId), { now });
  }

  /** Records changes; resolves once they are durable. Accounts of no tenant are counted and let go. */
  async record(changes: readonly ToldChange[]): Promise<{ readonly recorded: number; readonly ofNobody: number }> {
    const byAccount = Map.groupBy(changes, ({ adAccountId }) => adAccountId);
    const accounts = [...byAccount];
    let recorded = 0;
    for (let from = 0; from < accounts.length; from += accountsAtOnce) {
      const counts = await Promise.all(
        accounts.slice(from, from + accountsAtOnce).map(async ([adAccountId, told]) => {
          const tenantId = await this.#tenantOf(adAccountId);
          if (tenantId === undefined) return 0;
          await this.#recordOf(tenantId, adAccountId, told);
          return told.length;
        }),
      );
      recorded += counts.reduce((sum, count) => sum + count, 0);
    }
    return { recorded, ofNobody: changes.length - recorded };
  }

  /** The objects that have trouble, the longest first. */
  async open(tenantId: string): Promise<Issue[]> {
    const page = await this.#db.collection(paths.issues(tenantId)).where('isOpen', '==', true).limit(openShown).get();
    return page.docs
      .flatMap((row) => readDocument(row, issueSchema) ?? [])
      .toSorted((left, right) => left.since.localeCompare(right.since));
  }

  async #readOwner(adAccountId: string): Promise<string | undefined> {
    const found = await this.#db
      .collection(collections.tenants)
      .where('assets.adAccountId', '==', adAccountId)
      .limit(1)
      .get();
    const row = found.docs[0];
    if (row !== undefined) return readDocument(row, tenantSchema)?.tenantId;
    // Not live yet, perhaps for weeks, or the account it was operated with before a migration: the step that opened it knows.
    const opened = await this.#db
      .collectionGroup(collectionGroups.steps)
      .where('products.adAccountId', '==', adAccountId)
      .limit(1)
      .get();
    const step = opened.docs[0];
    return step && readDocument(step, stepSchema)?.tenantId;
  }

  async #recordOf(tenantId: string, adAccountId: string, told: readonly ToldChange[]): Promise<void> {
    const objects = [...Map.groupBy(told, ({ value }) => objectOf(value, adAccountId))];
    for (let from = 0; from < objects.length; from += objectsPerTransaction) {
      const some = objects.slice(from, from + objectsPerTransaction);
      await this.#db.runTransaction(async (transaction) => {
        const references = some.map(([objectId]) =>
          this.#db.doc(paths.issue(tenantId, hash('sha256', `${adAccountId}/${objectId}`).slice(0, 32))),
        );
        const snapshots = await transaction.getAll(...references);
        for (const [index, [objectId, ofObject]] of some.entries()) {
          const snapshot = snapshots[index];
          const known = snapshot && readDocument(snapshot, issueSchema);
          const merged = this.#merge(known, adAccountId, objectId, ofObject, references[index]?.id ?? '');
          if (snapshot !== undefined && merged !== undefined) transaction.set(snapshot.ref, merged);
        }
      });
    }
  }

  /** Undefined when nothing of it is new. */
  #merge(
    known: Issue | undefined,
    adAccountId: string,
    objectId: string,
    told: readonly ToldChange[],
    issueId: string,
  ): Issue | undefined {
    const now = this.#now();
    const reports = { ...known?.reports };
    let level = known?.level ?? null;
    let isNew = false;
    for (const { at, field, value } of told) {
      const kept = newer(reports[field], reportOf(field, at, value));
      if (kept === reports[field]) continue;
      reports[field] = kept;
      level = levelOf(value) ?? level;
      isNew = true;
    }
    if (!isNew) return undefined;
    const open = isOpen(reports);
    const since = known?.isOpen === true && open ? known.since : (reports['with_issues_ad_objects']?.at ?? told[0]?.at);
    return {
      issueId,
      adAccountId,
      objectId,
      level,
      reports,
      isOpen: open,
      since: since ?? now.toISOString(),
      updatedAt: now.toISOString(),
      expireAt: new Date(now.getTime() + retentionMs),
    };
  }
}
