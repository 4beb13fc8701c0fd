import * as v from 'valibot';
import type { Replay } from '../../../shared/contracts/replay-documents.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import type { RelayAdminServices } from './services.ts';

/** Why an operator does it; kept in the audit. */
export const reasonRule = {
  schema: v.pipe(v.string(), v.trim(), v.minLength(3), v.maxLength(500)),
  expected: ['3 to 500 characters that say why'],
};

/** `GET /replays/{replay}`: how far it is, and what became of how many letters. */
export function showReplay({ replays }: Pick<RelayAdminServices, 'replays'>): HttpRoute['handle'] {
  return async (call) => jsonAnswer(200, replayView(known(await replays.read(call.param('replay')))));
}

/** `POST /replays/{replay}/cancel {reason}`: no further letter is taken; at most 25 just taken are still sent. Audited. */
export function cancelReplay({ replays }: Pick<RelayAdminServices, 'replays'>): HttpRoute['handle'] {
  return async (call) => {
    const { reason } = readFields(jsonBody(call), { reason: reasonRule });
    const replayId = call.param('replay');
    const before = known(await replays.cancel(replayId, call.caller, reason));
    if (before.state !== 'running') {
      throw new HttpProblem(409, 'not-running', `The replay has ended: it is ${before.state}.`, {
        field: 'state',
        got: before.state,
      });
    }
    call.log.info({ replayId }, 'replay cancelled');
    return jsonAnswer(200, replayView(known(await replays.read(replayId))));
  };
}

/** @throws HttpProblem 404 */
function known(replay: Replay | undefined): Replay {
  if (replay === undefined) throw new HttpProblem(404, 'unknown-replay', 'There is no such replay.');
  return replay;
}

function replayView(replay: Replay): Record<string, unknown> {
  const { replayId, state, selection, includeReplayed, ratePerSecond, actor, reason, createdAt, finishedAt } = replay;
  const { planned, outcomes, replayedBefore } = replay;
  return {
    replayId,
    state,
    planned,
    outcomes,
    warnings: { replayedBefore },
    selection: selection.kind === 'filter' ? { filter: selection.filter } : { ids: selection.ids.length },
    includeReplayed,
    ratePerSecond,
    actor,
    reason,
    createdAt,
    finishedAt,
  };
}
