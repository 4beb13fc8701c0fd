/** Firestore for the local stack: in memory, over gRPC, for the unchanged `@google-cloud/firestore` client. */
import { databaseId } from '../../../../shared/contracts/documents.ts';
import { serveGrpc } from '../grpc-service.ts';
import { expireDocuments, type TtlPolicy } from './expiry.ts';
import { Faults } from './faults.ts';
import { FirestoreService } from './firestore-service.ts';
import { type IndexFile, productIndexes } from './indexes.ts';
import { plainFields } from './plain-json.ts';

export type EmbeddedFirestoreOptions = {
  /** The project whose documents `dump()` names by path alone. Every other project is served too. Default `kobi-local`. */
  readonly projectId?: string;
  /** Default: any free port. */
  readonly port?: number;
  readonly ttl?: readonly TtlPolicy[];
  /** The server's clock, in milliseconds since the epoch. Update times rise even while it stands still. */
  readonly nowMs?: () => number;
  /** The indexes that exist: a query that needs another is refused, as Firestore does. Default: the product's own. */
  readonly indexes?: IndexFile | 'every';
  /** How long a transaction may go without a call while another waits for its documents. Default 1,000. */
  readonly lockIdleMs?: number;
};

export type EmbeddedFirestore = {
  /** `host:port`, for `FIRESTORE_EMULATOR_HOST`. */
  readonly host: string;
  readonly faults: Faults;
  /** Every document as plain JSON, by path (`tenants/t1`); by full resource name outside the module's database of the project. */
  dump(): Record<string, Record<string, unknown>>;
  /** Deletes everything, ends all transactions and forgets planted faults. Listeners see the documents go. */
  clear(): void;
  /** Deletes the documents whose TTL field lies at or before `now`; answers how many. Firestore does the same within a day or so. */
  expire(now: Date): number;
  close(): Promise<void>;
};

/** Starts an empty Firestore on 127.0.0.1. Reads at a past time, vector search and pipelines answer UNIMPLEMENTED. */
export async function startEmbeddedFirestore(options: EmbeddedFirestoreOptions = {}): Promise<EmbeddedFirestore> {
  const { indexes = productIndexes() } = options;
  const service = new FirestoreService(
    options.nowMs ?? Date.now,
    options.lockIdleMs ?? 1000,
    indexes === 'every' ? undefined : indexes,
  );
  const faults = new Faults();
  const server = await serveGrpc({
    ...(options.port !== undefined && { port: options.port }),
    services: [service.grpcService(faults)],
  });
  const ownRoot = `projects/${options.projectId ?? 'kobi-local'}/databases/${databaseId}/documents`;
  return {
    host: server.address,
    faults,
    dump() {
      const all: Record<string, Record<string, unknown>> = {};
      for (const database of service.databases.values()) {
        const prefix = database.documentsRoot === ownRoot ? '' : `${database.documentsRoot}/`;
        for (const document of database.all()) all[prefix + document.path] = plainFields(document.fields);
      }
      return all;
    },
    clear() {
      faults.clear();
      service.transactions.abortAll();
      for (const database of service.databases.values()) database.clear();
    },
    expire: (now) => expireDocuments(service.databases.values(), options.ttl ?? [], now),
    close: () => server.close(),
  };
}
