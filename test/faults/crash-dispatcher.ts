import { Agent, Dispatcher } from 'undici';

/**
 * A real HTTP agent that can die: from the chosen call on, nothing comes back any more. What Meta was sent it has
 * applied, but the process that sent it never hears so, exactly as if it had been killed.
 */
export class CrashDispatcher extends Dispatcher {
  readonly #agent: Dispatcher;
  readonly #observer: { onCall: () => void; onCrash: () => void };
  #calls = 0;
  #dead = false;
  /** The call after whose answer the process is dead, counting from 1. */
  crashAfter = Number.POSITIVE_INFINITY;
  /** Something that happens elsewhere while a call, counted from 1, is on its way: after Meta did it, before we hear. */
  during: { readonly call: number; readonly act: () => Promise<void> } | undefined;

  /** @param agent carries the calls; a real HTTP agent unless told otherwise */
  constructor(
    observer: { onCall: () => void; onCrash: () => void },
    agent: Dispatcher = new Agent({ connections: 8 }),
  ) {
    super();
    this.#agent = agent;
    this.#observer = observer;
  }

  /** Calls so far: the next one is `calls + 1`. */
  get calls(): number {
    return this.#calls;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#dead) return true;
    this.#calls += 1;
    this.#observer.onCall();
    if (this.#calls === this.during?.call) return this.#agent.dispatch(options, heldUntil(this.during.act, handler));
    if (this.#calls !== this.crashAfter) return this.#agent.dispatch(options, handler);
    return this.#agent.dispatch(options, {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onResponseStart: () => undefined,
      onResponseData: () => undefined,
      onResponseEnd: () => this.#crash(),
      onResponseError: () => this.#crash(),
    });
  }

  #crash(): void {
    this.#dead = true;
    this.#observer.onCrash();
  }

  override async close(): Promise<void> {
    await this.#agent.close();
  }

  override async destroy(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** The handler, told of the end of the answer only after `act` is over. */
function heldUntil(act: () => Promise<void>, handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onResponseStart: (controller, status, headers, message) =>
      handler.onResponseStart?.(controller, status, headers, message),
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => {
      void act().then(() => handler.onResponseEnd?.(controller, trailers));
    },
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  };
}
