/** Onboardings by processes that are killed and stopped for real: the proof behind `npm run saga:kill`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../random.ts';
import { metaObjects } from '../canonical-state.ts';
import type { Mutant } from '../mutants.ts';
import { judgeOutbox, judgeState, judgeTrail, referenceTo } from '../oracles.ts';
import type { Reference } from '../oracles.ts';
import { buildWorker } from './build-worker.ts';
import { openSharedWorld } from './shared-world.ts';
import type { SharedWorld } from './shared-world.ts';
import type { HeldStep } from './witness.ts';
import { WorkerPool } from './worker-pool.ts';
import type { Worker } from './worker-pool.ts';

export interface KillOptions {
  readonly kills: number;
  readonly stops: number;
  readonly seed: number;
  readonly leaseMs: number;
  /** Processes that serve at once. */
  readonly workers: number;
  /** A new onboarding begins whenever fewer messages than this are being handled, until every kill and stop has struck. */
  readonly messagesAtOnce: number;
  /** Onboardings under way at most: those whose step was interrupted wait for its lease, or for Meta's lists. */
  readonly tenantsAtOnce: number;
  /** So that onboardings get somewhere between two strikes, on however slow a machine. */
  readonly stepsBetweenStrikes: number;
  /** Without any tenant going live or process struck; how fast it goes says more about the machine. */
  readonly giveUpAfterMs: number;
  readonly mutant?: Mutant;
  /** Ends as soon as a write that should have been refused was taken: enough to catch a mutant. */
  readonly stopAtFirst?: boolean;
  readonly onProgress?: (line: string) => void;
}

