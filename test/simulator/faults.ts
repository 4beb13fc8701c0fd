import type { SimulatorClock } from './clock.ts';
import type { GraphErrorDetails } from './graph-error.ts';

/** A planted misbehaviour, as the control API takes it. Without `times` it strikes once. */
export interface FaultRequest {
  method?: string;
  /** `/{id}/adaccount`, `/{business}/adaccount` (by type of node), `/act_123/adspixels` or an operation's name. */
  path?: string;
  /** How many matching calls it strikes; 0 is all. */
  times?: number;
  /** How many matching calls go through first. */
  after?: number;
  error?: Partial<GraphErrorDetails> & { code: number };
  latencyMs?: number;
  /** The call is carried out, then the connection is cut. */
  lostResponse?: boolean;
  /** The connection is cut before anything is done. */
  dropBeforeApply?: boolean;
  /** Refuses the call, and every matching call until the minutes are over, naming the time to regain access. */
  throttle?: { regainMinutes: number; code?: number };
  /** 200 with an HTML page instead of JSON, before anything is done. */
  htmlBody?: boolean;
  /** Lists leave out objects younger than this. */
  finderBlindMs?: number;
}

export interface Fault extends FaultRequest {
  readonly id: number;
  seen: number;
  struck: number;
  blockedUntilMs: number | undefined;
  callsWhileBlocked: number;
}

export class InvalidFault extends Error {}

const effects = [
  'error',
  'latencyMs',
  'lostResponse',
  'dropBeforeApply',
  'throttle',
  'htmlBody',
  'finderBlindMs',
] as const;
const known = new Set<string>(['method', 'path', 'times', 'after', ...effects]);

export interface FaultTarget {
  readonly method: string;
  readonly path: string;
  readonly template: string;
  readonly operation: string | undefined;
}

/** The faults in force, in the order they were planted; the first that matches and still has strikes left is used. */
export class FaultPlan {
  readonly #clock: SimulatorClock;
  readonly #faults: Fault[] = [];
  #lastId = 0;

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  /** Adds a fault; an unknown key or one without any effect throws {@link InvalidFault}. */
  plant(request: FaultRequest): Fault {
    const unknown = Object.keys(request).filter((key) => !known.has(key));
    if (unknown.length > 0) throw new InvalidFault(`unknown fault key ${unknown.join(', ')}`);
    if (!effects.some((effect) => request[effect] !== undefined)) {
      throw new InvalidFault(`a fault needs one of ${effects.join(', ')}`);
    }
    checkTypes(request);
    this.#lastId += 1;
    const fault: Fault = {
      ...request,
      id: this.#lastId,
      seen: 0,
      struck: 0,
      blockedUntilMs: undefined,
      callsWhileBlocked: 0,
    };
    this.#faults.push(fault);
    return fault;
  }

  list(): readonly Fault[] {
    return this.#faults;
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** The fault that strikes this call, if any; counting happens here. */
  strike(target: FaultTarget): Fault | undefined {
    for (const fault of this.#faults) {
      if (!matches(fault, target)) continue;
      if (fault.blockedUntilMs !== undefined && this.#clock.nowMs() < fault.blockedUntilMs) {
        fault.callsWhileBlocked += 1;
        return fault;
      }
      const times = fault.times ?? 1;
      if (times !== 0 && fault.struck >= times) continue;
      fault.seen += 1;
      if (fault.seen <= (fault.after ?? 0)) continue;
      fault.struck += 1;
      if (fault.throttle !== undefined) {
        fault.blockedUntilMs = this.#clock.nowMs() + fault.throttle.regainMinutes * 60_000;
      }
      return fault;
    }
    return undefined;
  }
}

/** Faults come as JSON from outside, so their types are checked here. */
function checkTypes({ error, throttle, times, after, latencyMs, finderBlindMs }: FaultRequest): void {
  if (error !== undefined && typeof (error as { code?: unknown }).code !== 'number') {
    throw new InvalidFault('"error" needs a numeric "code"');
  }
  if (throttle !== undefined && !(((throttle as { regainMinutes?: unknown }).regainMinutes as number) > 0)) {
    throw new InvalidFault('"throttle" needs "regainMinutes" above 0');
  }
  for (const [name, value] of Object.entries({ times, after, latencyMs, finderBlindMs })) {
    const isCount = value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0);
    if (!isCount) throw new InvalidFault(`"${name}" must be a whole number`);
  }
}

function matches(fault: Fault, target: FaultTarget): boolean {
  if (fault.method !== undefined && fault.method.toUpperCase() !== target.method) return false;
  if (fault.path === undefined || fault.path === target.operation) return true;
  if (fault.path === target.path || fault.path === target.template) return true;
  const pattern = fault.path.split('/');
  const [path, template] = [target.path.split('/'), target.template.split('/')];
  return (
    pattern.length === path.length &&
    pattern.every((part, index) => part === path[index] || part === '{id}' || part === '*' || part === template[index])
  );
}
