/** `npm run saga:mutants [-- --only a,b --json]`: each mutant must be caught by the matrix; says by which oracle and where. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chosenFrom } from './arguments.ts';
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
  readonly isCaught: boolean;
  /** Names of the oracles that saw it. */
  readonly oracles: readonly string[];
  readonly where: string;
  readonly runs: number;
}

const results: Caught[] = [];
for (const { name, without } of mutants.filter((mutant) => chosen.includes(mutant.name))) {
  const result = await runMutant(name);
  results.push(result);
  const verdict = result.isCaught ? `caught by ${result.oracles.join(', ')} at ${result.where}` : 'NOT CAUGHT';
  if (!values.json)
    process.stdout.write(`${name.padEnd(10)} ${verdict} after ${result.runs} runs (without ${without})\n`);
}
const caught = results.filter(({ isCaught }) => isCaught).length;
if (values.json) process.stdout.write(`${JSON.stringify({ mutants: results.length, caught, results })}\n`);
else process.stdout.write(`${caught} of ${results.length} mutants caught\n`);
process.exit(caught === results.length && results.length > 0 ? 0 : 1);

async function runMutant(name: string): Promise<Caught> {
  const hook = pathToFileURL(join(import.meta.dirname, 'mutate.ts')).href;
  const matrix = join(import.meta.dirname, 'matrix-main.ts');
  const child = spawn(process.execPath, ['--import', hook, matrix, '--first', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SAGA_MUTANT: name },
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
  if (output === '') throw new Error(`the matrix over ${name} ended with ${code} and without a report`);
  const { violations, runs } = JSON.parse(output) as { violations: CellResult[]; runs: number };
  const [first] = violations;
  const oracles = [...new Set((first?.why ?? []).map((why) => why.split(':')[0] ?? why))];
  const where = first === undefined ? 'nowhere' : `${first.step} ${first.point} ${first.delivery}`;
  return { mutant: name, isCaught: first !== undefined, oracles, where, runs };
}
