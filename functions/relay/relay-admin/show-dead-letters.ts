import type { LetterPlace } from '../../../shared/contracts/replay-documents.ts';
import { messageOf } from '../../../shared/gcp/dead-letter-store.ts';
import type { GroupPlace, LetterHead } from '../../../shared/gcp/dead-letter-store.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { cursorIn, cursorOf, instant, invalid, onlyParameters, pageSize, tenantIn } from './query-fields.ts';
import type { RelayAdminServices } from './services.ts';

/** `GET /dead-letters?tenant=&topic=&reason=&since=&until=&cursor=&limit=`: newest first, a page at a time, without content. */
export function listDeadLetters({ deadLetters }: Pick<RelayAdminServices, 'deadLetters'>): HttpRoute['handle'] {
  return async ({ query }) => {
    onlyParameters(query, ['tenant', 'topic', 'reason', 'since', 'until', 'cursor', 'limit']);
    const limit = pageSize(query, 50, 200);
    const filter = {
      tenantId: tenantIn(query),
      topic: query.get('topic'),
      reason: query.get('reason'),
      since: instant(query, 'since')?.toISOString() ?? null,
      until: instant(query, 'until')?.toISOString() ?? null,
    };
    const page = await deadLetters.headPage(filter, 'newest-first', placeIn(query), limit);
    const last = page.length === limit ? page.at(-1) : undefined;
    return jsonAnswer(200, {
      deadLetters: page.map(headView),
      next: last === undefined ? null : cursorOf(last.firstAt, last.deadLetterId),
    });
  };
}

/** `GET /dead-letters/groups?tenant=&cursor=&limit=`: by tenant and reason, with count, first, last and sample ids. */
export function groupDeadLetters({ deadLetters }: Pick<RelayAdminServices, 'deadLetters'>): HttpRoute['handle'] {
  return async ({ query }) => {
    onlyParameters(query, ['tenant', 'cursor', 'limit']);
    const limit = pageSize(query, 50, 100);
    const groups = await deadLetters.groups(tenantIn(query), groupPlaceIn(query), limit);
    const last = groups.length === limit ? groups.at(-1) : undefined;
    return jsonAnswer(200, { groups, next: last === undefined ? null : cursorOf(last.tenantId, last.reason) });
  };
}

/** `GET /dead-letters/{deadLetter}`: everything kept of it, its content (hashed as it was) and when it was replayed. */
export function showDeadLetter({
  deadLetters,
  replays,
}: Pick<RelayAdminServices, 'deadLetters' | 'replays'>): HttpRoute['handle'] {
  return async (call) => {
    const id = call.param('deadLetter');
    const letter = deadLetterIdPattern.test(id) ? await deadLetters.read(id) : undefined;
    if (letter === undefined) throw new HttpProblem(404, 'unknown-dead-letter', 'There is no such dead letter.');
    const [[verdict], earlier] = await Promise.all([replays.judge([letter], false), replays.replaysOf(id)]);
    return jsonAnswer(200, {
      ...headView(letter),
      message: messageOf(letter) ?? null,
      replay: { outcome: verdict?.outcome, count: earlier?.count ?? 0, replays: earlier?.replays ?? [] },
    });
  };
}

export const deadLetterIdPattern = /^[0-9a-f]{32}$/;

function headView(letter: LetterHead): Record<string, unknown> {
  const { deadLetterId, tenantId, topic, reason, problems, firstAt, lastAt, count, events, replayableUntil } = letter;
  const expiresAt = letter.expireAt.toISOString();
  return {
    deadLetterId,
    tenantId,
    topic,
    reason,
    problems,
    firstAt,
    lastAt,
    count,
    events,
    replayableUntil,
    expiresAt,
  };
}

function placeIn(query: URLSearchParams): LetterPlace | undefined {
  const [firstAt, deadLetterId] = cursorIn(query, 2) ?? [];
  if (typeof firstAt !== 'string' || typeof deadLetterId !== 'string' || !deadLetterIdPattern.test(deadLetterId)) {
    if (!query.has('cursor')) return undefined;
    throw invalid('cursor', query.get('cursor'), ['the `next` of an earlier page']);
  }
  return { firstAt, deadLetterId };
}

function groupPlaceIn(query: URLSearchParams): GroupPlace | undefined {
  const cursor = cursorIn(query, 2);
  if (cursor === undefined) return undefined;
  const [tenantId = null, reason] = cursor;
  if (typeof reason !== 'string') throw invalid('cursor', query.get('cursor'), ['the `next` of an earlier page']);
  return { tenantId, reason };
}
