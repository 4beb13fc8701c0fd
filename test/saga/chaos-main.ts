/** `npm run saga:chaos [-- --runs N --seed N --jobs N --json]`: prints counts, ends non-zero on a violation. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { startInProcessServices } from '../faults/in-process-services.ts';
import { numberFrom } from './arguments.ts';
import { runChaos } from './chaos.ts';
import type { ChaosReport } from './chaos.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    /** Processes that share the runs. */
    jobs: { type: 'string' },
    /** Number of the first run: repeats a single one together with `--runs 1`. */
    first: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const runs = numberFrom('--runs', values.runs, 10_000);
const seed = numberFrom('--seed', values.seed, 1);
const first = numberFrom('--first', values.first, 0, 0);
const jobs = Math.min(runs, numberFrom('--jobs', values.jobs, 2));
const startedMs = performance.now();

const report = jobs === 1 ? await alone() : merged(await Promise.all(shares().map(shareOf)));
const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
const isClean = report.violations.length === 0 && report.runs > 0 && Object.keys(report.struck).length > 0;
if (values.json) process.stdout.write(`${JSON.stringify({ ...report, seed, seconds })}\n`);
else {
  for (const violation of report.violations.slice(0, 50)) process.stdout.write(`VIOLATION ${violation}\n`);
  for (const [kind, count] of Object.entries(report.struck))
    process.stdout.write(`${String(count).padStart(7)} ${kind}\n`);
  const journeys = Object.entries(report.journeys).map(([journey, count]) => `${count} ${journey}`);
  process.stdout.write(
    `${report.runs} sagas (${journeys.join(', ')}), ${report.transitions} transitions, ${report.deaths} deaths, ${report.redrives} redrives, ${report.violations.length} violations (seed ${seed}, ${seconds} s)\n`,
  );
}
process.exit(isClean ? 0 : 1);

async function alone(): Promise<ChaosReport> {
  const services = await startInProcessServices();
  const done = await runChaos(services, { seed, first, runs, faultShare: 0.2 });
  await services.close();
  return done;
}

function shares(): { first: number; runs: number }[] {
  const size = Math.ceil(runs / jobs);
  return Array.from({ length: jobs }, (_, job) => ({
    first: first + job * size,
    runs: Math.min(size, runs - job * size),
  })).filter((share) => share.runs > 0);
}

/** One share of the runs in a process of its own. */
async function shareOf(share: { first: number; runs: number }): Promise<ChaosReport> {
  const numbers = ['--first', String(share.first), '--runs', String(share.runs), '--seed', String(seed)];
  const child = spawn(
    process.execPath,
    [...process.execArgv, import.meta.filename, ...numbers, '--jobs', '1', '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const output = await text(child.stdout);
  if (output === '') throw new Error('a share of the runs ended without a report');
  return JSON.parse(output) as ChaosReport;
}

function merged(reports: readonly ChaosReport[]): ChaosReport {
  const struck: Record<string, number> = {};
  const journeys: Record<string, number> = {};
  for (const report of reports) {
    for (const [kind, count] of Object.entries(report.struck)) struck[kind] = (struck[kind] ?? 0) + count;
    for (const [journey, count] of Object.entries(report.journeys))
      journeys[journey] = (journeys[journey] ?? 0) + count;
  }
  const sum = (of: (report: ChaosReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    runs: sum((report) => report.runs),
    transitions: sum((report) => report.transitions),
    deaths: sum((report) => report.deaths),
    redrives: sum((report) => report.redrives),
    journeys,
    struck,
    violations: reports.flatMap((report) => report.violations),
  };
}
