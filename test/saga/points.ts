/**
 * The sixteen places at which a step can be struck. A point says how it strikes the first attempt of a step, or why it
 * cannot. Whether it did strike is checked too: a fault that never came proves nothing.
 */
import { stepDefinition } from '../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import { defaultStepLeaseMs } from '../../shared/runtime/config.ts';
import { paths } from '../../shared/contracts/documents.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import type { Delivery } from '../faults/messages-in-flight.ts';
import type { OnboardingWorld } from '../faults/onboarding-world.ts';
import type { AtCrossing, Crossing, ProcessLife } from '../faults/process-life.ts';
import type { FaultRequest } from '../simulator/faults.ts';
import { plantDecoys } from './decoys.ts';

/** What a cell's run is given to work with. The world is there once the run has begun. */
export interface Cell {
  readonly services: InProcessServices;
  readonly step: StepName;
  readonly tenantId: string;
  readonly delivery: Delivery;
  /** The step's crossings in a run without faults, in order. */
  readonly trace: readonly Crossing[];
  readonly world: () => OnboardingWorld;
}

/** A fault ready to strike. */
export interface Armed {
  readonly atCrossing: AtCrossing;
  readonly struck: () => boolean;
  /** What must hold besides the oracles, once everything has come to rest. */
  readonly alsoHolds?: () => string[] | Promise<string[]>;
  /** What a person does about it, after which everything must come to the same end. */
  readonly repair?: () => Promise<void>;
  readonly isCancelled?: boolean;
}

export interface FaultPoint {
  readonly id: string;
  readonly title: string;
  /** Each variant is a run of its own, and all must hold; or the reason why there is none for this step. */
  readonly arm: (cell: Cell) => string | readonly (() => Armed)[];
}

type Strike = (crossing: Crossing, life: ProcessLife) => void | Promise<void>;

/** Strikes once, at the first crossing of the step for which `where` holds. */
function once(
  cell: Cell,
  where: (crossing: Crossing, index: number) => boolean,
  strike: Strike,
  rest: Partial<Armed> = {},
): Armed {
  let isStruck = false;
  let index = -1;
  return {
    struck: () => isStruck,
    async atCrossing(crossing, life) {
      if (isStruck || crossing.topic !== cell.step) return;
      index += 1;
      if (!where(crossing, index)) return;
      isStruck = true;
      await strike(crossing, life);
    },
    ...rest,
  };
}

const die: Strike = (_crossing, life) => life.die();
const isSend = ({ place, writes }: Crossing): boolean => (place === 'graph' || place === 'secrets') && writes;
const isGraphWrite = ({ place, writes }: Crossing): boolean => place === 'graph' && writes;
const before = (crossing: Crossing): boolean => crossing.when === 'before';
const after = (crossing: Crossing): boolean => crossing.when === 'after';
const isCommit = ({ place, name }: Crossing): boolean => place === 'firestore' && name === 'commit';

const noWrite = 'it writes nothing outside Firestore';
const noGraphWrite = 'it writes nothing to Meta';
const noCall = 'it never calls Meta';

function sends(cell: Cell): boolean {
  return cell.trace.some(isSend);
}

/** One variant for each thing the step sends: what comes after the first is built on what the first has made. */
function atEachSend(cell: Cell, when: 'before' | 'after', strike: Strike): (() => Armed)[] {
  const count = cell.trace.filter((crossing) => isSend(crossing) && before(crossing)).length;
  return Array.from({ length: count }, (_, number) => () => {
    let seen = 0;
    return once(
      cell,
      (crossing) => {
        if (!isSend(crossing) || crossing.when !== when) return false;
        seen += 1;
        return seen === number + 1;
      },
      strike,
    );
  });
}
function writesToMeta(cell: Cell): boolean {
  return cell.trace.some(isGraphWrite);
}
function calls(cell: Cell): boolean {
  return cell.trace.some(({ place }) => place === 'graph');
}

