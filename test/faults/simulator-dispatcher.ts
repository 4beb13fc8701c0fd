import { Dispatcher } from 'undici';
import { answerGraph } from '../simulator/graph-api.ts';
import type { SimulatorContext } from '../simulator/context.ts';
import type { ProcessLife } from './process-life.ts';

/** undici asks for the means to pause and abort an exchange; here an answer is there at once. */
const controller = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
} as unknown as Dispatcher.DispatchController;

/** Carries undici's requests to the simulator in this process: the same requests and answers, without sockets. */
export class SimulatorDispatcher extends Dispatcher {
  readonly #context: () => SimulatorContext;
  readonly #life: ProcessLife;

  constructor(context: () => SimulatorContext, life: ProcessLife) {
    super();
    this.#context = context;
    this.#life = life;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    void this.#exchange(options, handler);
    return true;
  }

  async #exchange(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): Promise<void> {
    try {
      handler.onRequestStart?.(controller, {});
      const { method, path } = options;
      const crossing = { place: 'graph', name: `${method} ${path.split('?')[0]}`, writes: method !== 'GET' } as const;
      await this.#life.cross({ ...crossing, when: 'before' });
      const headers = new Headers(options.headers as Record<string, string>);
      const answer = answerGraph(
        {
          method,
          url: new URL(path, 'http://simulator'),
          authorization: headers.get('authorization') ?? undefined,
          contentType: headers.get('content-type') ?? undefined,
          body: typeof options.body === 'string' ? options.body : '',
        },
        this.#context(),
      );
      await this.#life.cross({ ...crossing, when: 'after' });
      if (answer.cut) throw Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
      handler.onResponseStart?.(controller, answer.status, answer.headers, '');
      handler.onResponseData?.(controller, Buffer.from(answer.body));
      handler.onResponseEnd?.(controller, {});
    } catch (error) {
      handler.onResponseError?.(controller, error instanceof Error ? error : new Error(String(error)));
    }
  }

  override async close(): Promise<void> {
    await Promise.resolve();
  }

  override async destroy(): Promise<void> {
    await Promise.resolve();
  }
}
