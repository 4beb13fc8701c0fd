/** Walking over the dead letters of a selection: the dry run and the replay take the same way, so they count the same. */
import type { LetterPlace, LetterSelection, Replay } from '../../shared/contracts/replay-documents.ts';
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
    cursor: last === undefined ? cursor : { kind: 'place', place: placeOf(last) },
    isLast: letters.length < limit,
  };
}

/**
 * The same in stretches of at most `batch` letters, read `ahead` at a time. `next` walks on from the end of the stretch
 * before.
 */
export function walkAhead<Letter extends LetterHead>(
  readers: Parameters<typeof walkLetters<Letter>>[0],
  selection: LetterSelection,
  start: Replay['cursor'],
  { ahead, batch }: { readonly ahead: number; readonly batch: number },
): { next(): Promise<Stretch<Letter>> } {
  let cursor = start;
  let waiting: readonly Letter[] = [];
  let isAllRead = false;
  return {
    async next() {
      if (selection.kind === 'ids') {
        const stretch = await walkLetters(readers, selection, cursor, batch);
        ({ cursor } = stretch);
        return stretch;
      }
      if (waiting.length === 0 && !isAllRead) {
        const read = await walkLetters(readers, selection, cursor, ahead);
        waiting = read.letters;
        isAllRead = read.isLast;
      }
      const letters = waiting.slice(0, batch);
      waiting = waiting.slice(batch);
      const last = letters.at(-1);
      if (last !== undefined) cursor = { kind: 'place', place: placeOf(last) };
      return { letters, notFound: 0, cursor, isLast: isAllRead && waiting.length === 0 };
    },
  };
}

function placeOf({ firstAt, deadLetterId }: LetterHead): LetterPlace {
  return { firstAt, deadLetterId };
}