/** The step's first write to Meta, or its first call where it only reads. */
const telling =
  (cell: Cell) =>
  (crossing: Crossing): boolean =>
    before(crossing) && (writesToMeta(cell) ? isGraphWrite(crossing) : crossing.place === 'graph');

/** Meta answers the step's telling call, once, with a misbehaviour. */
function misbehaves(
  cell: Cell,
  fault: FaultRequest,
  rest: (planted: { blocked: () => number }) => Partial<Armed> = () => ({}),
): Armed {
  const { faults } = cell.services.simulator;
  const blocked = (): number => faults.list().reduce((sum, { callsWhileBlocked }) => sum + callsWhileBlocked, 0);
  const plant: Strike = (crossing) => {
    const [method = '', path = ''] = crossing.name.split(' ');
    faults.plant({ ...fault, method, path: path.replace(/^\/v[\d.]+/, '') });
  };
  return once(cell, telling(cell), plant, rest({ blocked }));
}

function grpcError(code: number, message: string): Error {
  return Object.assign(new Error(message), { code, details: message });
}

/** The commit that records what was sent; where nothing is sent, the one that ends the step. */
function recording(cell: Cell): (crossing: Crossing) => boolean {
  let hasSent = !sends(cell);
  let commits = 0;
  return (crossing) => {
    if (isSend(crossing) && after(crossing)) hasSent = true;
    if (isCommit(crossing) && before(crossing)) commits += 1;
    return hasSent && isCommit(crossing) && commits > 1;
  };
}

