import type { DocumentReference, Firestore } from '@google-cloud/firestore';
import { collections, paths, tenantSchema } from '../contracts/documents.ts';
import type { OutboxMessage, Tenant } from '../contracts/documents.ts';
import { teardownIdOf } from '../contracts/teardown-documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { consumeInTransaction } from './connect-state-store.ts';
import type { ConnectStateProof, StateVerdict } from './connect-state-store.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** What a tenant is created from; the slug becomes its id. */
export type TenantFacts = Pick<
  Tenant,
  'slug' | 'name' | 'planId' | 'vertical' | 'skus' | 'country' | 'currency' | 'timezone' | 'domains'
>;

export type Creation =
  | { readonly kind: 'created' | 'same'; readonly tenant: Tenant }
  /** The slug belongs to a tenant with other facts; `differing` names them. */
  | { readonly kind: 'taken'; readonly differing: readonly string[] }
  /** A tenant of that slug was offboarded: names at Meta, secrets and the audit stay its own. */
  | { readonly kind: 'retired' };

/** What a client's consent gave, before it has a number. */
export interface NewConnection {
  readonly tenantId: string;
  readonly metaUserId: string;
  readonly pageId: string | null;
  readonly userTokenVersion: string;
}

export type Connected =
  | { readonly kind: 'connected'; readonly connection: number; readonly messages: OutboxMessage[] }
  | { readonly kind: 'unknown-tenant' }
  /** The single-use state this connection rests on was refused; nothing was written. */
  | { readonly kind: 'refused'; readonly verdict: Exclude<StateVerdict, { kind: 'ok' }> };

/** Tenants as facts, acceptance of terms and connections. What provisioning does with them is the step store's. */
export class TenantStore {
  readonly #db: Firestore;
  readonly #outbox: Pick<Outbox, 'add'>;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; outbox: Pick<Outbox, 'add'>; now: () => Date }) {
    this.#db = options.db;
    this.#outbox = options.outbox;
    this.#now = options.now;
  }

  /** Creates the tenant once: the same facts again find it, other facts under the same slug are refused. */
  async create(facts: TenantFacts, actor: string): Promise<Creation> {
    const at = this.#now().toISOString();
    const reference = this.#doc(facts.slug);
    return this.#db.runTransaction(async (transaction): Promise<Creation> => {
      const [snapshot, ended] = await transaction.getAll(reference, this.#endOf(facts.slug));
      if (ended?.exists === true) return { kind: 'retired' };
      const known = snapshot && readDocument(snapshot, tenantSchema);
      if (known !== undefined) {
        const differing = (Object.keys(facts) as (keyof TenantFacts)[]).filter(
          (field) => JSON.stringify(known[field]) !== JSON.stringify(facts[field]),
        );
        return differing.length === 0 ? { kind: 'same', tenant: known } : { kind: 'taken', differing };
      }
      const tenant: Tenant = {
        tenantId: facts.slug,
        ...facts,
        domainVerification: 'auto',
        status: 'created',
        createdAt: at,
        createdBy: actor,
        terms: null,
        connection: null,
        currentRunId: null,
      };
      const audit = await openAuditStream(transaction, this.#db, facts.slug, 'tenant');
      transaction.create(reference, tenant);
      audit.append({ at, actor, action: 'tenant-created', subject: facts.slug, detail: { ...facts } });
      return { kind: 'created', tenant };
    });
  }

  /** Records the acceptance once; accepting again changes nothing. Undefined when there is no such tenant. */
  async acceptTerms(tenantId: string, acceptedBy: string, actor: string): Promise<Tenant | undefined> {
    const at = this.#now().toISOString();
    const reference = this.#doc(tenantId);
    return this.#db.runTransaction(async (transaction) => {
      const tenant = readDocument(await transaction.get(reference), tenantSchema);
      if (tenant === undefined || tenant.terms !== null) return tenant;
      const terms = { tos: true, dataSharing: true, acceptedBy, acceptedAt: at } as const;
      const status = tenant.status === 'created' ? 'terms-accepted' : tenant.status;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      transaction.update(reference, { terms, status });
      audit.append({
        at,
        actor,
        action: 'terms-accepted',
        subject: tenantId,
        detail: { tos: true, dataSharing: true, acceptedBy },
      });
      return { ...tenant, terms, status };
    });
  }

  async read(tenantId: string): Promise<Tenant | undefined> {
    return readDocument(await this.#doc(tenantId).get(), tenantSchema);
  }

  /** Tenants in the order of their ids, after `afterId`; at most `limit`. */
  async list(limit: number, afterId: string | undefined): Promise<Tenant[]> {
    const all = this.#db.collection(collections.tenants).orderBy('tenantId');
    const page = await (afterId === undefined ? all : all.startAfter(afterId)).limit(limit).get();
    return page.docs.flatMap((row) => readDocument(row, tenantSchema) ?? []);
  }

  /**
   * Records a connection under the next number, and the `tenant-connected` message that announces it, in one
   * transaction. Given a `state`, that is consumed in the same transaction, so a form sent twice connects once.
   */
  async connect(connection: NewConnection, traceparent: string, state?: ConnectStateProof): Promise<Connected> {
    const now = this.#now();
    const at = now.toISOString();
    const reference = this.#doc(connection.tenantId);
    return this.#db.runTransaction(async (transaction): Promise<Connected> => {
      const tenant = readDocument(await transaction.get(reference), tenantSchema);
      if (tenant === undefined || tenant.status === 'offboarding') return { kind: 'unknown-tenant' };
      const audit = await openAuditStream(transaction, this.#db, connection.tenantId, 'tenant');
      if (state !== undefined) {
        const verdict = await consumeInTransaction(transaction, this.#db, state, now);
        if (verdict.kind !== 'ok') return { kind: 'refused', verdict };
      }
      const { tenantId, metaUserId, pageId, userTokenVersion } = connection;
      const number = (tenant.connection?.number ?? 0) + 1;
      transaction.update(reference, {
        connection: { number, metaUserId, pageId, userTokenVersion, connectedAt: at, deauthorizedAt: null },
      });
      const envelope: Envelope<'tenant-connected'> = {
        eventId: `${tenantId}:connected:${number}`,
        type: 'tenant-connected',
        version: 1,
        tenantId,
        at,
        traceparent,
        data: { connection: number },
      };
      const message = this.#outbox.add(transaction, envelope, reference.path);
      audit.append({
        at,
        actor: 'client',
        action: 'connected',
        subject: tenantId,
        detail: { number, metaUserId, pageId, userTokenVersion },
      });
      return { kind: 'connected', connection: number, messages: [message] };
    });
  }

  #endOf(tenantId: string): DocumentReference {
    return this.#db.doc(paths.teardown(teardownIdOf('offboarding', tenantId, null)));
  }

  #doc(tenantId: string): DocumentReference {
    return this.#db.doc(paths.tenant(tenantId));
  }
}
