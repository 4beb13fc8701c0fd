/** google.firestore.v1.Firestore: its methods over the databases in memory. One database exists for every name a call uses. */
import { Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import {
  GrpcCode,
  GrpcError,
  type GrpcService,
  readProtoJson,
  type StreamHandler,
  type UnaryHandler,
} from '../grpc-service.ts';
import type {
  Aggregation,
  BatchGetRequest,
  BatchWriteRequest,
  BeginRequest,
  CommitRequest,
  GetRequest,
  ListCollectionIdsRequest,
  ListDocumentsRequest,
  ReadConsistency,
  RollbackRequest,
  RunAggregationRequest,
  RunQueryRequest,
  StructuredQuery,
  WriteResult,
} from './wire.ts';
import { aggregate } from './aggregate.ts';
import { type CommitResult, Database, lastSegment } from './database.ts';
import type { Faults } from './faults.ts';
import { assertIndexed, type IndexFile } from './indexes.ts';
import { type ListenCall, serveListen } from './listen.ts';
import { type CompiledQuery, compileQuery } from './query.ts';
import { assertNotAborted, sameDocuments, type Transaction, Transactions } from './transactions.ts';
import { compareUtf8 } from './values.ts';
import { type StoredDocument, writtenName } from './writes.ts';

type ServerStream<Request> = ServerWritableStream<Request, object>;

export class FirestoreService {
  readonly databases = new Map<string, Database>();
  readonly transactions: Transactions;
  readonly #nowMs: () => number;
  readonly #indexes: IndexFile | undefined;

  /** Without an index file every query is answered. */
  constructor(nowMs: () => number, lockIdleMs: number, indexes?: IndexFile) {
    this.#nowMs = nowMs;
    this.#indexes = indexes;
    this.transactions = new Transactions(lockIdleMs);
  }

  grpcService(faults: Faults): GrpcService {
    const unary: Record<string, UnaryHandler> = {
      getDocument: (request: GetRequest) => this.#getDocument(request),
      commit: (request: CommitRequest) => this.#commit(request),
      batchWrite: (request: BatchWriteRequest) => this.#batchWrite(request),
      beginTransaction: (request: BeginRequest) => this.#beginTransaction(request),
      rollback: (request: RollbackRequest) => this.transactions.endById(request.transaction),
      listDocuments: (request: ListDocumentsRequest) => this.#listDocuments(request),
      listCollectionIds: (request: ListCollectionIdsRequest) => this.#listCollectionIds(request),
      // One partition, the whole query, is a valid answer.
      partitionQuery: () => ({ partitions: [] }),
    };
    const streams: Record<string, StreamHandler> = {
      batchGetDocuments: (call: ServerStream<BatchGetRequest>) => this.#batchGetDocuments(call),
      runQuery: (call: ServerStream<RunQueryRequest>) => this.#runQuery(call),
      runAggregationQuery: (call: ServerStream<RunAggregationRequest>) => this.#runAggregationQuery(call),
      listen: (call: ListenCall) => serveListen(call, (name) => this.database(name)),
    };
    return {
      protoJson: readProtoJson('@google-cloud/firestore', 'build/protos/v1.json'),
      serviceName: 'google.firestore.v1.Firestore',
      handlers: Object.fromEntries(Object.entries(unary).map(([name, handler]) => [name, faults.unary(name, handler)])),
      streams: Object.fromEntries(
        Object.entries(streams).map(([name, handler]) => [name, answeringAtOnce(faults.stream(name, handler))]),
      ),
    };
  }

  /** The database a resource name belongs to. */
  database(resourceName: string): Database {
    const name = /^projects\/[^/]+\/databases\/[^/]+/.exec(resourceName)?.[0];
    if (name === undefined)
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `"${resourceName}" does not name a Firestore database.`);
    let database = this.databases.get(name);
    if (!database) {
      database = new Database(name, this.#nowMs);
      this.databases.set(name, database);
    }
    return database;
  }

  async #getDocument(request: GetRequest): Promise<object> {
    const database = this.database(request.name);
    const path = database.documentPath(request.name);
    await this.#read(request, (transaction) => this.transactions.lock(transaction, [path]));
    const document = database.get(path);
    if (!document) throw new GrpcError(GrpcCode.NOT_FOUND, `Document "${request.name}" not found.`);
    return database.toWire(document, request.mask);
  }

  async #batchGetDocuments(call: ServerStream<BatchGetRequest>): Promise<void> {
    const { request } = call;
    const database = this.database(request.database);
    const paths = request.documents.map((name) => database.documentPath(name));
    const started = await this.#read(request, (transaction) => this.transactions.lock(transaction, paths));
    if (started) call.write(started);
    const readTime = database.readTime();
    for (const path of new Set(paths)) {
      const document = database.get(path);
      if (document) call.write({ found: database.toWire(document, request.mask), readTime });
      else call.write({ missing: `${database.documentsRoot}/${path}`, readTime });
    }
    call.end();
  }

  async #runQuery(call: ServerStream<RunQueryRequest>): Promise<void> {
    const { request } = call;
    const database = this.database(request.parent);
    const { query, documents, skipped, started } = await this.#query(request, request.structuredQuery);
    const readTime = database.readTime();
    if (started) call.write(started);
    // The first answer carries what the offset passed over, and is sent even when nothing was found.
    call.write({ readTime, skippedResults: skipped });
    for (const document of documents) call.write({ document: database.toWire(document, query.mask), readTime });
    call.end();
  }

  async #runAggregationQuery(call: ServerStream<RunAggregationRequest>): Promise<void> {
    const { structuredQuery, aggregations } = call.request.structuredAggregationQuery;
    const database = this.database(call.request.parent);
    const { documents, started } = await this.#query(call.request, structuredQuery, aggregations);
    const result = { aggregateFields: aggregate(documents, aggregations) };
    call.write({ ...started, result, readTime: database.readTime() });
    call.end();
  }

  async #query(
    request: ReadConsistency & { parent: string },
    structured: StructuredQuery,
    aggregations: readonly Aggregation[] = [],
  ): Promise<{ query: CompiledQuery; documents: readonly StoredDocument[]; skipped: number; started: Started }> {
    const query = compileQuery(this.database(request.parent), request.parent, structured);
    if (this.#indexes) assertIndexed(this.#indexes, structured, aggregations);
    let result = query.run();
    const started = await this.#read(request, async (transaction) => {
      while (
        await this.transactions.lock(
          transaction,
          result.documents.map((document) => document.path),
        )
      )
        result = query.run();
      transaction.reads.push({ again: () => query.run().documents, found: result.documents });
    });
    return { query, ...result, started };
  }

  async #commit(request: CommitRequest): Promise<CommitResult> {
    const database = this.database(request.database);
    const paths = request.writes.map((write) => database.documentPath(writtenName(write)));
    if (request.transaction.length === 0) {
      return await this.transactions.whenFree(paths, () => database.commit(request.writes));
    }
    return await this.transactions.during(request.transaction, async (transaction) => {
      try {
        await this.transactions.lock(transaction, paths);
        assertNotAborted(transaction);
        if (!transaction.reads.every(({ again, found }) => sameDocuments(again(), found)))
          throw new GrpcError(GrpcCode.ABORTED, 'A query of this transaction finds other documents by now.');
        return database.commit(request.writes);
      } finally {
        this.transactions.end(transaction);
      }
    });
  }

  async #batchWrite(request: BatchWriteRequest): Promise<object> {
    const database = this.database(request.database);
    const paths = request.writes.map((write) => database.documentPath(writtenName(write)));
    if (new Set(paths).size < paths.length)
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A document may be written only once in a BatchWrite.');
    const outcomes = await Promise.all(
      request.writes.map(async (write, index): Promise<{ result: WriteResult; status: object }> => {
        try {
          const own = paths.slice(index, index + 1);
          const [result] = (await this.transactions.whenFree(own, () => database.commit([write]))).writeResults;
          return { result: result ?? NO_RESULT, status: { code: GrpcCode.OK } };
        } catch (error) {
          if (!(error instanceof GrpcError)) throw error;
          return { result: NO_RESULT, status: { code: error.code, message: error.message } };
        }
      }),
    );
    return { writeResults: outcomes.map(({ result }) => result), status: outcomes.map(({ status }) => status) };
  }

  #beginTransaction(request: BeginRequest): object {
    assertCurrentRead(request.options?.readOnly?.readTime);
    return { transaction: Buffer.from(this.transactions.begin().id, 'base64') };
  }

  /** Runs a read's locking in its transaction, if it has one; answers the id of one begun by this very read. */
  async #read(request: ReadConsistency, lock: (transaction: Transaction) => Promise<unknown>): Promise<Started> {
    assertCurrentRead(request.readTime);
    if (request.transaction && request.transaction.length > 0) {
      await this.transactions.during(request.transaction, lock);
      return undefined;
    }
    if (!request.newTransaction) return undefined;
    assertCurrentRead(request.newTransaction.readOnly?.readTime);
    const id = Buffer.from(this.transactions.begin().id, 'base64');
    await this.transactions.during(id, lock);
    return { transaction: id };
  }

  #listDocuments(request: ListDocumentsRequest): object {
    assertCurrentRead(request.readTime);
    const database = this.database(request.parent);
    const parent = database.relative(request.parent);
    const collection = parent === '' ? request.collectionId : `${parent}/${request.collectionId}`;
    const paths = new Set([...database.collection(collection)].map((document) => document.path));
    if (request.showMissing)
      for (const below of database.collectionsBelow(collection, ''))
        paths.add(`${collection}/${below.slice(collection.length + 1).split('/', 1)[0]}`);
    const page = pageOf([...paths], request);
    return {
      documents: page.items.map((path) => {
        const document = database.get(path);
        return document ? database.toWire(document, request.mask) : { name: `${database.documentsRoot}/${path}` };
      }),
      nextPageToken: page.nextPageToken,
    };
  }

  #listCollectionIds(request: ListCollectionIdsRequest): object {
    const database = this.database(request.parent);
    const parent = database.relative(request.parent);
    const start = parent === '' ? 0 : parent.length + 1;
    const ids = new Set<string>();
    for (const path of database.collectionsBelow(parent, ''))
      ids.add(path.slice(start).split('/', 1)[0] ?? lastSegment(path));
    const page = pageOf([...ids], request);
    return { collectionIds: page.items, nextPageToken: page.nextPageToken };
  }
}

