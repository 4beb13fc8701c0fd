import { slugPattern } from '../../../shared/domain/naming.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { instant, instantExpected, invalid, onlyParameters } from './query-fields.ts';
import type { RelayAdminServices } from './services.ts';

const hourMs = 3_600_000;
/** Each hour costs a read per process that counted in it. */
const longestRangeMs = 7 * 24 * hourMs;

/**
 * `GET /tenants/{tenant}/counters?from=&to=`: what became of the tenant's events, by hour, event name and verdict; of the
 * last 24 hours unless told. Hours are whole: those that `from` to `to` touch.
 */
export function showCounters({ counters, now }: Pick<RelayAdminServices, 'counters' | 'now'>): HttpRoute['handle'] {
  return async (call) => {
    onlyParameters(call.query, ['from', 'to']);
    const tenantId = call.param('tenant');
    if (!slugPattern.test(tenantId)) throw new HttpProblem(404, 'unknown-tenant', 'There is no such tenant.');
    const to = instant(call.query, 'to') ?? now();
    const from = instant(call.query, 'from') ?? new Date(to.getTime() - 24 * hourMs);
    const rangeMs = to.getTime() - from.getTime();
    if (rangeMs <= 0 || rangeMs > longestRangeMs) {
      throw invalid('from', call.query.get('from'), [instantExpected, 'before `to`, by 7 days at most']);
    }
    const numbers = await counters(tenantId, from, to);
    return jsonAnswer(200, { tenantId, from: from.toISOString(), to: to.toISOString(), ...numbers });
  };
}
