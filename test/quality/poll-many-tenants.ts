import manifest from '../../functions/quality/emq-poller/function.json' with { type: 'json' };
import { pollEveryMs } from '../../shared/domain/match-quality/reading.ts';
import { startQualityWorld } from './quality-world.ts';

export interface PollFigures {
  readonly tenants: number;
  /** Tenants Meta answered for within an hour of being taken in. */
  readonly polledWithinAnHour: number;
  readonly minutesUntilAll: number;
  readonly graphCalls: number;
  /** Calls that met a limit of Meta. */
  readonly refused: number;
  /** Afterwards, when every tenant has its own time: the most polls in one run of ten minutes. */
  readonly mostPollsInARun: number;
  /** Tenants asked again at their own time. */
  readonly polledAgain: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** What the platform and the last poll leave of a run. */
const runMs = (manifest.timeoutSeconds - 15) * 1_000;
const metaTakesMs = 700;
/** Between half an interval and one and a half after its first poll, a tenant has its own time. */
const roundSlots = (1.5 * pollEveryMs) / (10 * minuteMs);

/**
 * Takes many tenants in at once and polls them in ten-minute runs that end as on the platform: for an hour, in which the app
 * has a tenth more calls than there are tenants, and then until each has been asked at its own time.
 */
export async function pollManyTenants(tenants: number): Promise<PollFigures> {
  const world = await startQualityWorld(metaTakesMs);
  try {
    for (let index = 0; index < tenants; index += 1) await world.addTenant(`shop-${index}`);
    const { log, switches, usage } = world.simulator.context;
    switches.app_calls_per_hour = Math.ceil(tenants * 1.1);
    // On the hour, when tenants are taken in, and after everything was made: that was another hour's budget.
    const beganMs = (Math.floor(world.clock.now.getTime() / hourMs) + 2) * hourMs;
    const reads: number[] = [];
    for (let slot = 0; slot < 6 + roundSlots; slot += 1) {
      world.clock.now = new Date(beganMs + slot * 10 * minuteMs);
      const report = await world.run(runMs);
      reads.push(report['read'] ?? 0);
    }
    const calls = log.entries().filter(({ operation }) => operation === 'read_dataset_quality');
    const answered = calls.filter(({ status }) => status === 200);
    const firstAtMs = new Map<unknown, number>();
    for (const { at, params } of answered) {
      const dataset = params['dataset_id'];
      if (!firstAtMs.has(dataset)) firstAtMs.set(dataset, Date.parse(at) - beganMs);
    }
    const round = answered.filter(({ at }) => Date.parse(at) >= beganMs + hourMs);
    return {
      tenants,
      polledWithinAnHour: [...firstAtMs.values()].filter((afterMs) => afterMs <= hourMs).length,
      minutesUntilAll: Math.ceil(Math.max(...firstAtMs.values()) / minuteMs),
      graphCalls: calls.length,
      refused: usage.appRefused + calls.length - answered.length,
      mostPollsInARun: Math.max(...reads.slice(6)),
      polledAgain: new Set(round.map(({ params }) => params['dataset_id'])).size,
    };
  } finally {
    await world.close();
  }
}
