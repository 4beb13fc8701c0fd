import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { LocalClock } from '../local-clock.ts';
import { unsignedOidcToken, type HttpDelivery, type HttpDeliveryOutcome } from '../pubsub/http-delivery.ts';
import { isExhausted, queueConfig, retryDelayMs, type QueueConfig, type QueueSettings } from './queue-config.ts';
import { newTask, taskHeaders, type Attempt, type Task, type TaskSettings } from './task.ts';
import { TokenBucket } from './token-bucket.ts';

export type QueueState = 'RUNNING' | 'PAUSED';

/** A task waits for its time, or is due, or is being attempted. */
type Entry = {
  readonly task: Task;
  /** Cancels the timer that will make it due; absent once it is due or under way. */
  cancelWait?: () => void;
  /** Breaks off the attempt under way. */
  abandon?: () => void;
  removed: boolean;
};

/** One queue: its tasks, and when each is attempted. Knows nothing of gRPC but its error codes. */
export class TaskQueue {
  readonly name: string;
  purgeTimeMs: number | undefined;
  readonly #clock: LocalClock;
  readonly #http: HttpDelivery;
  readonly #nameWindowMs: number;
  readonly #onSettled: () => void;
  readonly #entries = new Map<string, Entry>();
  /** Due and not yet under way, oldest first. */
  readonly #due = new Set<Entry>();
  /** Names of gone tasks, and until when each stays taken; in the order they were given up. */
  readonly #takenNames = new Map<string, number>();
  #config: QueueConfig;
  #bucket: TokenBucket;
  #state: QueueState = 'RUNNING';
  #underWay = 0;
  #pumpDue = false;
  #cancelRateWait: (() => void) | undefined;

