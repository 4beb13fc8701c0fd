/** Random onboardings under random faults and random delivery: the proof behind `npm run saga:chaos`. Same seed, same runs. */
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { defaultStepLeaseMs } from '../../shared/runtime/config.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import type { Delivery } from '../faults/messages-in-flight.ts';
import type { OnboardingWorld } from '../faults/onboarding-world.ts';
import type { AtCrossing, Crossing, ProcessLife } from '../faults/process-life.ts';
import { Random } from '../random.ts';
import { seed as metaSeed } from '../simulator/seed.ts';
import { judge, referenceOf } from './oracles.ts';
import type { Reference } from './oracles.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** Numbers of the runs, from `first` on. */
  readonly first: number;
  readonly runs: number;
  /** Of each handling of a message, to meet a fault. */
  readonly faultShare: number;
  readonly stopAtFirst?: boolean;
  readonly onViolation?: (run: number, violation: string) => void;
}

export interface ChaosReport {
  readonly runs: number;
  readonly transitions: number;
  /** Runs by the way of the tenant. */
  readonly journeys: Readonly<Record<string, number>>;
  /** Faults that struck, by kind. */
  readonly struck: Readonly<Record<string, number>>;
  readonly deaths: number;
  readonly redrives: number;
  readonly violations: readonly string[];
}

const tenantId = 'acme-shop';
const inOrder: Delivery = { times: 1, reversed: false };

/** To a business of their own at once; live on the parent; or live there first and then moved when PRE-10 comes. */
type Journey = 'two-tier' | 'fallback' | 'migration';

interface Shape extends Pick<Tenant, 'skus' | 'domains'> {
  readonly journey: Journey;
}

const site = new URL(metaSeed.page.website).hostname;
const skuSets: readonly Tenant['skus'][] = [[], ['ecommerce'], ['crm'], ['ecommerce', 'crm']];
const shapes: readonly Shape[] = skuSets.flatMap((skus): Shape[] => [
  { journey: 'two-tier', skus, domains: [] },
  { journey: 'two-tier', skus, domains: [site] },
  // A domain in the parent business is added by a person at Meta, whom nobody plays here.
  { journey: 'fallback', skus, domains: [] },
  { journey: 'migration', skus, domains: [] },
]);

/** What a tenant of this shape comes to without faults, and how many crossings each message's handling has. */
interface Expected {
  readonly reference: Reference;
  readonly lengths: ReadonlyMap<string, number>;
}

export async function runChaos(services: InProcessServices, options: ChaosOptions): Promise<ChaosReport> {
  const expected = new Map<Shape, Expected>();
  const total = { transitions: 0, deaths: 0, redrives: 0 };
  const struck: Record<string, number> = {};
  const journeys: Record<string, number> = {};
  const violations: string[] = [];
  for (let run = options.first; run < options.first + options.runs; run += 1) {
    const random = new Random(options.seed * 1_000_003 + run);
    const shape = random.pick(shapes);
    const known = expected.get(shape) ?? (await faultFree(services, shape));
    expected.set(shape, known);
    const chaos = new Chaos(services, random, known.lengths, options.faultShare);
    const found = await chaos.run(shape, known.reference);
    journeys[shape.journey] = (journeys[shape.journey] ?? 0) + 1;
    for (const violation of found) {
      violations.push(`run ${run}: ${violation}`);
      options.onViolation?.(run, violation);
    }
    total.transitions += chaos.transitions;
    total.deaths += chaos.deaths;
    total.redrives += chaos.redrives;
    for (const kind of chaos.struck) struck[kind] = (struck[kind] ?? 0) + 1;
    if (options.stopAtFirst === true && found.length > 0) break;
  }
  return { runs: options.runs, ...total, journeys, struck, violations };
}

