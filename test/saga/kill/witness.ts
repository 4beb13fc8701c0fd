/**
 * The database that the killed and stopped processes share, and a witness of who writes what in it. Each process has a
 * port of its own, so that every accepted write of a step is known by the process that made it: a process writes under a
 * fence that it took itself, or it is a zombie.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { databaseId, paths, stepSchema } from '../../../shared/contracts/documents.ts';
import type { StepRecord } from '../../../shared/contracts/documents.ts';
import * as v from 'valibot';
import { serveGrpc } from '../../local/google/grpc-service.ts';
import type { GrpcServer, GrpcService, StreamHandler, UnaryHandler } from '../../local/google/grpc-service.ts';
import type { Database } from '../../local/google/firestore/database.ts';
import { Faults } from '../../local/google/firestore/faults.ts';
import { FirestoreService } from '../../local/google/firestore/firestore-service.ts';
import { productIndexes } from '../../local/google/firestore/indexes.ts';
import { plainFields, toPlain } from '../../local/google/firestore/plain-json.ts';
import type { StoredDocument } from '../../local/google/firestore/writes.ts';

/** A step somebody works on, and the process that took it. */
export interface HeldStep {
  readonly path: string;
  readonly fence: number;
  readonly until: string;
}

const stepPath = /^tenants\/[^/]+\/runs\/[^/]+\/steps\/[^/]+$/;

export class WitnessedFirestore {
  readonly violations: string[] = [];
  readonly #service = new FirestoreService(Date.now, 1_000, productIndexes());
  readonly #grpc: GrpcService;
  readonly #database: Database;
  readonly #writer = new AsyncLocalStorage<string>();
  readonly #steps = new Map<string, StepRecord>();
  /** Paths of the steps somebody works on. */
  readonly #running = new Set<string>();
  /** `path fence` → the process that claimed the step under it. */
  readonly #claims = new Map<string, string>();
  /** Claims of steps whose worker's lease had ended. */
  takeovers = 0;
  /** Steps that came to their end. */
  finished = 0;

  constructor(projectId: string) {
    this.#grpc = this.#service.grpcService(new Faults());
    this.#database = this.#service.database(`projects/${projectId}/databases/${databaseId}`);
    this.#database.watch((changes) => {
      for (const { path, before, after } of changes) {
        if (stepPath.test(path)) this.#see(path, recordOf(before), recordOf(after));
      }
    });
  }

  /** A port of its own for a process. */
  async serve(process: string): Promise<GrpcServer> {
    const asProcess =
      <Handler extends UnaryHandler | StreamHandler>(handler: Handler) =>
      (...given: Parameters<Handler>): unknown =>
        this.#writer.run(process, () => (handler as (...all: Parameters<Handler>) => unknown)(...given));
    const all = <Handler extends UnaryHandler | StreamHandler>(handlers: Readonly<Record<string, Handler>> = {}) =>
      Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, asProcess(handler)]));
    return serveGrpc({
      services: [{ ...this.#grpc, handlers: all(this.#grpc.handlers), streams: all(this.#grpc.streams) }],
    });
  }

  /** The leases a process holds at this instant. */
  heldBy(process: string): HeldStep[] {
    const now = new Date().toISOString();
    return [...this.#running].flatMap((path) => {
      const { fence = 0, lease = null } = this.#steps.get(path) ?? {};
      const isMine = this.#claims.get(`${path} ${fence}`) === process;
      return isMine && lease !== null && lease.until > now ? [{ path, fence, until: lease.until }] : [];
    });
  }

  /** Whether somebody else has had the step since it was held. */
  isOvertaken({ path, fence }: HeldStep): boolean {
    return (this.#steps.get(path)?.fence ?? 0) > fence;
  }

  /** Whether the step still stands as its holder left it. */
  isLeft({ path, fence }: HeldStep): boolean {
    return this.#running.has(path) && this.#steps.get(path)?.fence === fence;
  }

  statusOf(tenantId: string): unknown {
    const status = this.#database.get(paths.tenant(tenantId))?.fields['status'];
    return status === undefined ? undefined : toPlain(status);
  }

  steps(): IterableIterator<StepRecord> {
    return this.#steps.values();
  }

  /** Every document as plain JSON, by path. */
  dump(): Record<string, Record<string, unknown>> {
    return Object.fromEntries(
      Array.from(this.#database.all(), (document) => [document.path, plainFields(document.fields)]),
    );
  }

  #see(path: string, before: StepRecord | undefined, after: StepRecord | undefined): void {
    if (after === undefined) return;
    this.#steps.set(path, after);
    if (after.state === 'running') this.#running.add(path);
    else this.#running.delete(path);
    const writer = this.#writer.getStore() ?? 'nobody';
    const isClaim = after.state === 'running' && after.fence === (before?.fence ?? 0) + 1;
    if (isClaim) {
      this.#claims.set(`${path} ${after.fence}`, writer);
      if (before?.state === 'running') this.takeovers += 1;
    }
    if (before?.state !== 'running') return;
    if (after.state === 'done' || after.state === 'skipped') this.finished += 1;
    const owner = this.#claims.get(`${path} ${before.fence}`);
    if (after.fence === before.fence && owner !== writer) {
      this.violations.push(
        `zombie: ${writer} wrote ${path} (${after.state}), which ${owner} holds under fence ${after.fence}`,
      );
    }
    const isLive = before.lease !== null && before.lease.until > new Date().toISOString();
    if (after.fence > before.fence && isLive) {
      this.violations.push(`lease: ${writer} took ${path} from ${owner} before ${before.lease?.until}`);
    }
  }
}

function recordOf(document: StoredDocument | undefined): StepRecord | undefined {
  return document === undefined ? undefined : v.parse(stepSchema, plainFields(document.fields));
}