export const faultPoints: readonly FaultPoint[] = [
  {
    id: 'P1',
    title: 'killed before it reads its state',
    arm: (cell) => [() => once(cell, ({ place }) => place === 'firestore', die)],
  },
  {
    id: 'P2',
    title: 'killed with the lease, before any mark',
    arm: (cell) => [() => once(cell, (crossing) => isCommit(crossing) && after(crossing), die)],
  },
  {
    id: 'P3',
    title: 'killed after the mark, before anything was sent',
    arm: (cell) => (sends(cell) ? atEachSend(cell, 'before', die) : noWrite),
  },
  {
    id: 'P4',
    title: 'sent and applied, the answer lost',
    arm: (cell) => {
      if (!sends(cell)) return noWrite;
      const lose: Strike = () => {
        throw Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
      };
      return atEachSend(cell, 'after', lose);
    },
  },
  {
    id: 'P5',
    title: 'killed with the answer in memory',
    arm: (cell) => (sends(cell) ? atEachSend(cell, 'after', die) : noWrite),
  },
  {
    id: 'P6',
    title: 'the state write is ABORTED, UNAVAILABLE, or done and its answer lost',
    arm: (cell) => {
      const fails = (code: number, when: 'before' | 'after') => (): Armed => {
        const isRecording = recording(cell);
        return once(
          cell,
          (crossing) => isRecording(crossing) && crossing.when === when,
          () => {
            throw grpcError(code, 'planted');
          },
        );
      };
      return [fails(10, 'before'), fails(14, 'before'), fails(14, 'after')];
    },
  },
  {
    id: 'P7',
    title: 'committed, killed before publishing',
    arm: (cell) => {
      const last = cell.trace.findLastIndex(
        (crossing) => isCommit(crossing) && after(crossing) && !isOutboxDelete(crossing),
      );
      return [
        () => {
          let isDone = false;
          return once(
            cell,
            (_crossing, index) => {
              const hit = isDone;
              isDone = index >= last;
              return hit;
            },
            die,
          );
        },
      ];
    },
  },
  {
    id: 'P8',
    title: 'published, killed before the acknowledgement',
    arm: (cell) => [() => once(cell, ({ place }) => place === 'acknowledge', die)],
  },
  {
    id: 'P9',
    title: 'a zombie comes back after another finished its step; a copy comes while the first is at work',
    arm: (cell) => [() => zombie(cell), ...(writesToMeta(cell) ? [() => overlap(cell)] : [])],
  },
  {
    id: 'P10',
    title: 'killed after sending, or impatiently retried, while Meta’s lists show the object 20 s late',
    arm: (cell) => {
      if (!writesToMeta(cell)) return noGraphWrite;
      const strike: Strike = (_crossing, life) => {
        cell.services.simulator.faults.plant({ method: 'GET', finderBlindMs: 20_000, times: 0 });
        life.die();
      };
      return [() => once(cell, (crossing) => isGraphWrite(crossing) && after(crossing), strike), () => impatient(cell)];
    },
  },
  {
    id: 'P11',
    title: 'killed after sending, and the object is on the third page of its list',
    arm: (cell) => {
      if (!writesToMeta(cell)) return noGraphWrite;
      const kinds = decoyKindsOf(cell.step);
      if (kinds.length === 0) return 'its finder asks by key, or Meta allows one object only: there is no list to page';
      const strike: Strike = (_crossing, life) => {
        plantDecoys(cell.services.simulator.store, kinds, 50);
        life.die();
      };
      return [() => once(cell, (crossing) => isGraphWrite(crossing) && after(crossing), strike)];
    },
  },
  {
    id: 'P12',
    title: 'Meta refuses for good; a person retries once it is mended',
    arm: (cell) => {
      if (!calls(cell)) return noCall;
      const repair = async (): Promise<void> => {
        const world = cell.world();
        const failed = (await world.steps(cell.tenantId)).find(({ step }) => step === cell.step);
        if (failed?.state !== 'failed') return;
        await world.redrive({ tenantId: cell.tenantId, runId: 'run-1', step: cell.step }, 'proof');
      };
      return [() => misbehaves(cell, { error: { code: 100 } }, () => ({ repair }))];
    },
  },
  {
    id: 'P13',
    title: 'Meta throttles and names seven minutes',
    arm: (cell) => {
      if (!calls(cell)) return noCall;
      const throttle = { throttle: { regainMinutes: 7, code: 80004 } };
      return [
        () =>
          misbehaves(cell, throttle, ({ blocked }) => ({
            alsoHolds: () => (blocked() === 0 ? [] : [`throttle: ${blocked()} calls before the time Meta named`]),
          })),
      ];
    },
  },
  {
    id: 'P14',
    title: 'the token is dead, and works again after somebody acted',
    arm: (cell) => {
      if (!calls(cell)) return noCall;
      return [() => misbehaves(cell, { error: { code: 190 } })];
    },
  },
  {
    id: 'P15',
    title: 'killed in the middle; another version finds the documents as they were stored',
    arm: (cell) => {
      const strike: Strike = async (_crossing, life) => {
        life.die();
        await reloadDocuments(cell.services, cell.tenantId);
      };
      const middle = (crossing: Crossing): boolean =>
        sends(cell) ? isSend(crossing) && before(crossing) : isCommit(crossing) && after(crossing);
      return [() => once(cell, middle, strike)];
    },
  },
  {
    id: 'P16',
    title: 'cancelled while a call is on its way',
    arm: (cell) => {
      const isMoment = (crossing: Crossing): boolean =>
        calls(cell)
          ? after(crossing) && (writesToMeta(cell) ? isGraphWrite(crossing) : crossing.place === 'graph')
          : isCommit(crossing) && after(crossing);
      return [
        () => {
          const cancel = once(cell, isMoment, () => cell.world().cancel(cell.tenantId), { isCancelled: true });
          const later: string[] = [];
          return {
            ...cancel,
            async atCrossing(crossing, life) {
              const isCall = crossing.place === 'graph' && before(crossing);
              if (cancel.struck() && isCall && crossing.topic !== 'undo-run') later.push(crossing.name);
              await cancel.atCrossing(crossing, life);
            },
            alsoHolds: () => later.map((name) => `cancel: ${name} was called afterwards`),
          };
        },
      ];
    },
  },
];

