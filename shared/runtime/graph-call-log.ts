import type { GraphCall } from '../meta/observer.ts';
import { noteCallTrace } from './call-traces.ts';
import type { Logger } from './logger.ts';
import { recordCall } from './tracing.ts';
import { usageLogger } from './usage-log.ts';

/** One structured line for each exchange with Meta: what, as whom, how long, and Meta's trace id. Never ids or tokens. The
 * trace id also goes to whoever collects them for the audit trail, the exchange to the trace it was made in. */
export function graphCallLogger(log: Logger): (call: GraphCall) => void {
  const tellUsage = usageLogger(log, () => performance.now());
  return (exchange) => {
    const { fbtraceId, ...call } = exchange;
    noteCallTrace(fbtraceId);
    recordCall(exchange);
    tellUsage(exchange.usage);
    const line = { ...call, fbtrace_id: fbtraceId };
    if (call.errorReason !== undefined) log.warn(line, 'Graph call failed');
    else if (call.answeredVersion !== undefined) log.warn(line, 'Meta answered with another version');
    else log.debug(line, 'Graph call');
  };
}
