import type { Store } from '../simulator/store.ts';
import { decoyMark } from './canonical-state.ts';

/** Puts objects of nearly the same name before each object of these kinds, so that a finder meets it pages later. */
export function plantDecoys(
  store: Store,
  kinds: readonly ('ad_account' | 'catalog' | 'system_user')[],
  count: number,
): void {
  for (const kind of kinds) {
    for (const node of store.all(kind).slice()) {
      for (const list of listsHolding(store, node.id)) {
        const decoys = Array.from({ length: count }, (_, index) => {
          const digits = store.newId(kind);
          const id = kind === 'ad_account' ? `act_${digits}` : digits;
          const own = kind === 'ad_account' ? { accountId: digits, pixelIds: [] } : {};
          store.add({ ...structuredClone(node), ...own, id, name: `${node.name}${decoyMark}${index}` });
          return id;
        });
        list.splice(list.indexOf(node.id), 0, ...decoys);
      }
    }
  }
}

function listsHolding(store: Store, id: string): string[][] {
  return store
    .all('business')
    .flatMap(({ adAccountIds, catalogIds, systemUserIds }) => [adAccountIds, catalogIds, systemUserIds])
    .filter((list) => list.includes(id));
}