export interface KillReport {
  readonly seconds: number;
  readonly tenants: number;
  readonly processes: number;
  readonly kills: number;
  /** Of the kills, those that struck a process holding the lease of a step. */
  readonly killsWithLease: number;
  readonly leasesLost: number;
  readonly stops: number;
  /** Of the stops, those in which another process took over what the stopped one held. */
  readonly zombies: number;
  readonly leasesOvertaken: number;
  /** Attempts of a process to go on with a step that was no longer its own, each refused. */
  readonly refused: number;
  /** Steps taken from a worker whose lease had ended. */
  readonly takeovers: number;
  readonly graphCalls: number;
  /** Leases lost or overtaken, by step. */
  readonly struckSteps: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

const reference = 'saga-reference';

/** Runs it from nothing to the verdict. */
export async function runKill(options: KillOptions): Promise<KillReport> {
  const startedMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'saga-kill-'));
  const { file, functions } = await buildWorker(folder, options.mutant);
  let refused = 0;
  let world: SharedWorld | undefined;
  const pool = await WorkerPool.open({
    file,
    size: options.workers,
    prepare: async (name) => {
      if (world === undefined) throw new Error('processes come after the world');
      const { environment, release } = await world.environmentOf(name);
      return { environment: { ...environment, NODE_COMPILE_CACHE: join(folder, 'compiled') }, release };
    },
    onLog: (_worker, { message }) => {
      if (String(message).startsWith('the step is in other hands')) refused += 1;
    },
  });
  world = await openSharedWorld(pool.url, functions, options.leaseMs);
  try {
    await pool.fill();
    const run = new Run(options, pool, world);
    const violations = await run.toTheEnd();
    return {
      seconds: Math.round((performance.now() - startedMs) / 100) / 10,
      processes: pool.started,
      refused,
      takeovers: world.firestore.takeovers,
      graphCalls: world.simulator.log.total,
      ...run.counts,
      struckSteps: run.struckSteps,
      violations: [...violations, ...(options.stopAtFirst === true ? [] : run.missed())],
    };
  } finally {
    await pool.close();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #options: KillOptions;
  readonly #pool: WorkerPool;
  readonly #world: SharedWorld;
  readonly #random: Random;
  readonly #tenants: string[] = [];
  readonly #stopped = new Set<Promise<void>>();
  readonly struckSteps: Record<string, number> = {};
  readonly counts = {
    tenants: 0,
    kills: 0,
    killsWithLease: 0,
    leasesLost: 0,
    stops: 0,
    zombies: 0,
    leasesOvertaken: 0,
  };

  constructor(options: KillOptions, pool: WorkerPool, world: SharedWorld) {
    this.#options = options;
    this.#pool = pool;
    this.#world = world;
    this.#random = new Random(options.seed);
  }

  async toTheEnd(): Promise<string[]> {
    const world = this.#world;
    await world.connectTenant(reference);
    await this.#until(() => world.isLive(reference), 'the run without faults');
    await world.settle();
    const expected = referenceTo(world.worldOf(reference));
    const before = metaObjects([...world.simulator.store.nodes.values()]);

    const strikes = this.#strikes();
    let movedMs = Date.now();
    let struckAfter = world.firestore.finished;
    let live = -1;
    let toldMs = Date.now();
    for (;;) {
      const waiting = this.#tenants.filter((slug) => !world.isLive(slug));
      if (this.#tenants.length - waiting.length > live) {
        live = this.#tenants.length - waiting.length;
        movedMs = Date.now();
      }
      if (strikes.length > 0 && waiting.length < this.#options.tenantsAtOnce && this.#isIdle())
        await this.#connectAnother();
      if (strikes.length === 0 && waiting.length === 0) break;
      if (this.#options.stopAtFirst === true && world.firestore.violations.length > 0)
        return world.firestore.violations;
      if (Date.now() - movedMs > this.#options.giveUpAfterMs)
        return [`rest: ${waiting.length} tenants never went live: ${waiting.join(', ')}; ${this.#unfinished(waiting)}`];
      const next = strikes.at(-1);
      const isDue = world.firestore.finished - struckAfter >= this.#options.stepsBetweenStrikes;
      if (next !== undefined && isDue && this.#strike(next)) {
        strikes.pop();
        struckAfter = world.firestore.finished;
        movedMs = Date.now();
      }
      await sleep(this.#random.below(60));
      if (Date.now() - toldMs < 10_000) continue;
      toldMs = Date.now();
      const { kills, stops } = this.counts;
      this.#options.onProgress?.(`${kills} kills, ${stops} stops, ${live} of ${this.#tenants.length} tenants live`);
    }
    await Promise.all(this.#stopped);
    await world.settle();
    return this.#judge(expected, before);
  }

  /** A proof in which nothing was interrupted proves nothing. */
  missed(): string[] {
    const { kills, killsWithLease, stops, zombies } = this.counts;
    const wanted = [
      ...(kills > 0 && killsWithLease < kills / 2
        ? [`work: only ${killsWithLease} of ${kills} kills struck a process that held a lease`]
        : []),
      ...(stops > 0 && zombies < stops / 2
        ? [`work: only ${zombies} of ${stops} stops outlasted a lease that was taken over`]
        : []),
    ];
    return wanted;
  }

  #strikes(): ('kill' | 'stop')[] {
    const { kills, stops } = this.#options;
    const strikes = [...Array<'kill'>(kills).fill('kill'), ...Array<'stop'>(stops).fill('stop')];
    for (let last = strikes.length - 1; last > 0; last -= 1) {
      const other = this.#random.below(last + 1);
      [strikes[last], strikes[other]] = [strikes[other] as 'kill', strikes[last] as 'kill'];
    }
    return strikes;
  }

  #isIdle(): boolean {
    const underWay = this.#pool.ready().reduce((sum, worker) => sum + worker.underWay, 0);
    return underWay < this.#options.messagesAtOnce;
  }

  async #connectAnother(): Promise<void> {
    const slug = `saga-${String(this.#tenants.length + 1).padStart(5, '0')}`;
    this.#tenants.push(slug);
    this.counts.tenants += 1;
    await this.#world.connectTenant(slug);
  }

  /**
   * Strikes a process in the middle of something: one that holds a step, and every fifth kill whichever is at work, between
   * its steps too. False when there is none, or nobody would be left.
   */
  #strike(how: 'kill' | 'stop'): boolean {
    const { firestore } = this.#world;
    const ready = this.#pool.ready();
    const isAny = how === 'kill' && this.counts.kills % 5 === 4;
    const candidates = ready.filter(({ name, underWay }) => (isAny ? underWay > 0 : firestore.heldBy(name).length > 0));
    if (ready.length < 2 || candidates.length === 0) return false;
    const victim = this.#random.pick(candidates);
    const held = firestore.heldBy(victim.name);
    for (const { path } of held) {
      const step = path.split('/').at(-1) ?? path;
      this.struckSteps[step] = (this.struckSteps[step] ?? 0) + 1;
    }
    if (how === 'kill') {
      this.#pool.kill(victim);
      this.counts.kills += 1;
      this.counts.killsWithLease += held.length > 0 ? 1 : 0;
      this.counts.leasesLost += held.length;
      return true;
    }
    this.#pool.stop(victim);
    this.counts.stops += 1;
    const back: Promise<void> = this.#comeBack(victim, held).finally(() => this.#stopped.delete(back));
    this.#stopped.add(back);
    return true;
  }

  /** Lets a stopped process go on once what it held is in other hands, or was finished with its last request. */
  async #comeBack(victim: Worker, held: readonly HeldStep[]): Promise<void> {
    const { firestore } = this.#world;
    const deadlineMs = Date.now() + this.#options.leaseMs + 20_000;
    const isDecided = (step: HeldStep): boolean => firestore.isOvertaken(step) || !firestore.isLeft(step);
    while (!held.every(isDecided) && Date.now() < deadlineMs) await sleep(50);
    const overtaken = held.filter((step) => firestore.isOvertaken(step)).length;
    this.counts.zombies += overtaken > 0 ? 1 : 0;
    this.counts.leasesOvertaken += overtaken;
    this.#pool.resume(victim);
  }

  /** What the steps of the first of them are about, for a person. */
  #unfinished([slug]: readonly string[]): string {
    const steps = [...this.#world.firestore.steps()].filter(({ tenantId }) => tenantId === slug);
    const open = steps.filter(({ state }) => !['done', 'skipped', 'pending'].includes(state));
    return open.map(({ step, state, fence, reason }) => `${step} ${state} ${fence} ${reason ?? ''}`).join(', ');
  }

  async #judge(expected: Reference, before: Readonly<Record<string, number>>): Promise<string[]> {
    const world = this.#world;
    const violations = [...world.firestore.violations, ...judgeOutbox(world.firestore.dump())];
    for (const slug of this.#tenants) {
      const found = [...judgeState(world.worldOf(slug), expected), ...(await judgeTrail(world.db, slug))];
      if (!world.wasTold(slug)) found.push('told: tenant-live was never published');
      violations.push(...found.map((what) => `${slug}: ${what}`));
    }
    // What no tenant owns would be seen here only.
    const after = metaObjects([...world.simulator.store.nodes.values()]);
    for (const [kind, count] of Object.entries(expected.objects)) {
      const made = (after[kind] ?? 0) - (before[kind] ?? 0);
      const wanted = count * this.#tenants.length;
      if (made !== wanted) violations.push(`objects: ${made} of kind ${kind} at Meta, ${wanted} expected`);
    }
    return violations;
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    const deadlineMs = Date.now() + this.#options.giveUpAfterMs;
    while (!isSo()) {
      if (Date.now() > deadlineMs) throw new Error(`${what} took too long`);
      await sleep(50);
    }
  }
}
