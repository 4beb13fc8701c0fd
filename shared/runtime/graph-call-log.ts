import type { GraphCall } from '../meta/observer.ts';
import type { Logger } from './logger.ts';

/** One structured line for each exchange with Meta: what, as whom, how long, and Meta's trace id. Never ids or tokens. */
export function graphCallLogger(log: Logger): (call: GraphCall) => void {
  return ({ fbtraceId, ...call }) => {
    const line = { ...call, fbtrace_id: fbtraceId };
    if (call.errorReason !== undefined) log.warn(line, 'Graph call failed');
    else if (call.answeredVersion !== undefined) log.warn(line, 'Meta answered with another version');
    else log.debug(line, 'Graph call');
  };
}
