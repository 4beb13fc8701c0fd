/**
 * The embedded Firestore without the wire, for proofs of thousands of runs: Google's own client (its transactions, retries
 * and value codec) calls the same engine as over gRPC, through the same protobuf requests, but in this process. What is
 * left out is HTTP/2 and gax, which cost most of the time and decide nothing here. A query without its index is refused.
 *
 * It replaces two methods of the client that every request goes through (`request`, `requestStream`); they are not public,
 * so an upgrade of the client may move them: then the first call fails loudly.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Firestore } from '@google-cloud/firestore';
import { Metadata } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/grpc-js';
import { databaseId } from '../../../../shared/contracts/documents.ts';
import { connectFirestore } from '../../../../shared/gcp/firestore.ts';
import { serviceDefinition, statusReply } from '../grpc-service.ts';
import type { StreamHandler } from '../grpc-service.ts';
import { expireDocuments, type TtlPolicy } from './expiry.ts';
import { Faults } from './faults.ts';
import { FirestoreService } from './firestore-service.ts';
import { productIndexes } from './indexes.ts';
import { plainFields } from './plain-json.ts';

/** One call of the client on its way to Firestore and back. `request` is what the client sends, in its own shape. */
export interface FirestoreCall {
  readonly method: string;
  readonly request: object;
  /** How many documents, there or missing, Firestore answered with; known afterwards only. */
  readonly documents?: number;
}

/** Stands between the client and the engine: may wait, never return (a dead process), or throw what the client then sees. */
export interface FirestoreSeam {
  before?(call: FirestoreCall): Promise<void>;
  /** After the engine has done it, before the client hears of it. */
  after?(call: FirestoreCall): Promise<void>;
}

export interface InProcessFirestore {
  readonly faults: Faults;
  /** A client of its own, as a process has it. */
  connect(seam?: FirestoreSeam): Firestore;
  /** Every document as plain JSON, by path. */
  dump(): Record<string, Record<string, unknown>>;
  clear(): void;
  /** As in the embedded Firestore. */
  expire(now: Date): number;
  /** Calls by method since the start. */
  readonly calls: ReadonlyMap<string, number>;
}

type AnyMethod = MethodDefinition<object, object>;

export function createInProcessFirestore(options: {
  projectId: string;
  nowMs?: () => number;
  /** As in the embedded Firestore; here a dead process's locks should not keep anybody waiting. */
  lockIdleMs?: number;
  ttl?: readonly TtlPolicy[];
}): InProcessFirestore {
  const faults = new Faults();
  const service = new FirestoreService(options.nowMs ?? Date.now, options.lockIdleMs ?? 1_000, productIndexes());
  const grpc = service.grpcService(faults);
  const methods = new Map(
    Object.values(serviceDefinition(grpc)).map((method) => [nameOf(method.path), method as AnyMethod]),
  );
  const calls = new Map<string, number>();
  const root = `projects/${options.projectId}/databases/${databaseId}`;
  waitsTakeNoTime();

  const begin = async (name: string, request: object, seam: FirestoreSeam): Promise<object> => {
    const method = methods.get(name);
    if (method === undefined) throw new Error(`the embedded Firestore has no method ${name}`);
    calls.set(name, (calls.get(name) ?? 0) + 1);
    await seam.before?.({ method: name, request });
    return method.requestDeserialize(method.requestSerialize(request));
  };

  return {
    faults,
    calls,
    connect(seam = {}) {
      return Object.assign(connectFirestore(options.projectId), {
        request: async (name: string, request: object): Promise<object> => {
          const decoded = await begin(name, request, seam);
          const answer: unknown = await answerOf(() => grpc.handlers[name]?.(decoded, new Metadata()));
          await seam.after?.({ method: name, request });
          return typeof answer === 'object' && answer !== null ? answer : {};
        },
        requestStream: async (name: string, _bidirectional: boolean, request: object): Promise<Readable> => {
          const decoded = await begin(name, request, seam);
          const answers = await streamed(grpc.streams?.[name], decoded);
          await seam.after?.({ method: name, request, documents: answers.filter(isDocument).length });
          return name === 'batchGetDocuments' ? listOf(answers) : streamOf(answers);
        },
      });
    },
    dump: () =>
      Object.fromEntries(
        Array.from(service.database(root).all(), (document) => [document.path, plainFields(document.fields)]),
      ),
    clear() {
      faults.clear();
      service.transactions.abortAll();
      for (const database of service.databases.values()) database.clear();
    },
    expire: (now) => expireDocuments(service.databases.values(), options.ttl ?? [], now),
  };
}

/** A finished stream for a reader that only iterates: a real one costs more than everything else about a read. */
function listOf(answers: readonly object[]): Readable {
  const list = {
    resume: () => list,
    async *[Symbol.asyncIterator]() {
      yield* answers;
    },
  };
  return list as unknown as Readable;
}

/** The client ends the stream of a query itself once it has as many documents as it asked for, as gax lets it. */
function streamOf(answers: readonly object[]): Readable {
  return Object.assign(Readable.from(answers), { end: () => undefined });
}

/** Runs a streaming handler of the engine to its end. */
async function streamed(handler: StreamHandler | undefined, request: object): Promise<object[]> {
  const answers: object[] = [];
  const call = { request, write: (answer: object) => answers.push(answer), end: () => undefined };
  await answerOf(() => handler?.(call as unknown as Parameters<StreamHandler>[0]));
  return answers;
}

/** What the handler answers; what it throws, as gRPC would hand it to the client. */
async function answerOf(handle: () => unknown): Promise<unknown> {
  try {
    return await handle();
  } catch (error) {
    const { code, details } = statusReply(error);
    throw Object.assign(new Error(`${code} ${details}`), { code, details });
  }
}

/** An answer of a read that holds a document, or says that it is missing; others hold a transaction or a time only. */
function isDocument(answer: object): boolean {
  return 'found' in answer || 'missing' in answer || 'document' in answer;
}

function nameOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** The client waits before it repeats a transaction; here nothing gets better by waiting. */
function waitsTakeNoTime(): void {
  const require = createRequire(import.meta.url);
  const backoff = require(join(dirname(require.resolve('@google-cloud/firestore')), 'backoff.js')) as {
    setTimeoutHandler(handler: (run: () => void) => NodeJS.Immediate): void;
  };
  backoff.setTimeoutHandler((run) => setImmediate(run));
}
