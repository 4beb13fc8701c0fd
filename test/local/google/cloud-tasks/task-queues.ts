import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { LocalClock } from '../local-clock.ts';
import { HttpDelivery } from '../pubsub/http-delivery.ts';
import type { QueueSettings } from './queue-config.ts';
import { TaskQueue } from './task-queue.ts';

/** All queues, and who waits for them to come to rest. */
export class TaskQueues {
  readonly #clock: LocalClock;
  readonly #nameWindowMs: number;
  readonly #http = new HttpDelivery();
  readonly #queues = new Map<string, TaskQueue>();
  readonly #deletedQueues = new Set<string>();
  readonly #waiters = new Set<{ readonly met: (queue: TaskQueue) => boolean; readonly resolve: () => void }>();
  #waitersDue = false;

  constructor(clock: LocalClock, nameWindowMs: number) {
    this.#clock = clock;
    this.#nameWindowMs = nameWindowMs;
  }

  all(): TaskQueue[] {
    return [...this.#queues.values()];
  }

  create(name: string, settings: QueueSettings): TaskQueue {
    if (!/^projects\/[^/]+\/locations\/[^/]+\/queues\/[A-Za-z0-9-]{1,100}$/.test(name)) {
      throw new GrpcError(
        GrpcCode.INVALID_ARGUMENT,
        'Queue name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>"',
      );
    }
    if (this.#queues.has(name)) throw new GrpcError(GrpcCode.ALREADY_EXISTS, 'Queue already exists');
    if (this.#deletedQueues.has(name)) {
      throw new GrpcError(
        GrpcCode.FAILED_PRECONDITION,
        'The queue cannot be created because a queue with this name existed too recently.',
      );
    }
    const queue = new TaskQueue({
      name,
      settings,
      clock: this.#clock,
      http: this.#http,
      nameWindowMs: this.#nameWindowMs,
      onSettled: () => this.#checkWaiters(),
    });
    this.#queues.set(name, queue);
    return queue;
  }

  queue(name: string): TaskQueue {
    const queue = this.#queues.get(name);
    if (queue) return queue;
    throw this.#deletedQueues.has(name)
      ? new GrpcError(
          GrpcCode.FAILED_PRECONDITION,
          'The queue no longer exists, though a queue with this name existed recently.',
        )
      : new GrpcError(
          GrpcCode.NOT_FOUND,
          'Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.',
        );
  }

  queueOfTask(taskName: string): TaskQueue {
    return this.queue(taskName.slice(0, Math.max(0, taskName.lastIndexOf('/tasks/'))));
  }

  delete(name: string): void {
    this.queue(name).close();
    this.#queues.delete(name);
    this.#deletedQueues.add(name);
    this.#checkWaiters();
  }

  /** Resolves once the condition holds for every queue. */
  when(met: (queue: TaskQueue) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ met, resolve });
      this.#checkWaiters();
    });
  }

  close(): Promise<void> {
    for (const queue of this.#queues.values()) queue.close();
    return this.#http.close();
  }

  /** Looks once the current burst of work is over, so that a busy moment costs one look. */
  #checkWaiters(): void {
    if (this.#waitersDue || this.#waiters.size === 0) return;
    this.#waitersDue = true;
    setImmediate(() => {
      this.#waitersDue = false;
      const queues = this.all();
      for (const waiter of this.#waiters) {
        if (!queues.every(waiter.met)) continue;
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
    });
  }
}
