/** Walking over the dead letters of a selection: the dry run and the replay take the same way, so they count the same. */
import type { LetterSelection, Replay } from '../../shared/contracts/replay-documents.ts';
import type { DeadLetterStore, LetterHead } from '../../shared/gcp/dead-letter-store.ts';

/** The next letters of a selection. */
export interface Stretch<Letter extends LetterHead> {
  readonly letters: readonly Letter[];
  /** Ids that name no letter (any more). */
  readonly notFound: number;
  readonly cursor: Replay['cursor'];
  readonly isLast: boolean;
}

/** Up to `limit` letters behind `cursor`, oldest first, or in the order of the ids. */
export async function walkLetters<Letter extends LetterHead>(
  readers: {
    readonly page: (
      filter: Parameters<DeadLetterStore['page']>[0],
      after: Parameters<DeadLetterStore['page']>[2],
      limit: number,
    ) => Promise<Letter[]>;
    readonly byIds: (ids: readonly string[]) => Promise<Letter[]>;
  },
  selection: LetterSelection,
  cursor: Replay['cursor'],
  limit: number,
): Promise<Stretch<Letter>> {
  if (selection.kind === 'ids') {
    const index = cursor?.kind === 'index' ? cursor.index : 0;
    const ids = selection.ids.slice(index, index + limit);
    const letters = await readers.byIds(ids);
    const end = index + ids.length;
    return {
      letters,
      notFound: ids.length - letters.length,
      cursor: { kind: 'index', index: end },
      isLast: end >= selection.ids.length,
    };
  }
  const after = cursor?.kind === 'place' ? cursor.place : undefined;
  const letters = await readers.page(selection.filter, after, limit);
  const last = letters.at(-1);
  return {
    letters,
    notFound: 0,
    cursor:
      last === undefined
        ? cursor
        : { kind: 'place', place: { firstAt: last.firstAt, deadLetterId: last.deadLetterId } },
    isLast: letters.length < limit,
  };
}
