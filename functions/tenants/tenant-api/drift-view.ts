import type { Drift } from '../../../shared/contracts/drift-documents.ts';
import { driftItemNames, driftItems } from '../../../shared/domain/drift.ts';
import type { Acceptance, DriftItemName } from '../../../shared/domain/drift.ts';

/** Where Meta has something else than we recorded. */
export interface DriftView {
  /** When Meta was last asked; null: not yet. */
  readonly checkedAt: string | null;
  readonly differences: readonly {
    readonly item: DriftItemName;
    readonly title: string;
    readonly since: string;
    readonly expected: string;
    readonly found: string;
    /** What a person does about it. */
    readonly what: string;
  }[];
  /** What somebody decided to be right although something else was recorded. */
  readonly accepted: readonly (Acceptance & { readonly item: DriftItemName; readonly title: string })[];
  /** What Meta did not say the last time: of these nothing is concluded. */
  readonly unknown: readonly DriftItemName[];
}

export function driftView(drift: Drift | undefined): DriftView {
  return {
    checkedAt: drift?.checkedAt ?? null,
    differences: driftItemNames.flatMap((item) => {
      const difference = drift?.differences[item];
      if (difference === undefined) return [];
      const { title, what } = driftItems[item];
      return [{ item, title, what, ...difference }];
    }),
    accepted: driftItemNames.flatMap((item) => {
      const acceptance = drift?.accepted[item];
      return acceptance === undefined ? [] : [{ item, title: driftItems[item].title, ...acceptance }];
    }),
    unknown: drift?.unknown ?? [],
  };
}
