/** `npm run saga:kill [-- --kills N --stops N --seed N --json]`: prints counts, ends non-zero on a violation. */
import { parseArgs } from 'node:util';
import { chosenFrom, numberFrom } from '../arguments.ts';
import { mutants } from '../mutants.ts';
import { runKill } from './kill.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    stops: { type: 'string' },
    seed: { type: 'string' },
    /** How long a step is held: longer on a machine that has more to do, or live workers lose their steps. */
    'lease-ms': { type: 'string' },
    /** Takes a guard out of the processes: the proof must then fail. */
    mutant: { type: 'string' },
    /** Ends at the first write that should have been refused. */
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const names = mutants.map(({ name }) => name);
const [mutantName] = values.mutant === undefined ? [] : chosenFrom('--mutant', values.mutant, names);
const mutant = mutants.find(({ name }) => name === mutantName);
const seed = numberFrom('--seed', values.seed, 1);
const report = await runKill({
  kills: numberFrom('--kills', values.kills, 300, 0),
  stops: numberFrom('--stops', values.stops, 100, 0),
  seed,
  leaseMs: numberFrom('--lease-ms', values['lease-ms'], 6_000, 1_000),
  workers: 3,
  messagesAtOnce: 4,
  tenantsAtOnce: 40,
  stepsBetweenStrikes: 2,
  giveUpAfterMs: 300_000,
  stopAtFirst: values.first,
  ...(mutant && { mutant }),
  ...(!values.json && { onProgress: (line: string) => void process.stdout.write(`${line}\n`) }),
});
const { violations, struckSteps, ...counts } = report;
if (values.json) process.stdout.write(`${JSON.stringify({ ...report, seed })}\n`);
else {
  for (const violation of violations.slice(0, 50)) process.stdout.write(`VIOLATION ${violation}\n`);
  for (const [name, count] of Object.entries(counts)) process.stdout.write(`${String(count).padStart(8)} ${name}\n`);
  const steps = Object.entries(struckSteps).map(([step, count]) => `${step} ${count}`);
  process.stdout.write(`interrupted: ${steps.join(', ')}\n`);
  process.stdout.write(`${violations.length} violations (seed ${seed})\n`);
}
process.exit(violations.length === 0 ? 0 : 1);
