/** What people, and the monitor on their behalf, may do with a sync in hand. */
import type { Catalog, Sync } from '../../shared/contracts/catalog-documents.ts';
import type { OutboxMessage } from '../../shared/contracts/documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import type { CatalogStore } from '../../shared/gcp/catalog-store.ts';
import type { Outbox } from '../../shared/gcp/outbox.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { beginSync } from './feed-in-hand.ts';

export interface SteerServices {
  readonly catalogs: Pick<CatalogStore, 'change'>;
  readonly outbox: Pick<Outbox, 'add'>;
  readonly now: () => Date;
}

/** There is nothing of the kind to steer; `state` is what there is. */
export class NothingToSteer extends Error {
  override readonly name = 'NothingToSteer';
  readonly state: Sync['state'] | 'none';
  constructor(state: Sync['state'] | 'none') {
    super(`the sync is ${state}`);
    this.state = state;
  }
}

/** Lets a held feed through, as it was read. Audited; its alert is resolved. @throws NothingToSteer */
export async function releaseHeldFeed(
  tenantId: string,
  person: { readonly by: string; readonly reason: string },
  traceparent: string,
  services: SteerServices,
): Promise<{ readonly catalog: Catalog; readonly messages: OutboxMessage[] }> {
  const at = services.now().toISOString();
  return services.catalogs.change(
    tenantId,
    (catalog) => {
      const current = catalog?.current;
      if (catalog === undefined || current === undefined || current === null || current.state !== 'held') {
        throw new NothingToSteer(current?.state ?? 'none');
      }
      const detail = {
        syncId: current.syncId,
        guards: current.guards.map(({ guard }) => guard),
        reason: person.reason,
      };
      return {
        catalog: { ...catalog, current: { ...current, state: 'sending', released: { ...person, at } } },
        resolve: ['catalog-feed-held'],
        audit: { actor: person.by, action: 'held-feed-released', detail },
      };
    },
    traceparent,
    (transaction, { current }) => announce(transaction, tenantId, current, 'released', at, traceparent, services),
  );
}

/** Lets a sync that waits for somebody try again where it was. @throws NothingToSteer */
export async function resumeSync(
  tenantId: string,
  traceparent: string,
  services: SteerServices,
): Promise<{ readonly catalog: Catalog; readonly messages: OutboxMessage[] }> {
  const at = services.now().toISOString();
  return services.catalogs.change(
    tenantId,
    (catalog) => {
      const current = catalog?.current;
      if (catalog === undefined || current?.state !== 'waiting' || current.resumeAs === null) {
        throw new NothingToSteer(current?.state ?? 'none');
      }
      return { catalog: { ...catalog, current: { ...current, state: current.resumeAs, resumeAs: null, wait: null } } };
    },
    traceparent,
    (transaction, { current }) => announce(transaction, tenantId, current, 'resumed', at, traceparent, services),
  );
}

/**
 * Brings the last good feed to a catalog that is another than the one it was sent to: a tenant that moved to a business of
 * its own has a new, empty one. Nothing, when a sync is in hand already: it sees by itself. @throws NothingToSteer
 */
export async function fillOtherCatalog(
  tenantId: string,
  catalogId: string,
  traceparent: string,
  services: SteerServices,
): Promise<{ readonly catalog: Catalog; readonly messages: OutboxMessage[] }> {
  const now = services.now();
  return services.catalogs.change(
    tenantId,
    (catalog) => {
      const { current = null, lastGood = null } = catalog ?? {};
      if (catalog === undefined || current !== null || lastGood === null || catalog.catalogId === catalogId) {
        throw new NothingToSteer(current?.state ?? 'none');
      }
      const feed = { ...lastGood.feed, eventId: `${lastGood.feed.eventId}:${catalogId}` };
      return { catalog: beginSync(catalog, feed, now) };
    },
    traceparent,
    (transaction, { current }) =>
      announce(transaction, tenantId, current, 'resumed', now.toISOString(), traceparent, services),
  );
}

/** The messages of such a change; none when there is nothing of the kind to steer (any more). */
export async function ifThereIsAny(
  change: Promise<{ readonly messages: OutboxMessage[] }>,
): Promise<readonly OutboxMessage[]> {
  try {
    return (await change).messages;
  } catch (error) {
    if (error instanceof NothingToSteer) return [];
    throw error;
  }
}

/** The message that brings catalog-sync back to the tenant. */
function announce(
  transaction: FirebaseFirestore.Transaction,
  tenantId: string,
  current: Sync | null,
  cause: 'released' | 'resumed',
  at: string,
  traceparent: string,
  { outbox }: SteerServices,
): OutboxMessage[] {
  if (current === null) return [];
  const { source, format, sha256, intervalHours } = current.feed;
  const envelope: Envelope<'feed-updated'> = {
    eventId: `${tenantId}:${current.syncId}:${cause}:${at}`,
    type: 'feed-updated',
    version: 1,
    tenantId,
    at,
    traceparent,
    data: { source, format, sha256, intervalHours, cause },
  };
  return [outbox.add(transaction, envelope, paths.catalog(tenantId))];
}