/**
 * Sends the response headers first. The client waits 2 s and repeats a stream, whatever its error, when that error is all it
 * gets; after headers it decides by the code.
 */
function answeringAtOnce(handler: StreamHandler): StreamHandler {
  return (call) => {
    if ('sendMetadata' in call) call.sendMetadata(new Metadata());
    return handler(call);
  };
}

type Started = { transaction: Buffer } | undefined;

const NO_RESULT: WriteResult = { updateTime: null, transformResults: [] };

/** Only current versions are kept, so a read in the past cannot be answered. */
function assertCurrentRead(readTime: object | null | undefined): void {
  if (readTime) throw new GrpcError(GrpcCode.UNIMPLEMENTED, 'Reads at a past time are not embedded.');
}

/** The page token is the last item of the page before. */
function pageOf(
  items: string[],
  request: { pageSize: number; pageToken: string },
): { items: string[]; nextPageToken: string } {
  const after = Buffer.from(request.pageToken, 'base64url').toString();
  const rest = items.sort(compareUtf8).filter((item) => after === '' || compareUtf8(item, after) > 0);
  if (request.pageSize <= 0 || rest.length <= request.pageSize) return { items: rest, nextPageToken: '' };
  const page = rest.slice(0, request.pageSize);
  return { items: page, nextPageToken: Buffer.from(page.at(-1) ?? '').toString('base64url') };
}
