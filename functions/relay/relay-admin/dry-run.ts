import type { LetterSelection, Replay } from '../../../shared/contracts/replay-documents.ts';
import type { ReplayOutcome } from '../../../shared/domain/replayability.ts';
import type { LetterHead } from '../../../shared/gcp/dead-letter-store.ts';
import { walkLetters } from '../letter-walk.ts';
import type { Stretch } from '../letter-walk.ts';
import type { RelayAdminServices } from './services.ts';

/** What a replay of a selection would do now. */
export interface DryRun {
  readonly wouldReplay: number;
  /** Server events in those letters. */
  readonly events: number;
  /** Reason → letters that would stay. */
  readonly wouldNot: Partial<Record<Exclude<ReplayOutcome, 'replayed'>, number>>;
  /** Of the ones it would replay: how many were replayed before, and died again or are included on purpose. */
  readonly replayedBefore: number;
  /** Whose letters those are. */
  readonly tenantIds: readonly string[];
}

const lettersPerRead = 1_000;

/**
 * Judges every letter of the selection, with the same rules and in the same order as the replay, and writes nothing. Reads
 * each letter's head and, beside it, when it was replayed.
 */
export async function dryRun(
  { deadLetters, replays }: Pick<RelayAdminServices, 'deadLetters' | 'replays'>,
  selection: LetterSelection,
  includeReplayed: boolean,
): Promise<DryRun> {
  const wouldNot: Partial<Record<Exclude<ReplayOutcome, 'replayed'>, number>> = {};
  const tenantIds = new Set<string>();
  let [wouldReplay, events, replayedBefore] = [0, 0, 0];
  let cursor: Replay['cursor'] = null;
  for (let isLast = false; !isLast;) {
    const stretch: Stretch<LetterHead> = await walkLetters(
      {
        page: (filter, after, limit) => deadLetters.headPage(filter, 'oldest-first', after, limit),
        byIds: (ids) => deadLetters.readHeads(ids),
      },
      selection,
      cursor,
      lettersPerRead,
    );
    ({ cursor, isLast } = stretch);
    if (stretch.notFound > 0) wouldNot['not-found'] = (wouldNot['not-found'] ?? 0) + stretch.notFound;
    const verdicts = await replays.judge(stretch.letters, includeReplayed);
    for (const [index, letter] of stretch.letters.entries()) {
      const verdict = verdicts[index];
      if (verdict?.outcome === 'replayed') {
        wouldReplay += 1;
        events += letter.events;
        if (verdict.wasReplayedBefore) replayedBefore += 1;
        if (letter.tenantId !== null) tenantIds.add(letter.tenantId);
      } else if (verdict !== undefined) wouldNot[verdict.outcome] = (wouldNot[verdict.outcome] ?? 0) + 1;
    }
  }
  return { wouldReplay, events, wouldNot, replayedBefore, tenantIds: [...tenantIds].sort() };
}
