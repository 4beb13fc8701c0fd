/** `npm run saga:golden [-- --write --json]`: resumes every stored document; `--write` stores what this version writes. */
import { parseArgs } from 'node:util';
import { startInProcessServices } from '../faults/in-process-services.ts';
import { captureGolden, goldenReference, readGolden, resumeGolden, writeGolden } from './golden.ts';

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const services = await startInProcessServices();
if (values.write) await writeGolden(await captureGolden(services));
const golden = await readGolden(1);
const reference = await goldenReference(services);
const violations: string[] = [];
for (const [index, { at }] of golden.moments.entries()) {
  for (const what of await resumeGolden(services, golden, index, reference)) violations.push(`${at}: ${what}`);
}
await services.close();
const report = { sagaVersion: golden.sagaVersion, moments: golden.moments.length, violations };
for (const violation of values.json ? [] : violations) process.stdout.write(`VIOLATION ${violation}\n`);
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `${report.moments} moments of version ${report.sagaVersion} resumed, ${violations.length} violations\n`,
);
process.exit(violations.length === 0 && report.moments > 0 ? 0 : 1);
