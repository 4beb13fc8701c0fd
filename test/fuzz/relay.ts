/**
 * `npm run fuzz:relay [-- --runs N --seed N]`: a million mutated requests (unless told) against capi-relay. Prints what was
 * answered; exits with 1 when an answer was a 5xx, something was thrown, anything personal or secret got out, or memory
 * grew by more than a tenth.
 */
import { parseArgs } from 'node:util';
import { fuzzRelay } from './relay-fuzz.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const [runs, seed] = [Number(values.runs), Number(values.seed)];
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--runs and --seed take whole numbers\n');
  process.exit(2);
}

const startedMs = performance.now();
const report = await fuzzRelay({
  runs,
  seed,
  onProgress: (done, rssBytes) => {
    if (done % Math.max(1, Math.floor(runs / 10)) === 0)
      process.stdout.write(`  ${done} requests, ${Math.round(rssBytes / 1_048_576)} MiB\n`);
  },
});
const { statuses, overHttp, queuedMessages, queuedEvents, held, violations, rssGrowth } = report;
const seconds = (performance.now() - startedMs) / 1_000;
process.stdout.write(`${runs} requests with seed ${seed} in ${seconds.toFixed(0)} s, ${overHttp} of them over HTTP\n`);
for (const [status, count] of [...statuses].toSorted(([left], [right]) => left - right))
  process.stdout.write(`  ${status}: ${count}\n`);
process.stdout.write(`  ${queuedMessages} messages with ${queuedEvents} events queued, ${held} events held\n`);
process.stdout.write(`  memory of the last quarter, of the second: ${rssGrowth.toFixed(2)}\n`);
const isStable = runs < 500_000 || rssGrowth <= 1.1;
for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
if (!isStable) process.stdout.write('VIOLATION memory grew by more than a tenth\n');
process.stdout.write(`${violations.length + (isStable ? 0 : 1)} violations\n`);
process.exitCode = violations.length === 0 && isStable ? 0 : 1;