async function faultFree(services: InProcessServices, shape: Shape): Promise<Expected> {
  const lengths = new Map<string, number>();
  const world = await begin(services, shape, ({ topic }) => void lengths.set(topic, (lengths.get(topic) ?? 0) + 1));
  await world.run(tenantId, inOrder);
  if (shape.journey === 'migration') {
    await move(services, world);
    await world.run(tenantId, inOrder);
  }
  await world.close();
  const tenant = await world.tenant(tenantId);
  const operator = shape.journey === 'fallback' ? 'fallback' : 'child';
  if (tenant?.status !== 'live' || tenant.assets?.operator !== operator)
    throw new Error(`the run without faults (${shape.journey}) is ${tenant?.status} with ${tenant?.assets?.operator}`);
  return { reference: referenceOf(services), lengths };
}

async function begin(
  services: InProcessServices,
  { journey, ...tenant }: Shape,
  atCrossing: AtCrossing,
): Promise<OnboardingWorld> {
  const world = await services.connectedWorld(tenantId, { tenant, atCrossing });
  if (journey !== 'two-tier') await services.db.doc(paths.readiness()).update({ pre10: false });
  return world;
}

/** PRE-10 is granted: the tenant leaves the parent, and its client consents again. */
async function move(services: InProcessServices, world: OnboardingWorld): Promise<void> {
  await services.db.doc(paths.readiness()).update({ pre10: true });
  const kind = await world.toTwoTier(tenantId);
  if (kind !== 'migrating') throw new Error(`a live tenant on the parent is not moved, but ${kind}`);
  await services.consentAgain(world, tenantId);
}

/** One run. */
class Chaos {
  readonly #services: InProcessServices;
  readonly #random: Random;
  readonly #lengths: ReadonlyMap<string, number>;
  readonly #faultShare: number;
  #world: OnboardingWorld | undefined;
  #isPaused = false;
  #isSpared = false;
  /** Crossings until the fault of the present handling strikes, by process. */
  readonly #fuses = new WeakMap<ProcessLife, number>();
  readonly struck: string[] = [];
  transitions = 0;
  deaths = 0;
  redrives = 0;

  constructor(services: InProcessServices, random: Random, lengths: ReadonlyMap<string, number>, faultShare: number) {
    this.#services = services;
    this.#random = random;
    this.#lengths = lengths;
    this.#faultShare = faultShare;
  }

