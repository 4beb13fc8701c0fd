import * as v from 'valibot';
import type { Readiness } from '../../../shared/contracts/documents.ts';
import { gates, readinessItemNames, readinessItems } from '../../../shared/domain/readiness.ts';
import type { ReadinessItem } from '../../../shared/domain/readiness.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readGivenFields } from '../../../shared/runtime/request-fields.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';

/** One precondition as operators see it. */
export interface ShownItem {
  readonly item: ReadinessItem;
  readonly title: string;
  readonly state: 'ready' | 'missing' | 'unknown';
  /** Who said so, `meta` or a person; null: nobody yet. */
  readonly by: string | null;
  readonly since: string | null;
  readonly detail: string | null;
  /** Who must act and what to do, unless it is ready. */
  readonly on?: string;
  readonly what?: string;
}

/** `GET /readiness?format=text`: each precondition at Meta, and who must act on what is missing; JSON, or text to read. */
export function showReadiness({ readiness }: Pick<TenantServices, 'readiness'>): HttpRoute['handle'] {
  return async (call) => {
    const known = await readiness.read();
    const items = shownItems(known);
    const checkedAt = known.checkedAt ?? null;
    if (call.query.get('format') !== 'text') return jsonAnswer(200, { ...summary(items), checkedAt, items });
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
    return { status: 200, headers, body: asText(items, checkedAt) };
  };
}

const flag = { schema: v.boolean(), expected: ['true', 'false'] };
const fields = { pre2: flag, pre8: flag, pre10: flag, reason };

/**
 * `PATCH /readiness {pre2?, pre8?, pre10?, reason}`: what a person knows and Meta cannot tell. Runs that wait for it go on
 * within a minute. Audited with what was and what is.
 */
export function setReadiness({ readiness }: Pick<TenantServices, 'readiness'>): HttpRoute['handle'] {
  return async (call) => {
    const { reason: why, ...set } = readGivenFields(jsonBody(call), fields);
    const isEmpty = gates.every((gate) => set[gate] === undefined);
    if (why === undefined || isEmpty) {
      const field = isEmpty ? 'pre10' : 'reason';
      const expected = isEmpty ? ['true', 'false'] : reason.expected;
      throw new HttpProblem(400, 'invalid-request', isEmpty ? 'The body sets nothing.' : 'reason is missing.', {
        field,
        got: null,
        expected,
      });
    }
    const items = shownItems(await readiness.set(set, why, call.caller));
    call.log.info({ set: Object.keys(set) }, 'readiness set');
    return jsonAnswer(200, { ...summary(items), items });
  };
}

function shownItems(readiness: Readiness): ShownItem[] {
  return readinessItemNames.map((item): ShownItem => {
    const { title, on, what } = readinessItems[item];
    const known = readiness.items?.[item];
    const flagged = gates.find((gate) => gate === item);
    const state = flagged === undefined ? (known?.state ?? 'unknown') : readiness[flagged] ? 'ready' : 'missing';
    const { by = null, since = null, detail = null } = known ?? {};
    return { item, title, state, by, since, detail, ...(state !== 'ready' && { on, what }) };
  });
}

function summary(items: readonly ShownItem[]): { ready: boolean; missing: ReadinessItem[] } {
  const missing = items.filter(({ state }) => state === 'missing').map(({ item }) => item);
  return { ready: items.every(({ state }) => state === 'ready'), missing };
}

function asText(items: readonly ShownItem[], checkedAt: string | null): string {
  const lines = items.flatMap(({ title, state, by, since, detail, on, what }) => [
    `${state.toUpperCase().padEnd(8)} ${title}`,
    ...(detail === null
      ? []
      : [`         ${detail}${by === null ? '' : `, according to ${by}`}${since === null ? '' : ` since ${since}`}`]),
    ...(what === undefined ? [] : [`         ${on === 'meta' ? 'Meta' : 'Kobi'} must act: ${what}`]),
  ]);
  return `${[`Meta was asked ${checkedAt === null ? 'never yet' : `at ${checkedAt}`}.`, '', ...lines].join('\n')}\n`;
}
