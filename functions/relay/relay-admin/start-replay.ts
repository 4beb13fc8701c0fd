import * as v from 'valibot';
import type { LetterSelection } from '../../../shared/contracts/replay-documents.ts';
import { topicNames } from '../../../shared/contracts/topics.ts';
import { slugPattern } from '../../../shared/domain/naming.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import type { FieldRule } from '../../../shared/runtime/request-fields.ts';
import { dryRun } from './dry-run.ts';
import type { DryRun } from './dry-run.ts';
import { instantExpected, readInstant } from './query-fields.ts';
import { reasonRule } from './replays.ts';
import type { RelayAdminServices } from './services.ts';
import { deadLetterIdPattern } from './show-dead-letters.ts';

const mostIds = 1_000;
/** The dry run of more would outlive the request. */
const mostLetters = 100_000;

const instantText = v.pipe(
  v.string(),
  v.check((text) => readInstant(text) !== undefined),
  v.transform((text) => readInstant(text)?.toISOString() ?? text),
);

const ids: FieldRule<string[]> = {
  schema: v.pipe(
    v.array(v.pipe(v.string(), v.regex(deadLetterIdPattern))),
    v.minLength(1),
    v.maxLength(mostIds),
    v.transform((given) => [...new Set(given)]),
  ),
  expected: [`1 to ${mostIds} ids of dead letters`],
};

const filter = {
  schema: v.strictObject({
    tenant: v.optional(v.pipe(v.string(), v.regex(slugPattern))),
    topic: v.optional(v.picklist(topicNames)),
    reason: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))),
    since: v.optional(instantText),
    until: v.optional(instantText),
  }),
  expected: ['tenant: its id', `topic: ${topicNames.join(', ')}`, 'reason', `since, until: ${instantExpected}`],
};

const flag: FieldRule<boolean> = { schema: v.boolean(), expected: ['true', 'false'] };
const ratePerSecond: FieldRule<number> = {
  schema: v.pipe(v.number(), v.minValue(0.1), v.maxValue(200)),
  expected: ['letters a second, from 0.1 to 200'],
};

interface Asked {
  readonly selection: LetterSelection;
  readonly includeReplayed: boolean;
  /** Absent: a dry run. */
  readonly real: { readonly ratePerSecond: number; readonly reason: string } | undefined;
}

/**
 * `POST /replays {filter | ids, ratePerSecond, reason, dryRun?, includeReplayed?}`.
 *
 * A dry run answers 200 with how many letters it would replay and why others would stay. A real one is audited on every
 * tenant it touches, answers 202 with the same numbers and a `replayId`, and works on its own from there. A filter covers
 * what had died when the request came, so a replay never runs after its own failures.
 */
export function startReplay(services: RelayAdminServices): HttpRoute['handle'] {
  const { deadLetters, deliver, newReplayId, now, replays } = services;
  return async (call) => {
    const { selection, includeReplayed, real } = askedFor(jsonBody(call), now());
    if (selection.kind === 'filter') {
      const letters = await deadLetters.count(selection.filter);
      if (letters > mostLetters) {
        throw new HttpProblem(400, 'too-many', `The filter matches ${letters} letters; narrow it.`, {
          field: 'filter',
          got: letters,
          expected: [`at most ${mostLetters} letters`],
        });
      }
    }
    const { tenantIds, ...found } = await dryRun(services, selection, includeReplayed);
    if (real === undefined) return jsonAnswer(200, { dryRun: true, ...view(found) });
    if (found.wouldReplay === 0) throw nothingToReplay(found);
    const replayId = newReplayId();
    const message = await replays.create({
      replayId,
      selection,
      includeReplayed,
      ...real,
      actor: call.caller,
      tenantIds: [...tenantIds],
      planned: found.wouldReplay,
      traceparent: call.traceparent,
    });
    await deliverOrLeave(deliver, [message], call.log);
    call.log.info({ replayId, planned: found.wouldReplay }, 'replay started');
    return jsonAnswer(202, { replayId, ...view(found) });
  };
}

/** @throws HttpProblem 400 */
function askedFor(body: unknown, now: Date): Asked {
  const given = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {};
  const has = (field: string): boolean => Object.hasOwn(given, field);
  const isDryRun = 'dryRun' in given && given.dryRun === true;
  const rules = {
    ...(has('ids') ? { ids } : { filter }),
    ...(has('dryRun') && { dryRun: flag }),
    ...(has('includeReplayed') && { includeReplayed: flag }),
    ...((!isDryRun || has('ratePerSecond')) && { ratePerSecond }),
    ...((!isDryRun || has('reason')) && { reason: reasonRule }),
  };
  const fields: Partial<{
    ids: string[];
    filter: v.InferOutput<typeof filter.schema>;
    includeReplayed: boolean;
    ratePerSecond: number;
    reason: string;
  }> = readFields(body, rules);
  const { includeReplayed = false } = fields;
  const real =
    isDryRun || fields.ratePerSecond === undefined || fields.reason === undefined
      ? undefined
      : { ratePerSecond: fields.ratePerSecond, reason: fields.reason };
  if (fields.ids !== undefined) return { selection: { kind: 'ids', ids: fields.ids }, includeReplayed, real };
  const { tenant = null, topic = null, reason = null, since = null, until } = fields.filter ?? {};
  const latest = now.toISOString();
  const selected = {
    tenantId: tenant,
    topic,
    reason,
    since,
    until: until !== undefined && until < latest ? until : latest,
  };
  return { selection: { kind: 'filter', filter: selected }, includeReplayed, real };
}

function view({ wouldReplay, events, wouldNot, replayedBefore }: Omit<DryRun, 'tenantIds'>): Record<string, unknown> {
  return { wouldReplay, events, wouldNot, warnings: { replayedBefore } };
}

function nothingToReplay({ wouldNot }: Omit<DryRun, 'tenantIds'>): HttpProblem {
  const why = Object.entries(wouldNot).map(([outcome, n]) => `${n} ${outcome}`);
  const told = why.length === 0 ? 'no letter matches' : why.join(', ');
  return new HttpProblem(409, 'nothing-to-replay', `There is nothing to replay: ${told}.`);
}
