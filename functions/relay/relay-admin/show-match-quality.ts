import type { MatchQuality, MatchQualityDay } from '../../../shared/contracts/quality-documents.ts';
import { slugPattern } from '../../../shared/domain/naming.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { onlyParameters } from './query-fields.ts';
import type { RelayAdminServices } from './services.ts';

const historyMs = 28 * 24 * 60 * 60_000;

/**
 * `GET /tenants/{tenant}/match-quality`: today's score of every event name beside the predicted one, the missing keys
 * worth most, open findings, and the polls of the last four weeks. A tenant that was never polled answers 404.
 */
export function showMatchQuality({
  matchQuality,
  now,
}: Pick<RelayAdminServices, 'matchQuality' | 'now'>): HttpRoute['handle'] {
  return async (call) => {
    onlyParameters(call.query, []);
    const tenantId = call.param('tenant');
    const picture = slugPattern.test(tenantId) ? await matchQuality.read(tenantId) : undefined;
    if (picture === undefined) {
      throw new HttpProblem(404, 'no-match-quality', 'There is no such tenant, or it has not been polled yet.');
    }
    const since = new Date(now().getTime() - historyMs).toISOString().slice(0, 10);
    return jsonAnswer(200, {
      ...shown(picture),
      polls: (await matchQuality.daysSince(tenantId, since)).flatMap(polls),
    });
  };
}

function shown({ events, ...picture }: MatchQuality): object {
  const withoutMixes = Object.entries(events).map(([name, { mixes: _mixes, ...event }]) => [name, event]);
  return { ...picture, events: Object.fromEntries(withoutMixes) as object };
}

function polls({ polls: ofDay }: MatchQualityDay): object[] {
  return Object.values(ofDay).sort((left, right) => (left.at < right.at ? -1 : 1));
}
