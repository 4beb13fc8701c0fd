/** Sends planned batches and asks what became of those sent, as far as Meta's limits and the time allow. */
import type { CatalogBatch, CatalogProblem, Sync } from '../../../shared/contracts/catalog-documents.ts';
import { unpackEntries } from '../../../shared/domain/catalog/batch-entries.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import { checkBatch, sendItems } from '../../../shared/meta/catalog-items.ts';
import { RetryLater } from '../../../shared/runtime/outcomes.ts';
import type { TenantCatalog } from '../tenant-catalog.ts';

/** Nobody says how long a batch takes; small ones take seconds. */
const firstCheckMs = 2_000;
const longestCheckMs = 3_600_000;
/** A batch whose outcome Meta does not tell by then is given up; what it held is sent again with the next feed. */
const givenUpAfterMs = 24 * 3_600_000;
/** HTTP 200 without a handle, so often, is no passing trouble. */
const maxEmptyAnswers = 3;
const emptyAnswerRetryMs = 30_000;
const headsAtOnce = 500;

export interface SendServices {
  readonly batches: CatalogBatchStore;
  readonly now: () => Date;
  /** Called before every call; true: stop sending, only ask for outcomes. May throw to stop altogether. */
  readonly progress: () => Promise<boolean>;
  /** True once this request should hand over to the next. */
  readonly isTimeUp: () => boolean;
}

export type Sent =
  /** Every batch that is to be sent was, and every outcome is known. */
  | { readonly kind: 'finished' }
  /** Something is left to do at this instant. */
  | { readonly kind: 'later'; readonly at: Date };

/** @throws GraphError, RetryLater for what stops the sync for now; all that was accepted is kept */
export async function sendBatches(
  tenantId: string,
  { syncId }: Pick<Sync, 'syncId'>,
  { catalogId, graph }: TenantCatalog,
  services: SendServices,
): Promise<Sent> {
  const { batches, isTimeUp, now, progress } = services;
  let mayNotSend = false;
  let trouble: unknown;
  const planned = await batches.heads(tenantId, syncId, 'planned', headsAtOnce);
  for (const { n } of planned) {
    if (isTimeUp()) return { kind: 'later', at: now() };
    mayNotSend = await progress();
    if (mayNotSend) break;
    try {
      await sendOne(await mustRead(batches, tenantId, syncId, n), { catalogId, graph }, services);
    } catch (error) {
      // Outcomes can still be asked for: that is another limit.
      trouble = error;
      break;
    }
  }
  let next: Date | undefined;
  for (const head of await batches.heads(tenantId, syncId, 'sent', headsAtOnce)) {
    if (isTimeUp()) return { kind: 'later', at: now() };
    const dueAt = new Date(head.checkAt ?? 0);
    let at: Date | undefined = dueAt;
    if (dueAt <= now()) {
      await progress();
      at = await checkOne(await mustRead(batches, tenantId, syncId, head.n), { catalogId, graph }, services);
    }
    if (at !== undefined && (next === undefined || at < next)) next = at;
  }
  if (trouble !== undefined) throw trouble;
  if (!mayNotSend && planned.length === headsAtOnce) return { kind: 'later', at: now() };
  return next === undefined ? { kind: 'finished' } : { kind: 'later', at: next };
}

