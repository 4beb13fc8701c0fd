/** `npm start`: the whole system, the demo, and then it stays up. */
import { ConfigError } from '../../shared/runtime/config.ts';
import { DemoFailed, runDemo } from './demo.ts';
import type { DemoSummary } from './demo.ts';
import { feedServiceOf } from './demo-catalog.ts';
import { laterWorldOf } from './demo-schedules.ts';
import { DemoPrinter } from './demo-printer.ts';
import { EmulatorMissing } from './google-services.ts';
import { PortBusy } from './function-host.ts';
import { ManifestError } from './manifests.ts';
import { readOptions, UsageError } from './options.ts';
import type { StartOptions } from './options.ts';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';

/** What to change is in the message; a stack trace would only hide it. */
const explained = [ConfigError, ManifestError, PortBusy, EmulatorMissing, DemoFailed];

process.exitCode = await main();

async function main(): Promise<number> {
  let options: StartOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  let stack: Stack;
  try {
    stack = await startStack(options);
  } catch (error) {
    explain(error);
    return 1;
  }
  const print = new DemoPrinter();
  print.line(`ready ${stack.url}`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  const outcome = options.demo ? await demo(stack, print) : undefined;
  if (!options.once && !stop.signal.aborted) {
    print.line(`Running at ${stack.url}; Ctrl-C ends it.`);
    if (options.json && outcome !== undefined) print.line(JSON.stringify(outcome.summary ?? null));
    await aborted(stop.signal);
  }
  await stack.close();
  if (options.once && options.json) print.line(JSON.stringify(outcome?.summary ?? { status: 'failed' }));
  return outcome?.failed === true ? 1 : 0;
}

async function demo(stack: Stack, print: DemoPrinter): Promise<{ summary?: DemoSummary; failed: boolean }> {
  try {
    return {
      summary: await runDemo({
        url: stack.url,
        simulator: stack.simulator,
        feedService: feedServiceOf(stack),
        later: laterWorldOf(stack),
        print,
      }),
      failed: false,
    };
  } catch (error) {
    explain(error);
    return { failed: true };
  }
}

function explain(error: unknown): void {
  const isExplained = explained.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isExplained ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
}

/** Resolves when the signal fires; holds the process up meanwhile. */
async function aborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(alive);
}
