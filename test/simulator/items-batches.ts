/** What a batch of items does once Meta has worked on it. */
import { checkItem } from './item-rules.ts';
import type { Catalog, ItemsBatch } from './world.ts';

/** Carries out every batch whose time has come, in the order they were sent. Returns the catalog. */
export function settleBatches(catalog: Catalog, nowMs: number): Catalog {
  for (const batch of catalog.batches.values()) {
    if (batch.isFinished || catalog.plans.stuck || batch.finishesAtMs > nowMs) continue;
    carryOut(catalog, batch);
  }
  return catalog;
}

function carryOut(catalog: Catalog, batch: ItemsBatch): void {
  for (const { method, data, line } of batch.requests) {
    const id = data['id'] as string;
    const report = (kind: 'errors' | 'warnings', message: string): void => void batch[kind].push({ line, id, message });
    if (method === 'DELETE') {
      if (!catalog.items.delete(id)) report('warnings', 'There is no item with this id to delete.');
      continue;
    }
    const known = catalog.items.get(id);
    const planned = catalog.plans.rejections.get(id);
    // An update may bring some fields only; the item as a whole must be good.
    const whole = method === 'UPDATE' && known !== undefined ? merged(known.data, data) : data;
    const { errors, warnings } = checkItem(whole);
    for (const warning of warnings) report('warnings', warning);
    const problems = planned === undefined ? errors : [planned, ...errors];
    if (problems.length > 0) for (const problem of problems) report('errors', problem);
    else {
      catalog.items.set(id, {
        id: known?.id ?? `24${String(catalog.items.size + 1).padStart(7, '0')}${catalog.id.slice(-8)}`,
        data: whole,
        createdAtMs: known?.createdAtMs ?? batch.sentAtMs,
      });
    }
  }
  batch.requests = [];
  batch.isFinished = true;
}

type Data = Readonly<Record<string, unknown>>;

/** An update changes the fields it brings and keeps the others; an empty value takes one away. */
function merged(before: Data, update: Data): Data {
  const isEmpty = (value: unknown): boolean =>
    value === '' || value === null || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries({ ...before, ...update }).filter(([, value]) => !isEmpty(value)));
}
