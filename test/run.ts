/**
 * `npm test`: type check, lint and formatting, then every test. Ends with the plain line `N passed, N failed[, N skipped]`;
 * the type check, the lint and the formatting count as one test each. Every skipped test is listed with its reason.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startVitest } from 'vitest/node';
import type { Reporter, TestModule } from 'vitest/node';

const root = join(import.meta.dirname, '..');

interface Tally {
  passed: number;
  failed: number;
  readonly skips: string[];
}

/** Runs a package's command line with its output shown; counts as one test. */
async function check(tally: Tally, title: string, command: string, ...args: readonly string[]): Promise<void> {
  const startedMs = performance.now();
  const bin = join(root, 'node_modules', '.bin', command);
  const child = spawn(bin, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  const [code] = (await once(child, 'exit')) as [number | null];
  const isClean = code === 0;
  if (isClean) tally.passed += 1;
  else tally.failed += 1;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${isClean ? 'ok  ' : 'FAIL'} ${title} (${seconds} s)\n`);
}

/** Counts what ran. A file that could not be loaded and an error outside any test count as one failure each. */
function countingReporter(tally: Tally): Reporter {
  return {
    onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: readonly unknown[]): void {
      tally.failed += unhandledErrors.length;
      for (const module of modules) {
        let failedTests = 0;
        for (const test of module.children.allTests()) {
          const result = test.result();
          if (result.state === 'passed') tally.passed += 1;
          else if (result.state === 'failed') failedTests += 1;
          else {
            const note = result.state === 'skipped' ? result.note : 'it never ran';
            tally.skips.push(`${module.relativeModuleId} > ${test.fullName}${note === undefined ? '' : `: ${note}`}`);
          }
        }
        const isBroken = module.state() === 'failed' && failedTests === 0;
        tally.failed += failedTests + (isBroken ? 1 : 0);
      }
    },
  };
}

const tally: Tally = { passed: 0, failed: 0, skips: [] };
// Side by side: prettier works on one core for as long as the other two need on the other.
await Promise.all([
  check(tally, 'type check', 'tsc', '--noEmit').then(() => check(tally, 'lint', 'oxlint', '--type-aware')),
  check(tally, 'format', 'prettier', '--check', '--log-level', 'warn', '.'),
]);
const vitest = await startVitest('test', process.argv.slice(2), {
  root,
  config: join(import.meta.dirname, 'vitest.config.ts'),
  run: true,
  watch: false,
  reporters: ['default', countingReporter(tally)],
});
await vitest.close();

for (const skip of tally.skips) process.stdout.write(`skipped ${skip}\n`);
const skipped = tally.skips.length === 0 ? '' : `, ${tally.skips.length} skipped`;
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed${skipped}\n`);
process.exitCode = tally.failed === 0 && tally.passed > 3 ? 0 : 1;