  constructor(options: {
    name: string;
    settings: QueueSettings;
    clock: LocalClock;
    http: HttpDelivery;
    /** How long the name of a task that is gone cannot be used again. */
    nameWindowMs: number;
    /** A task left, or came to rest. */
    onSettled: () => void;
  }) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#http = options.http;
    this.#nameWindowMs = options.nameWindowMs;
    this.#onSettled = options.onSettled;
    this.#config = queueConfig(options.settings);
    this.#bucket = this.#newBucket();
  }

  get config(): QueueConfig {
    return this.#config;
  }

  get state(): QueueState {
    return this.#state;
  }

  get tasks(): Task[] {
    return [...this.#entries.values()].map(({ task }) => task);
  }

  /** Nothing is under way, and nothing starts before the clock moves or the queue is resumed. */
  get isSettled(): boolean {
    const startable = this.#due.size > 0 && this.#state === 'RUNNING' && this.#cancelRateWait === undefined;
    return this.#underWay === 0 && !startable;
  }

  update(settings: QueueSettings): void {
    this.#config = queueConfig(settings);
    this.#bucket = this.#newBucket();
    this.#stopRateWait();
    this.#wake();
  }

  setState(state: QueueState): void {
    this.#state = state;
    this.#wake();
    this.#onSettled();
  }

  /** Throws ALREADY_EXISTS while a task of the name exists, and for the name window after it is gone. */
  create(settings: TaskSettings): Task {
    const task = newTask(this.name, settings, this.#clock.nowMs());
    if (this.#entries.has(task.name)) throw new GrpcError(GrpcCode.ALREADY_EXISTS, 'Requested entity already exists');
    if (this.#isTaken(task.name)) {
      throw new GrpcError(
        GrpcCode.ALREADY_EXISTS,
        'The task cannot be created because a task with this name existed too recently.',
      );
    }
    const entry: Entry = { task, removed: false };
    this.#entries.set(task.name, entry);
    this.#await(entry);
    return task;
  }

  get(name: string): Task {
    return this.#entry(name).task;
  }

  delete(name: string): void {
    this.#remove(this.#entry(name));
  }

  purge(): void {
    this.purgeTimeMs = this.#clock.nowMs();
    for (const entry of this.#entries.values()) this.#remove(entry);
  }

  /** Attempts a task now, whatever its schedule time, the rate limits and the queue's state. One under way is left alone. */
  run(name: string): Task {
    const entry = this.#entry(name);
    if (!entry.abandon) {
      entry.task.scheduleTimeMs = this.#clock.nowMs();
      this.#attempt(entry);
    }
    return entry.task;
  }

  /** Ends every attempt under way and forgets every task. */
  close(): void {
    this.#stopRateWait();
    for (const entry of this.#entries.values()) {
      this.#remove(entry);
      entry.abandon?.();
    }
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    throw this.#isTaken(name)
      ? new GrpcError(
          GrpcCode.FAILED_PRECONDITION,
          'The task no longer exists, though a task with this name existed recently. The task either successfully completed or was deleted.',
        )
      : new GrpcError(GrpcCode.NOT_FOUND, 'Task does not exist.');
  }

  #isTaken(name: string): boolean {
    const nowMs = this.#clock.nowMs();
    for (const [taken, untilMs] of this.#takenNames) {
      if (untilMs > nowMs) break;
      this.#takenNames.delete(taken);
    }
    return this.#takenNames.has(name);
  }

  #await(entry: Entry): void {
    const waitMs = entry.task.scheduleTimeMs - this.#clock.nowMs();
    if (waitMs <= 0) {
      this.#due.add(entry);
      this.#wake();
      return;
    }
    entry.cancelWait = this.#clock.at(entry.task.scheduleTimeMs, () => {
      delete entry.cancelWait;
      this.#due.add(entry);
      this.#wake();
    });
    this.#onSettled();
  }

  #wake(): void {
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (
      this.#state === 'RUNNING' &&
      !this.#cancelRateWait &&
      this.#underWay < this.#config.maxConcurrentDispatches
    ) {
      const [entry] = this.#due;
      if (!entry) break;
      const waitMs = this.#bucket.take(this.#clock.nowMs());
      if (waitMs > 0) {
        this.#cancelRateWait = this.#clock.at(this.#clock.nowMs() + waitMs, () => {
          this.#cancelRateWait = undefined;
          this.#wake();
        });
        break;
      }
      this.#attempt(entry);
    }
    this.#onSettled();
  }

  #attempt(entry: Entry): void {
    const { task } = entry;
    entry.cancelWait?.();
    delete entry.cancelWait;
    this.#due.delete(entry);
    const nowMs = this.#clock.nowMs();
    const attempt: Attempt = { scheduleTimeMs: task.scheduleTimeMs, dispatchTimeMs: nowMs };
    const bearer = task.target.oidc && unsignedOidcToken({ ...task.target.oidc, nowMs });
    const headers = taskHeaders(this.name.slice(this.name.lastIndexOf('/') + 1), task, bearer);
    task.firstAttempt ??= attempt;
    task.lastAttempt = attempt;
    task.dispatchCount++;
    this.#underWay++;
    const { url, method, body } = task.target;
    const abandon = this.#http.send(
      { url: new URL(url), method, headers, body: body.length > 0 ? body : undefined },
      (outcome) => {
        cancelDeadline();
        delete entry.abandon;
        this.#underWay--;
        this.#finish(entry, attempt, outcome);
      },
    );
    const cancelDeadline = this.#clock.at(nowMs + task.dispatchDeadlineMs, abandon);
    entry.abandon = abandon;
  }

  #finish(entry: Entry, attempt: Attempt, outcome: HttpDeliveryOutcome): void {
    const { task } = entry;
    const nowMs = this.#clock.nowMs();
    attempt.responseTimeMs = nowMs;
    attempt.status = outcome.status;
    if (outcome.status === undefined) attempt.error = outcome.error;
    else task.responseCount++;
    const succeeded = outcome.status !== undefined && outcome.status >= 200 && outcome.status < 300;
    const sinceFirstAttemptMs = nowMs - (task.firstAttempt?.dispatchTimeMs ?? nowMs);
    if (succeeded || isExhausted(this.#config, task.dispatchCount, sinceFirstAttemptMs)) {
      this.#remove(entry);
    } else if (!entry.removed) {
      const retryAfterMs = outcome.status === undefined ? 0 : 1000 * (Number(outcome.retryAfter) || 0);
      task.scheduleTimeMs = nowMs + Math.max(retryAfterMs, retryDelayMs(this.#config, task.dispatchCount));
      this.#await(entry);
    }
    this.#wake();
  }

  #remove(entry: Entry): void {
    if (entry.removed) return;
    entry.removed = true;
    entry.cancelWait?.();
    this.#due.delete(entry);
    this.#entries.delete(entry.task.name);
    this.#takenNames.set(entry.task.name, this.#clock.nowMs() + this.#nameWindowMs);
    this.#onSettled();
  }

  #newBucket(): TokenBucket {
    const { maxDispatchesPerSecond, maxBurstSize } = this.#config;
    return new TokenBucket({ ratePerSecond: maxDispatchesPerSecond, burst: maxBurstSize, nowMs: this.#clock.nowMs() });
  }

  #stopRateWait(): void {
    this.#cancelRateWait?.();
    this.#cancelRateWait = undefined;
  }
}
