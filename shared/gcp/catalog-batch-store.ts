import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Firestore } from '@google-cloud/firestore';
import { catalogBatchSchema, catalogProblemsSchema } from '../contracts/catalog-documents.ts';
import type { CatalogBatch, CatalogProblem } from '../contracts/catalog-documents.ts';
import { paths } from '../contracts/documents.ts';
import { readDocument } from './firestore.ts';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** A document holds at most 1 MiB, of which the entries take up to 0.3. */
const maxRequestBytes = 650_000;
/** A held plan can be released for so long. */
const keptMs = 14 * 86_400_000;
const problemsPerDocument = 200;

const emptyBytes = new Uint8Array();

/** The requests of a sync, in batches as they are sent, and what is wrong with the rows of its feed. */
export class CatalogBatchStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /**
   * Keeps a batch to be sent. Requests that stay too large when compressed are refused (`false`): the caller splits them.
   * Writing the same batch again, after a crash, changes nothing.
   */
  async plan(
    batch: { readonly tenantId: string; readonly syncId: string; readonly n: number; readonly items: number },
    requestsJson: string,
    entries: Uint8Array,
  ): Promise<boolean> {
    const requests = await zip(requestsJson, { level: 1 });
    if (requests.length > maxRequestBytes && batch.items > 1) return false;
    const document: CatalogBatch = {
      ...batch,
      state: 'planned',
      requests,
      entries: new Uint8Array(entries),
      handle: null,
      sentAt: null,
      checkAt: null,
      checks: 0,
      tries: 0,
      rejected: [],
      isLost: false,
      expireAt: this.#expiry(),
    };
    await this.#db.doc(paths.catalogBatch(batch.tenantId, batch.syncId, batch.n)).set(document);
    return true;
  }

  async read(tenantId: string, syncId: string, n: number): Promise<CatalogBatch | undefined> {
    return readDocument(await this.#db.doc(paths.catalogBatch(tenantId, syncId, n)).get(), catalogBatchSchema);
  }

  /** Batches in a state, without their bytes: by number, at most `limit`. */
  async heads(
    tenantId: string,
    syncId: string,
    state: CatalogBatch['state'],
    limit: number,
  ): Promise<Pick<CatalogBatch, 'n' | 'items' | 'handle' | 'checkAt' | 'checks' | 'sentAt'>[]> {
    const rows = await this.#db
      .collection(paths.catalogBatches(tenantId))
      .where('syncId', '==', syncId)
      .where('state', '==', state)
      .orderBy('n')
      .limit(limit)
      .select('n', 'items', 'handle', 'checkAt', 'checks', 'sentAt')
      .get();
    return rows.docs.map(
      (row) => row.data() as Pick<CatalogBatch, 'n' | 'items' | 'handle' | 'checkAt' | 'checks' | 'sentAt'>,
    );
  }

  async update(
    batch: Pick<CatalogBatch, 'tenantId' | 'syncId' | 'n'>,
    changes: Partial<Omit<CatalogBatch, 'tenantId' | 'syncId' | 'n' | 'requests'>> & { readonly dropRequests?: true },
  ): Promise<void> {
    const { dropRequests, ...fields } = changes;
    await this.#db
      .doc(paths.catalogBatch(batch.tenantId, batch.syncId, batch.n))
      .update({ ...fields, ...(dropRequests === true ? { requests: emptyBytes } : {}) });
  }

  /** The requests of a batch as they are sent. */
  async requestsOf(batch: CatalogBatch): Promise<unknown[]> {
    return JSON.parse((await unzip(batch.requests)).toString('utf8')) as unknown[];
  }

  /** Removes a sync's batches and, with them, what could be sent of it. */
  async remove(tenantId: string, syncId: string): Promise<void> {
    for (;;) {
      const rows = await this.#db
        .collection(paths.catalogBatches(tenantId))
        .where('syncId', '==', syncId)
        .limit(100)
        .select()
        .get();
      await Promise.all(rows.docs.map((row) => row.ref.delete()));
      if (rows.size < 100) return;
    }
  }

  /** Keeps problems of a sync; `part` names the document, so that a part written twice is one. */
  async addProblems(
    tenantId: string,
    syncId: string,
    part: string,
    problems: readonly CatalogProblem[],
  ): Promise<void> {
    for (let start = 0; start < problems.length; start += problemsPerDocument) {
      const some = problems.slice(start, start + problemsPerDocument);
      const name = `${syncId}-${part}-${String(start / problemsPerDocument).padStart(4, '0')}`;
      await this.#db.doc(`${paths.catalogProblems(tenantId)}/${name}`).set({
        tenantId,
        syncId,
        lastRow: Math.max(...some.map(({ row }) => row)),
        problems: some,
        expireAt: this.#expiry(),
      });
    }
  }

  /** The first problems of a sync in the order of the rows; at most `limit`. */
  async problemsOf(tenantId: string, syncId: string, limit: number): Promise<CatalogProblem[]> {
    const rows = await this.#db
      .collection(paths.catalogProblems(tenantId))
      .where('syncId', '==', syncId)
      .orderBy('lastRow')
      .limit(Math.ceil(limit / problemsPerDocument) + 50)
      .get();
    const problems = rows.docs.flatMap((row) => readDocument(row, catalogProblemsSchema)?.problems ?? []);
    return problems.toSorted((left, right) => left.row - right.row).slice(0, limit);
  }

  #expiry(): Date {
    return new Date(this.#now().getTime() + keptMs);
  }
}
