import * as v from 'valibot';
import type { Readiness } from '../../../shared/contracts/documents.ts';
import { maxFallbackTenants } from '../../../shared/domain/provisioning-path.ts';
import { gates, readinessItemNames, readinessItems, waitedForAs } from '../../../shared/domain/readiness.ts';
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
  /** The tenants whose runs wait for it. */
  readonly waiting: readonly string[];
}

/** The fallback path, as far as it is used. */
interface ShownSlots {
  readonly inUse: readonly string[];
  readonly of: number;
}

/**
 * `GET /readiness?format=text`: each precondition at Meta, who must act on what is missing, which tenants wait for it, and
 * which have a slot on the parent business; JSON, or text to read.
 */
export function showReadiness({ readiness, steps }: Pick<TenantServices, 'readiness' | 'steps'>): HttpRoute['handle'] {
  return async (call) => {
    const known = await readiness.read();
    const items = shownItems(known, await tenantsWaiting(steps));
    const checkedAt = known.checkedAt ?? null;
    const slots: ShownSlots = { inUse: await readiness.slotsInUse(), of: maxFallbackTenants };
    if (call.query.get('format') !== 'text') {
      return jsonAnswer(200, { ...summary(items), checkedAt, items, fallbackSlots: slots });
    }
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
    return { status: 200, headers, body: asText(items, slots, checkedAt) };
  };
}

type Waiting = ReadonlyMap<ReadinessItem, readonly string[]>;

async function tenantsWaiting(steps: Pick<TenantServices['steps'], 'waitingFor'>): Promise<Waiting> {
  const rows = await Promise.all(
    gates.map(async (gate) => {
      const refs = await steps.waitingFor(waitedForAs[gate]);
      return [gate, [...new Set(refs.map(({ tenantId }) => tenantId))].toSorted()] as const;
    }),
  );
  return new Map(rows);
}

const flag = { schema: v.boolean(), expected: ['true', 'false'] };
const fields = { pre2: flag, pre8: flag, pre10: flag, reason };

/**
 * `PATCH /readiness {pre2?, pre8?, pre10?, reason}`: what a person knows and Meta cannot tell. Runs that wait for it go on
 * within a minute. Audited with what was and what is.
 */
export function setReadiness({ readiness, steps }: Pick<TenantServices, 'readiness' | 'steps'>): HttpRoute['handle'] {
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
    const items = shownItems(await readiness.set(set, why, call.caller), await tenantsWaiting(steps));
    call.log.info({ set: Object.keys(set) }, 'readiness set');
    return jsonAnswer(200, { ...summary(items), items });
  };
}

function shownItems(readiness: Readiness, waiting: Waiting): ShownItem[] {
  return readinessItemNames.map((item): ShownItem => {
    const { title, on, what } = readinessItems[item];
    const known = readiness.items?.[item];
    const flagged = gates.find((gate) => gate === item);
    const state = flagged === undefined ? (known?.state ?? 'unknown') : readiness[flagged] ? 'ready' : 'missing';
    const { by = null, since = null, detail = null } = known ?? {};
    const isWaitedFor = waiting.get(item) ?? [];
    return { item, title, state, by, since, detail, ...(state !== 'ready' && { on, what }), waiting: isWaitedFor };
  });
}

function summary(items: readonly ShownItem[]): { ready: boolean; missing: ReadinessItem[] } {
  const missing = items.filter(({ state }) => state === 'missing').map(({ item }) => item);
  return { ready: items.every(({ state }) => state === 'ready'), missing };
}

function asText(items: readonly ShownItem[], slots: ShownSlots, checkedAt: string | null): string {
  const lines = items.flatMap(({ title, state, by, since, detail, on, waiting, what }) => [
    `${state.toUpperCase().padEnd(8)} ${title}`,
    ...(detail === null
      ? []
      : [`         ${detail}${by === null ? '' : `, according to ${by}`}${since === null ? '' : ` since ${since}`}`]),
    ...(what === undefined ? [] : [`         ${on === 'meta' ? 'Meta' : 'Kobi'} must act: ${what}`]),
    ...(waiting.length === 0 ? [] : [`         ${tenants(waiting.length)} waiting: ${listed(waiting)}`]),
  ]);
  const { inUse, of } = slots;
  const inSlots = `Slots on the parent business: ${inUse.length} of ${of} in use${inUse.length === 0 ? '' : `: ${listed(inUse)}`}.`;
  const asked = `Meta was asked ${checkedAt === null ? 'never yet' : `at ${checkedAt}`}.`;
  return `${[asked, '', ...lines, '', inSlots].join('\n')}\n`;
}

const tenants = (count: number): string => (count === 1 ? '1 tenant' : `${count} tenants`);

/** The first twenty: a page to read. */
function listed(tenantIds: readonly string[]): string {
  const more = tenantIds.length - mostListed;
  return `${tenantIds.slice(0, mostListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
const mostListed = 20;
