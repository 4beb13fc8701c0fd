import { startQualityWorld } from './quality-world.ts';

export interface PollFigures {
  readonly tenants: number;
  readonly polledWithinAnHour: number;
  readonly graphCalls: number;
  readonly throttled: number;
  /** Of the second round, in which every tenant has its own time: the most polls in one run of ten minutes. */
  readonly mostPollsInARun: number;
}

const minuteMs = 60_000;

/** Takes many tenants in at once and polls them in ten-minute runs: for an hour, and then for a round of six. */
export async function pollManyTenants(tenants: number): Promise<PollFigures> {
  const world = await startQualityWorld();
  try {
    for (let index = 0; index < tenants; index += 1) {
      const tenantId = `shop-${index}`;
      await world.addTenant(tenantId);
    }
    const beganMs = world.clock.now.getTime();
    const reads: number[] = [];
    for (let slot = 0; slot < 42; slot += 1) {
      const slotMs = beganMs + slot * 10 * minuteMs;
      world.clock.now = new Date(Math.max(slotMs, world.clock.now.getTime()));
      const report = await world.run();
      reads.push(report['read'] ?? 0);
    }
    const calls = world.simulator.log.entries().filter(({ operation }) => operation === 'read_dataset_quality');
    return {
      tenants,
      polledWithinAnHour: reads.slice(0, 6).reduce((sum, count) => sum + count, 0),
      graphCalls: calls.length,
      throttled: calls.filter(({ status }) => status !== 200).length,
      mostPollsInARun: Math.max(...reads.slice(6)),
    };
  } finally {
    await world.close();
  }
}
