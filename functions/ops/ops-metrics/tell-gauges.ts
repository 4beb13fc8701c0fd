import { gaugeMessage } from '../../../shared/contracts/metrics.ts';
import type { Gauges } from '../../../shared/contracts/metrics.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';

export interface GaugeServices {
  readonly readGauges: () => Promise<Gauges>;
  readonly log: Logger;
}

/** Writes every gauge in one line, of which Cloud Logging makes metrics. */
export async function tellGauges({ readGauges, log }: GaugeServices): Promise<JobReport> {
  const gauges = await readGauges();
  log.info(gauges, gaugeMessage);
  return gauges;
}
