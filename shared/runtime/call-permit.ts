import { AsyncLocalStorage } from 'node:async_hooks';

const permits = new AsyncLocalStorage<() => Promise<void>>();

/**
 * Runs `work` under a condition that every call to Meta within it is held to, however deep: `mayCall` throws when there
 * shall be no more calls. It travels with the work rather than with the Graph client, which an instance's messages share.
 */
export function callsAllowedBy<Result>(mayCall: () => Promise<void>, work: () => Promise<Result>): Promise<Result> {
  return permits.run(mayCall, work);
}

/** For a Graph client's `beforeCall`. Outside of any such work, calls are free. */
export async function askPermit(): Promise<void> {
  await permits.getStore()?.();
}
