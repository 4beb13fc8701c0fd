/**
 * The Listen stream behind `onSnapshot`: each target's documents first, then what every commit changes about them.
 * Commits that come faster than the event loop turns are reported together, as Firestore may.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { GrpcCode, GrpcError, statusReply } from '../grpc-service.ts';
import type { ListenRequest, ListenTarget } from './wire.ts';
import type { Change, Database } from './database.ts';
import { compileQuery } from './query.ts';
import type { StoredDocument } from './writes.ts';

type Target = {
  readonly id: number;
  covers(path: string): boolean;
  evaluate(): ReadonlyMap<string, StoredDocument>;
  known: ReadonlyMap<string, StoredDocument>;
};

export type ListenCall = ServerDuplexStream<ListenRequest, object>;

/** Serves one Listen stream until its client ends it. */
export function serveListen(call: ListenCall, databaseOf: (name: string) => Database): void {
  let session: ListenSession | undefined;
  call.on('data', (request: ListenRequest) => {
    try {
      session ??= new ListenSession(call, databaseOf(request.database));
      if (request.targetChange === 'addTarget') session.add(request.addTarget);
      else session.remove(request.removeTarget);
    } catch (error) {
      session?.close();
      call.emit('error', statusReply(error));
    }
  });
  const close = (): void => session?.close();
  call.on('end', () => {
    close();
    call.end();
  });
  call.on('cancelled', close);
  call.on('close', close);
}

class ListenSession {
  readonly #call: ListenCall;
  readonly #database: Database;
  readonly #targets = new Map<number, Target>();
  readonly #unwatch: () => void;
  readonly #changed = new Set<string>();
  #flush: NodeJS.Immediate | undefined;

  constructor(call: ListenCall, database: Database) {
    this.#call = call;
    this.#database = database;
    this.#unwatch = database.watch((changes) => this.#note(changes));
  }

  add(wanted: ListenTarget): void {
    const target = this.#compile(wanted);
    this.#targets.set(target.id, target);
    this.#sendTargetChange('ADD', [target.id]);
    // A client that resumes still holds what it had. Nothing is kept here to compute the difference from, so it starts afresh.
    if (wanted.resumeToken && wanted.resumeToken.length > 0) this.#sendTargetChange('RESET', [target.id]);
    target.known = target.evaluate();
    for (const document of target.known.values()) this.#sendDocument(target, document);
    if (wanted.targetType === 'documents')
      for (const name of wanted.documents.documents)
        if (!target.known.has(this.#database.documentPath(name))) this.#sendGone('documentDelete', target, name);
    this.#sendTargetChange('CURRENT', [target.id]);
    this.#sendTargetChange('NO_CHANGE', []);
  }

  remove(id: number): void {
    this.#targets.delete(id);
    this.#sendTargetChange('REMOVE', [id]);
  }

  close(): void {
    this.#unwatch();
    clearImmediate(this.#flush);
  }

  #compile(wanted: ListenTarget): Target {
    const known = new Map<string, StoredDocument>();
    if (wanted.targetType === 'query') {
      const query = compileQuery(this.#database, wanted.query.parent, wanted.query.structuredQuery);
      const evaluate = (): ReadonlyMap<string, StoredDocument> =>
        new Map(query.run().documents.map((document) => [document.path, document]));
      return { id: wanted.targetId, covers: (path) => query.covers(path), evaluate, known };
    }
    if (wanted.targetType !== 'documents')
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A target must be a query or documents.');
    const paths = new Set(wanted.documents.documents.map((name) => this.#database.documentPath(name)));
    const evaluate = (): ReadonlyMap<string, StoredDocument> => {
      const found = new Map<string, StoredDocument>();
      for (const path of paths) {
        const document = this.#database.get(path);
        if (document) found.set(path, document);
      }
      return found;
    };
    return { id: wanted.targetId, covers: (path) => paths.has(path), evaluate, known };
  }

  #note(changes: readonly Change[]): void {
    for (const { path } of changes) this.#changed.add(path);
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      this.#report();
    });
  }

  #report(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    let reported = false;
    for (const target of this.#targets.values()) {
      if (!changed.some((path) => target.covers(path))) continue;
      reported = true;
      const before = target.known;
      target.known = target.evaluate();
      for (const path of before.keys()) {
        if (target.known.has(path)) continue;
        const kind = this.#database.get(path) ? 'documentRemove' : 'documentDelete';
        this.#sendGone(kind, target, `${this.#database.documentsRoot}/${path}`);
      }
      for (const [path, document] of target.known)
        if (before.get(path) !== document) this.#sendDocument(target, document);
    }
    if (reported) this.#sendTargetChange('NO_CHANGE', []);
  }

  #sendTargetChange(targetChangeType: string, targetIds: number[]): void {
    const readTime = this.#database.readTime();
    const resumeToken = Buffer.from(`${readTime.seconds}.${readTime.nanos}`);
    this.#call.write({ targetChange: { targetChangeType, targetIds, readTime, resumeToken } });
  }

  #sendDocument(target: Target, document: StoredDocument): void {
    this.#call.write({ documentChange: { document: this.#database.toWire(document), targetIds: [target.id] } });
  }

  #sendGone(kind: 'documentDelete' | 'documentRemove', target: Target, document: string): void {
    const readTime = this.#database.readTime();
    this.#call.write({ [kind]: { document, removedTargetIds: [target.id], readTime } });
  }
}
