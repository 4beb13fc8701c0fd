/** `npm run soak [-- --events N] [--kills N] [--seed N]`: prints what happened, ends non-zero when any guarantee did not hold. */
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: { events: { type: 'string' }, seed: { type: 'string' }, kills: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
process.stdout.write(`seed ${seed}\n`);
const { violations, ...report } = await soak({
  events: Number(values.events ?? 200_000),
  seed,
  poisonEvery: 500,
  errorShare: 0.05,
  lostShare: 0.05,
  throttleMs: 15_000,
  instances: 2,
  kills: Number(values.kills ?? 20),
  leastMsBetweenKills: 3_000,
  giveUpAfterMs: 10 * 60_000,
  onProgress: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
for (const violation of violations.slice(0, 50)) process.stdout.write(`VIOLATION ${violation}\n`);
process.stdout.write(violations.length === 0 ? 'every guarantee held\n' : `${violations.length} violations\n`);
process.exit(violations.length === 0 ? 0 : 1);
