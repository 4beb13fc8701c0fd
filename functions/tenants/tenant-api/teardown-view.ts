import type { Teardown } from '../../../shared/contracts/teardown-documents.ts';
import { actionsOf, teardownActions } from '../../../shared/domain/teardown.ts';

/** How far the end of a run or a tenant is, and what it leaves behind. */
export interface TeardownView {
  readonly kind: Teardown['kind'];
  readonly state: Teardown['state'];
  readonly requestedAt: string;
  readonly finishedAt: string | null;
  readonly actions: readonly {
    readonly name: string;
    readonly title: string;
    readonly state: 'pending' | 'done' | 'left' | 'trouble';
    readonly detail: string | null;
  }[];
  /** What could not be undone, why, and what a person can do. */
  readonly left: Teardown['left'];
}

export function teardownView({ actions, finishedAt, kind, left, requestedAt, state }: Teardown): TeardownView {
  return {
    kind,
    state,
    requestedAt,
    finishedAt,
    actions: actionsOf(kind).map((name) => ({
      name,
      title: teardownActions[name].title,
      state: actions[name]?.state ?? 'pending',
      detail: actions[name]?.detail ?? null,
    })),
    left,
  };
}