function isOutboxDelete({ request }: Crossing): boolean {
  const { writes = [] }: { writes?: { delete?: string }[] } = request ?? {};
  return writes.some((write) => write.delete?.includes('/outbox/'));
}

/**
 * A worker stops in the middle of a call (a long pause, a lost network), its lease ends, another finishes the run; then it
 * comes back. Nothing it still does may change anything.
 */
function zombie(cell: Cell): Armed {
  let changed: string[] = [];
  let atRest = '';
  const { services, tenantId, delivery } = cell;
  let commits = 0;
  const moment = (crossing: Crossing): boolean => {
    if (isCommit(crossing) && before(crossing)) commits += 1;
    if (writesToMeta(cell)) return isGraphWrite(crossing) && after(crossing);
    return calls(cell) ? crossing.place === 'graph' && after(crossing) : commits === 2 && isCommit(crossing);
  };
  const strike: Strike = async () => {
    services.clock.now = new Date(services.clock.now.getTime() + defaultStepLeaseMs + 1_000);
    cell.world().startOther();
    await cell.world().run(tenantId, delivery);
    atRest = JSON.stringify(services.firestore.dump());
  };
  return once(cell, moment, strike, {
    alsoHolds: () => {
      if (atRest !== JSON.stringify(services.firestore.dump()))
        changed = ['zombie: what it did after its lease was accepted'];
      return changed;
    },
  });
}

/** Another worker gets a copy of the message while the first is about to send: the lease keeps it off. */
function overlap(cell: Cell): Armed {
  const taken: string[] = [];
  const fenceNow = async (): Promise<number | undefined> =>
    (await cell.world().steps(cell.tenantId)).find(({ step }) => step === cell.step)?.fence;
  const strike: Strike = async () => {
    const held = await fenceNow();
    cell.world().startOther();
    await cell.world().deliverAgain(cell.step);
    if ((await fenceNow()) !== held) taken.push('lease: a copy of the message took the step from a live worker');
  };
  return once(cell, (crossing) => isGraphWrite(crossing) && before(crossing), strike, { alsoHolds: () => taken });
}

/** The answer gets lost, Meta's lists are late, and a person presses "retry now" at once: only the mark tells of the call. */
function impatient(cell: Cell): Armed {
  let isRedriven = false;
  const lost = once(
    cell,
    (crossing) => isGraphWrite(crossing) && after(crossing),
    () => {
      cell.services.simulator.faults.plant({ method: 'GET', finderBlindMs: 20_000, times: 0 });
      throw Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
    },
  );
  return {
    struck: lost.struck,
    async atCrossing(crossing, life) {
      if (lost.struck() && !isRedriven && crossing.topic === cell.step && crossing.place === 'acknowledge') {
        isRedriven = true;
        await cell.world().redrive({ tenantId: cell.tenantId, runId: 'run-1', step: cell.step }, 'proof');
      }
      await lost.atCrossing(crossing, life);
    },
  };
}

/** Steps whose finder lists objects by name. */
function decoyKindsOf(step: StepName): readonly ('ad_account' | 'catalog' | 'system_user')[] {
  if (stepDefinition(step).adopts?.effect === 'ad-account') return ['ad_account'];
  if (stepDefinition(step).adopts?.effect === 'catalog') return ['catalog'];
  return [];
}

/** Takes the tenant, run and step documents out and stores what their JSON says, as a later version would find it. */
async function reloadDocuments({ db, firestore }: InProcessServices, tenantId: string): Promise<void> {
  const mine = Object.entries(firestore.dump()).filter(([path]) => path.startsWith(paths.tenant(tenantId)));
  for (const [path, fields] of mine.filter(([known]) => !/\/(audit|auditHeads)\//.test(known))) {
    await db.doc(path).set(JSON.parse(JSON.stringify(fields)) as Record<string, unknown>);
  }
}
