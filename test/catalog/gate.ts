/** `npm run catalog:gate -- --cases N --seed N`: the launch gate against cases whose truth is known beforehand. */
import { parseArgs } from 'node:util';
import { runGateCases } from './gate-run.ts';

const { values } = parseArgs({
  options: { cases: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
});
const { blocked, cases, open, overridden, unknown, wrong } = runGateCases(Number(values.cases), Number(values.seed));
for (const each of wrong) process.stdout.write(`  ${each}\n`);
process.stdout.write(
  `catalog:gate: ${cases} cases (${open} open, ${blocked} blocked, ${unknown} unknown, ${overridden} overridden), ${wrong.length} wrong\n`,
);
process.exitCode = wrong.length === 0 && cases > 0 ? 0 : 1;