  async run(shape: Shape, reference: Reference): Promise<string[]> {
    const world = await begin(this.#services, shape, (crossing, life) => this.#atCrossing(crossing, life));
    this.#world = world;
    try {
      await this.#toRest(world);
      if (shape.journey === 'migration') {
        // Readiness-check's own part is not what is struck here.
        this.#isSpared = true;
        await move(this.#services, world);
        this.#isSpared = false;
        await this.#toRest(world);
      }
      const told = world.published.has('tenant-live') ? [] : ['told: tenant-live was never published'];
      return [...told, ...(await judge(this.#services, tenantId, reference))].map((what) => `${shape.journey} ${what}`);
    } catch (error) {
      return [`${shape.journey} rest: ${error instanceof Error ? error.message : String(error)}`];
    } finally {
      await world.close();
    }
  }

  /** What Meta refused for good is mended, and a person redrives. */
  async #toRest(world: OnboardingWorld): Promise<void> {
    await world.run(tenantId, this.#delivery());
    for (let round = 0; round < 20; round += 1) {
      const runId = (await world.tenant(tenantId))?.currentRunId ?? 'run-1';
      const failed = (await world.steps(tenantId, runId)).filter(({ state }) => state === 'failed');
      if (failed.length === 0) return;
      for (const { step } of failed) await world.redrive({ tenantId, runId, step }, 'proof');
      this.redrives += failed.length;
      await world.run(tenantId, this.#delivery());
    }
  }

  /** Messages come in any order, and each comes again now and then. */
  #delivery(): Delivery {
    const arrange = <Message>(copies: Message[]): Message[] => {
      const all = copies.flatMap((copy) => (this.#random.chance(0.3) ? [copy, copy] : [copy]));
      for (let last = all.length - 1; last > 0; last -= 1) {
        const other = this.#random.below(last + 1);
        [all[last], all[other]] = [all[other] as Message, all[last] as Message];
      }
      return all;
    };
    return { times: 1, reversed: false, arrange };
  }

  async #atCrossing(crossing: Crossing, life: ProcessLife): Promise<void> {
    if (crossing.place === 'deliver') {
      this.transitions += 1;
      const length = this.#lengths.get(crossing.topic) ?? 1;
      if (this.#random.chance(this.#faultShare)) this.#fuses.set(life, this.#random.below(length));
      else this.#fuses.delete(life);
    }
    const left = this.#fuses.get(life);
    if (left === undefined || this.#isSpared) return;
    this.#fuses.set(life, left - 1);
    if (left === 0) await this.#strike(crossing, life);
  }

  async #strike(crossing: Crossing, life: ProcessLife): Promise<void> {
    const kind = this.#random.pick(kindsAt(crossing));
    this.struck.push(kind);
    switch (kind) {
      case 'killed':
        this.deaths += 1;
        life.die();
        return;
      case 'aborted':
        throw grpcError(10);
      case 'unavailable':
        throw grpcError(14);
      case 'answer-lost':
        throw Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
      case 'meta-error':
        return this.#misbehave(crossing, { error: { code: 2 } });
      case 'meta-refusal':
        return this.#misbehave(crossing, { error: { code: 100 } });
      case 'token-dead':
        return this.#misbehave(crossing, { error: { code: 190 } });
      case 'throttled':
        return this.#misbehave(crossing, { throttle: { regainMinutes: 1 + this.#random.below(9), code: 80004 } });
      case 'lists-late':
        this.#services.simulator.faults.plant({ method: 'GET', finderBlindMs: 20_000, times: 3 });
        return;
      case 'paused':
        return this.#pause(crossing.topic);
    }
  }

  #misbehave({ name }: Crossing, fault: object): void {
    const [method = '', path = ''] = name.split(' ');
    this.#services.simulator.faults.plant({ ...fault, method, path: path.replace(/^\/v[\d.]+/, '') });
  }

  /**
   * The process stands still past its lease, and others go on, with its message too, which Pub/Sub delivers again; then it
   * comes back as if nothing had been.
   */
  async #pause(topic: string): Promise<void> {
    if (this.#isPaused || this.#world === undefined) return;
    this.#isPaused = true;
    const { clock } = this.#services;
    clock.now = new Date(clock.now.getTime() + defaultStepLeaseMs + 1_000);
    this.#world.startOther();
    await this.#world.deliverAgain(topic);
    await this.#world.run(tenantId, this.#delivery());
    this.#isPaused = false;
  }
}

type FaultKind =
  | 'killed'
  | 'aborted'
  | 'unavailable'
  | 'answer-lost'
  | 'meta-error'
  | 'meta-refusal'
  | 'token-dead'
  | 'throttled'
  | 'lists-late'
  | 'paused';

/** What can happen at this place. */
function kindsAt({ place, when, writes, name }: Crossing): readonly FaultKind[] {
  switch (place) {
    case 'deliver':
    case 'acknowledge':
      return ['killed'];
    case 'publish':
      return ['killed', 'unavailable'];
    case 'secrets':
      return ['killed', 'unavailable', 'paused'];
    case 'firestore':
      if (name === 'commit')
        return when === 'before' ? ['killed', 'aborted', 'unavailable', 'paused'] : ['killed', 'unavailable'];
      return when === 'before' ? ['killed', 'unavailable', 'paused'] : ['killed', 'unavailable'];
    case 'graph':
      if (when === 'after') return ['killed', 'answer-lost', 'paused', ...(writes ? (['lists-late'] as const) : [])];
      // Whoever stands still between the permit and the socket still sends: Meta knows no fences (README). It stands still
      // before the permit instead, at the reads of Firestore and of secrets.
      return ['killed', 'meta-error', 'throttled', ...(writes ? [] : (['paused'] as const)), ...refusals(name)];
  }
}

/** Where a Page may not be shared it is asked for: another end than without faults, and no wrong one. */
function refusals(call: string): readonly FaultKind[] {
  return /^POST .*\/agencies$/.test(call) ? [] : ['meta-refusal', 'token-dead'];
}

function grpcError(code: number): Error {
  return Object.assign(new Error('planted'), { code, details: 'planted' });
}
