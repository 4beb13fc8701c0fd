import { AsyncLocalStorage } from 'node:async_hooks';

const collecting = new AsyncLocalStorage<string[]>();

/** Meta's ids of the calls made within `work`, however deep, for the audit trail: what Meta's support asks for. */
export async function withCallTraces<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; traces: string[] }> {
  const traces: string[] = [];
  return { result: await collecting.run(traces, work), traces };
}

/** Notes the `fbtrace_id` of an exchange that was just observed. Outside of any such work it is let go. */
export function noteCallTrace(fbtraceId: string | undefined): void {
  if (fbtraceId !== undefined) collecting.getStore()?.push(fbtraceId);
}
