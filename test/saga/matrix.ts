/** Every step × every fault point × every way of delivery, one run each: the proof behind `npm run saga:matrix`. */
import { stepNames } from '../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import type { Delivery } from '../faults/messages-in-flight.ts';
import type { OnboardingWorld } from '../faults/onboarding-world.ts';
import type { Crossing } from '../faults/process-life.ts';
import { judge, judgeCancelled, referenceOf } from './oracles.ts';
import type { Reference } from './oracles.ts';
import { faultPoints } from './points.ts';
import type { Armed, Cell, FaultPoint } from './points.ts';

export const deliveries = {
  once: { times: 1, reversed: false },
  twice: { times: 2, reversed: false },
  reversed: { times: 2, reversed: true },
} as const satisfies Record<string, Delivery>;
export type DeliveryName = keyof typeof deliveries;

export interface CellResult {
  readonly step: StepName;
  readonly point: string;
  readonly delivery: DeliveryName;
  readonly outcome: 'held' | 'violated' | 'not applicable';
  /** Violations, or why it cannot happen. */
  readonly why: readonly string[];
  readonly runs: number;
}

export interface MatrixOptions {
  readonly steps?: readonly StepName[];
  readonly points?: readonly string[];
  readonly deliveries?: readonly DeliveryName[];
  /** Ends at the first violation: enough to catch a mutant. */
  readonly stopAtFirst?: boolean;
  readonly onCell?: (result: CellResult) => void;
}

const tenantId = 'acme-shop';

/** Runs the cells, in the order of the steps. Cells come from the steps and from what a run without faults does. */
export async function runMatrix(services: InProcessServices, options: MatrixOptions = {}): Promise<CellResult[]> {
  const results: CellResult[] = [];
  for (const delivery of options.deliveries ?? (Object.keys(deliveries) as DeliveryName[])) {
    const { reference, traces } = await faultFree(services, deliveries[delivery]);
    for (const step of options.steps ?? stepNames) {
      for (const point of faultPoints.filter(({ id }) => options.points?.includes(id) ?? true)) {
        const result = await runCell(services, { step, delivery, point, reference, trace: traces.get(step) ?? [] });
        results.push(result);
        options.onCell?.(result);
        if (options.stopAtFirst === true && result.outcome === 'violated') return results;
      }
    }
  }
  return results;
}

interface FaultFree {
  readonly reference: Reference;
  readonly traces: ReadonlyMap<StepName, readonly Crossing[]>;
}

async function faultFree(services: InProcessServices, delivery: Delivery): Promise<FaultFree> {
  const traces = new Map<StepName, Crossing[]>();
  const over = new Set<string>();
  const world = await services.connectedWorld(tenantId, {
    atCrossing(crossing) {
      const step = stepNames.find((name) => name === crossing.topic);
      if (step === undefined || over.has(step)) return;
      traces.set(step, [...(traces.get(step) ?? []), crossing]);
      if (crossing.place === 'acknowledge') over.add(step);
    },
  });
  await world.run(tenantId, delivery);
  await world.close();
  if ((await world.tenant(tenantId))?.status !== 'live') throw new Error('the run without faults does not go live');
  return { reference: referenceOf(services), traces };
}

interface CellPlan {
  readonly step: StepName;
  readonly delivery: DeliveryName;
  readonly point: FaultPoint;
  readonly reference: Reference;
  readonly trace: readonly Crossing[];
}

async function runCell(services: InProcessServices, plan: CellPlan): Promise<CellResult> {
  const { step, delivery, point, trace } = plan;
  let world: OnboardingWorld | undefined;
  const cell: Cell = {
    services,
    step,
    tenantId,
    delivery: deliveries[delivery],
    trace,
    world() {
      if (world === undefined) throw new Error('the run has not begun');
      return world;
    },
  };
  const named = { step, point: point.id, delivery };
  const isPartOfTheRun = trace.length > 0;
  const variants = isPartOfTheRun ? point.arm(cell) : 'the step is no part of this tenant’s run';
  if (typeof variants === 'string') return { ...named, outcome: 'not applicable', why: [variants], runs: 0 };
  const why: string[] = [];
  for (const arm of variants) {
    const armed = arm();
    world = await services.connectedWorld(tenantId, { atCrossing: armed.atCrossing });
    try {
      why.push(...(await strikeAndJudge(services, world, cell, armed, plan.reference)));
    } catch (error) {
      why.push(`crashed: ${error instanceof Error ? error.message : String(error)}`);
    }
    await world.close();
  }
  return { ...named, outcome: why.length === 0 ? 'held' : 'violated', why, runs: variants.length };
}

async function strikeAndJudge(
  services: InProcessServices,
  world: OnboardingWorld,
  { delivery }: Cell,
  armed: Armed,
  reference: Reference,
): Promise<string[]> {
  await world.run(tenantId, delivery);
  if (armed.repair !== undefined) {
    await armed.repair();
    await world.run(tenantId, delivery);
  }
  const violations =
    armed.isCancelled === true ? await judgeCancelled(services, tenantId) : await judge(services, tenantId, reference);
  violations.push(...((await armed.alsoHolds?.()) ?? []));
  if (armed.isCancelled !== true && !world.published.has('tenant-live'))
    violations.push('told: tenant-live was never published');
  if (!armed.struck()) violations.push('work: the fault never struck');
  return violations;
}
