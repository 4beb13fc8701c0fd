import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { uploadProblemsSchema, uploadSchema } from '../contracts/upload-documents.ts';
import type { RowProblem, Upload } from '../contracts/upload-documents.ts';
import { readDocument } from './firestore.ts';

/** Longer than reading one chunk ever takes; a process that dies in it blocks the upload this long. */
const chunkLeaseMs = 120_000;
/** Problems in one document: some 200 kB. */
const problemsPerPage = 1_000;

export type Claim = { readonly upload: Upload } | { readonly busyUntil: Date } | undefined;

/** Uploads and what was wrong with their rows. */
export class UploadStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Keeps a new upload; the one that is there already when its id is taken. */
  async create(upload: Upload): Promise<Upload> {
    const reference = this.#db.doc(paths.upload(upload.uploadId));
    return this.#db.runTransaction(async (transaction) => {
      const known = readDocument(await transaction.get(reference), uploadSchema);
      if (known !== undefined) return known;
      transaction.create(reference, upload);
      return upload;
    });
  }

  async read(uploadId: string): Promise<Upload | undefined> {
    return readDocument(await this.#db.doc(paths.upload(uploadId)).get(), uploadSchema);
  }

  /** Takes the upload for one reader, and says where it stands. Undefined when there is none. */
  async claim(uploadId: string, token: string): Promise<Claim> {
    const reference = this.#db.doc(paths.upload(uploadId));
    return this.#db.runTransaction(async (transaction) => {
      const upload = readDocument(await transaction.get(reference), uploadSchema);
      if (upload === undefined) return undefined;
      const now = this.#now();
      const until = upload.lease === null ? undefined : new Date(upload.lease.until);
      if (until !== undefined && until > now) return { busyUntil: until };
      transaction.update(reference, { lease: { token, until: new Date(now.getTime() + chunkLeaseMs).toISOString() } });
      return { upload };
    });
  }

  /**
   * Moves the upload on, with what was wrong with the rows read, and lets go of it. False when the claim was lost in the
   * meantime: somebody else has read, or is reading, the same rows.
   */
  async commit(upload: Upload, token: string, problems: readonly RowProblem[]): Promise<boolean> {
    const reference = this.#db.doc(paths.upload(upload.uploadId));
    return this.#db.runTransaction(async (transaction) => {
      const known = readDocument(await transaction.get(reference), uploadSchema);
      if (known?.lease?.token !== token) return false;
      transaction.set(reference, { ...upload, lease: null, updatedAt: this.#now().toISOString() } satisfies Upload);
      for (let start = 0; start < problems.length; start += problemsPerPage) {
        const page = problems.slice(start, start + problemsPerPage);
        const lastRow = page.at(-1)?.row ?? 0;
        const id = `${String(lastRow).padStart(10, '0')}-${String(start).padStart(6, '0')}`;
        transaction.set(this.#db.collection(paths.uploadProblems(upload.uploadId)).doc(id), {
          uploadId: upload.uploadId,
          tenantId: upload.tenantId,
          lastRow,
          problems: page,
          expireAt: upload.expireAt,
        });
      }
      return true;
    });
  }

  /** Lets go without having moved on. */
  async release(uploadId: string, token: string): Promise<void> {
    const reference = this.#db.doc(paths.upload(uploadId));
    await this.#db.runTransaction(async (transaction) => {
      const known = readDocument(await transaction.get(reference), uploadSchema);
      if (known?.lease?.token === token) transaction.update(reference, { lease: null });
    });
  }

  /** One page of problems, from 0, in the order of the rows. Undefined beyond the last. */
  async problems(uploadId: string, page: number): Promise<readonly RowProblem[] | undefined> {
    const pages = this.#db.collection(paths.uploadProblems(uploadId)).orderBy('lastRow');
    const [snapshot] = (await pages.offset(page).limit(1).get()).docs;
    return snapshot === undefined ? undefined : readDocument(snapshot, uploadProblemsSchema)?.problems;
  }
}
