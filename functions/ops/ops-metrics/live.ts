import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createGaugeReader } from '../../../shared/gcp/gauge-reader.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { GaugeServices } from './tell-gauges.ts';

/** What ops-metrics works with. */
export function liveOpsMetrics(functionName: string): GaugeServices {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL']);
  return {
    readGauges: createGaugeReader(connectFirestore(config.GOOGLE_CLOUD_PROJECT), systemNow),
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
  };
}
