/** `npm run saga:mutants [-- --only a,b --json]`: each mutant must be caught, by the matrix and where it says so by kills too; says by which oracle and where. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chosenFrom } from './arguments.ts';
import type { KillReport } from './kill/kill.ts';
import type { CellResult } from './matrix.ts';
import { mutants } from './mutants.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean', default: false } } });
const chosen = chosenFrom(
  '--only',
  values.only,
  mutants.map(({ name }) => name),
);

interface Caught {
  readonly mutant: string;
  readonly by: 'matrix' | 'kill';
  readonly isCaught: boolean;
  /** Names of the oracles that saw it. */
  readonly oracles: readonly string[];
  readonly where: string;
  readonly after: string;
}

const results: Caught[] = [];
for (const { name, without, alsoByKill } of mutants.filter((mutant) => chosen.includes(mutant.name))) {
  for (const prove of alsoByKill === true ? [byMatrix, byKill] : [byMatrix]) {
    const result = await prove(name);
    results.push(result);
    const { by, isCaught, oracles, where, after } = result;
    const verdict = isCaught ? `caught by ${oracles.join(', ')} at ${where}` : 'NOT CAUGHT';
    if (!values.json)
      process.stdout.write(`${name.padEnd(10)} ${by.padEnd(6)} ${verdict} after ${after} (without ${without})\n`);
  }
}
const caught = results.filter(({ isCaught }) => isCaught).length;
if (values.json) process.stdout.write(`${JSON.stringify({ proofs: results.length, caught, results })}\n`);
else process.stdout.write(`${caught} of ${results.length} proofs caught their mutant\n`);
process.exit(caught === results.length && results.length > 0 ? 0 : 1);

async function byMatrix(name: string): Promise<Caught> {
  const hook = pathToFileURL(join(import.meta.dirname, 'mutate.ts')).href;
  const output = await outputOf(
    ['--import', hook, join(import.meta.dirname, 'matrix-main.ts'), '--first', '--json'],
    name,
  );
  const { violations, runs } = JSON.parse(output) as { violations: CellResult[]; runs: number };
  const [first] = violations;
  const where = first === undefined ? 'nowhere' : `${first.step} ${first.point} ${first.delivery}`;
  return { mutant: name, by: 'matrix', ...seen(first?.why ?? []), where, after: `${runs} runs` };
}

/** Without fence or lease the witness of the processes' writes must speak within few strikes. */
async function byKill(name: string): Promise<Caught> {
  const strikes = ['--kills', '20', '--stops', '20', '--mutant', name, '--first', '--json'];
  const output = await outputOf([join(import.meta.dirname, 'kill/kill-main.ts'), ...strikes], name);
  const { violations, kills, stops } = JSON.parse(output) as KillReport;
  const where = violations[0]?.split(': ')[1] ?? 'nowhere';
  return { mutant: name, by: 'kill', ...seen(violations), where, after: `${kills} kills and ${stops} stops` };
}

function seen(violations: readonly string[]): Pick<Caught, 'isCaught' | 'oracles'> {
  const oracles = [...new Set(violations.map((violation) => violation.split(':')[0] ?? violation))];
  return { isCaught: violations.length > 0, oracles };
}

async function outputOf(parameters: readonly string[], mutant: string): Promise<string> {
  const child = spawn(process.execPath, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SAGA_MUTANT: mutant },
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
  if (output === '') throw new Error(`the proof over ${mutant} ended with ${code} and without a report`);
  return output;
}