async function sendOne(
  batch: CatalogBatch,
  { catalogId, graph }: Pick<TenantCatalog, 'catalogId' | 'graph'>,
  { batches, now }: SendServices,
): Promise<void> {
  const refused = new Set(batch.rejected);
  const requests = (await batches.requestsOf(batch)).filter((_request, place) => !refused.has(place));
  const receipt = await sendItems(graph, { catalogId, requests });
  const at = now();
  const rejected = await refuse(batch, receipt.invalid, batches);
  if (receipt.handle !== undefined) {
    await batches.update(batch, {
      state: 'sent',
      handle: receipt.handle,
      sentAt: at.toISOString(),
      checkAt: new Date(at.getTime() + firstCheckMs).toISOString(),
      rejected,
      dropRequests: true,
    });
    return;
  }
  // HTTP 200 and no handle: nothing was taken. Those Meta names are left out, and the others are sent again.
  const tries = batch.tries + 1;
  if (rejected.length === batch.items)
    await batches.update(batch, { state: 'done', rejected, tries, dropRequests: true });
  else if (rejected.length > batch.rejected.length) {
    await batches.update(batch, { rejected, tries });
    await sendOne({ ...batch, rejected, tries }, { catalogId, graph }, { batches, now } as SendServices);
  } else if (tries >= maxEmptyAnswers)
    await batches.update(batch, { state: 'done', isLost: true, tries, dropRequests: true });
  else {
    await batches.update(batch, { tries });
    throw new RetryLater('Meta took a batch without giving a handle: nothing of it was ingested', {
      afterMs: emptyAnswerRetryMs * tries,
    });
  }
}

/** When to ask next; undefined once the outcome is known. */
async function checkOne(
  batch: CatalogBatch,
  { catalogId, graph }: Pick<TenantCatalog, 'catalogId' | 'graph'>,
  { batches, now }: SendServices,
): Promise<Date | undefined> {
  const status = await checkBatch(graph, { catalogId, handle: batch.handle ?? '' });
  if (status.state === 'finished') {
    const said = new Map<string, string[]>();
    for (const { id, message } of status.errors) said.set(id, [...(said.get(id) ?? []), message]);
    const invalid = status.invalidIds.map((id) => ({ id, messages: said.get(id) ?? [] }));
    await batches.update(batch, { state: 'done', rejected: await refuse(batch, invalid, batches) });
    return undefined;
  }
  const at = now();
  const isOver = at.getTime() - Date.parse(batch.sentAt ?? at.toISOString()) >= givenUpAfterMs;
  if (status.state === 'failed' || isOver) {
    await batches.update(batch, { state: 'done', isLost: true });
    return undefined;
  }
  const next = new Date(at.getTime() + Math.min(longestCheckMs, firstCheckMs * 2 ** Math.min(10, batch.checks + 1)));
  await batches.update(batch, { checkAt: next.toISOString(), checks: batch.checks + 1 });
  return next;
}

/** Puts Meta's refusals down beside the rows they come from. Returns the places refused in the batch so far. */
async function refuse(
  batch: CatalogBatch,
  invalid: readonly { readonly id: string; readonly messages: readonly string[] }[],
  batches: CatalogBatchStore,
): Promise<number[]> {
  if (invalid.length === 0) return batch.rejected;
  const messagesOf = new Map(invalid.map(({ id, messages }) => [id, messages]));
  const rejected = new Set(batch.rejected);
  const problems: CatalogProblem[] = [];
  let place = 0;
  for (const { id, row } of unpackEntries(batch.entries)) {
    const messages = messagesOf.get(id);
    if (messages !== undefined) {
      rejected.add(place);
      const expected = messages.length === 0 ? 'what Meta takes; it gave no reason' : messages.join(' ').slice(0, 500);
      problems.push({
        row,
        id,
        field: fieldIn(expected),
        code: 'refused',
        expected,
        got: null,
        by: 'meta',
        isRefused: true,
      });
    }
    place += 1;
  }
  await batches.addProblems(batch.tenantId, batch.syncId, `meta-${batch.n}-${batch.rejected.length}`, problems);
  return [...rejected].toSorted((left, right) => left - right);
}

/** Meta's words begin with the field where they are about one. */
function fieldIn(message: string): string {
  return /^([a-z]+(?:_[a-z0-9]+)*)\b/.exec(message)?.[1] ?? '(item)';
}

async function mustRead(
  batches: CatalogBatchStore,
  tenantId: string,
  syncId: string,
  n: number,
): Promise<CatalogBatch> {
  const batch = await batches.read(tenantId, syncId, n);
  if (batch === undefined) throw new Error(`batch ${n} of sync ${syncId} is gone`);
  return batch;
}
