import type { AppSettings } from './app-settings.ts';
import type { SimulatorClock } from './clock.ts';
import type { EventLedger } from './event-ledger.ts';
import type { EventQuality } from './event-quality.ts';
import type { FaultPlan } from './faults.ts';
import type { InsightsWorld } from './insights/report-runs.ts';
import type { RequestLog } from './request-log.ts';
import type { Store } from './store.ts';
import type { Switches } from './switches.ts';
import type { TokenRegistry } from './tokens.ts';
import type { UsageMeter } from './usage.ts';

/** Everything one running simulator consists of; `reset` replaces the parts that hold state. */
export interface SimulatorContext {
  readonly clock: SimulatorClock;
  readonly switches: Switches;
  readonly app: AppSettings;
  store: Store;
  tokens: TokenRegistry;
  events: EventLedger;
  /** What Dataset Quality says of a dataset whatever its events; planted through the control API. */
  quality: Map<string, readonly EventQuality[]>;
  faults: FaultPlan;
  log: RequestLog;
  usage: UsageMeter;
  insights: InsightsWorld;
}
