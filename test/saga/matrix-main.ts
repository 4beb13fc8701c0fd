/** `npm run saga:matrix [-- --steps a,b --points P4,P9 --deliveries once --json]`: prints counts, ends non-zero on a violation. */
import { parseArgs } from 'node:util';
import { stepNames } from '../../shared/domain/provisioning-steps.ts';
import { startInProcessServices } from '../faults/in-process-services.ts';
import { chosenFrom } from './arguments.ts';
import { deliveries, runMatrix } from './matrix.ts';
import type { CellResult, DeliveryName } from './matrix.ts';
import { faultPoints } from './points.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string' },
    points: { type: 'string' },
    deliveries: { type: 'string' },
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const startedMs = performance.now();
const services = await startInProcessServices();
const say = (line: string): void => void (values.json || process.stdout.write(`${line}\n`));
const results = await runMatrix(services, {
  steps: chosenFrom('--steps', values.steps, stepNames),
  points: chosenFrom(
    '--points',
    values.points,
    faultPoints.map(({ id }) => id),
  ),
  deliveries: chosenFrom('--deliveries', values.deliveries, Object.keys(deliveries) as DeliveryName[]),
  stopAtFirst: values.first,
  onCell({ step, point, delivery, outcome, why }) {
    if (outcome === 'violated') for (const what of why) say(`VIOLATION ${step} ${point} ${delivery}: ${what}`);
  },
});
await services.close();

const count = (cells: readonly CellResult[], outcome: CellResult['outcome']): number =>
  cells.filter((cell) => cell.outcome === outcome).length;
for (const { id, title } of faultPoints) {
  const cells = results.filter(({ point }) => point === id);
  if (cells.length === 0) continue;
  say(
    `${id.padEnd(4)} ${String(count(cells, 'held')).padStart(3)} held ${String(count(cells, 'not applicable')).padStart(3)} n/a ${String(count(cells, 'violated')).padStart(3)} violated  ${title}`,
  );
}
const reasons = new Map<string, Set<string>>();
for (const { outcome, why, step, point } of results) {
  if (outcome !== 'not applicable') continue;
  const [reason = ''] = why;
  reasons.set(reason, (reasons.get(reason) ?? new Set()).add(`${step} ${point}`));
}
for (const [reason, cells] of reasons) say(`not applicable because ${reason}: ${[...cells].join(', ')}`);
const report = {
  cells: results.length,
  held: count(results, 'held'),
  notApplicable: count(results, 'not applicable'),
  violated: count(results, 'violated'),
  runs: results.reduce((sum, { runs }) => sum + runs, 0),
  seconds: Math.round((performance.now() - startedMs) / 100) / 10,
};
if (values.json) {
  const violations = results.filter(({ outcome }) => outcome === 'violated');
  process.stdout.write(`${JSON.stringify({ ...report, violations })}\n`);
} else {
  say(
    `${report.cells} cells: ${report.held} held, ${report.notApplicable} not applicable, ${report.violated} violated (${report.runs} runs, ${report.seconds} s)`,
  );
}
process.exit(report.violated === 0 && report.held > 0 ? 0 : 1);
