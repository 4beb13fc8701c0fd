/**
 * A thousand tenants from consent to live, in two processes as a deployment has several: time, memory, how the time of a
 * tenant grows with the number of those that are there already, and what a tenant costs in calls.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SagaCosts } from './saga-tenants.ts';

const tenants = 1_000;
const processes = 2;
const barSeconds = 120;
const barMib = 512;
/** What is left of them for the heap; without a limit Node lets garbage lie while the machine has memory. */
const heapMib = 352;

async function onboard(count: number): Promise<SagaCosts> {
  const script = join(import.meta.dirname, 'saga-tenants.ts');
  const args = [`--max-old-space-size=${heapMib}`, script, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e7 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SagaCosts;
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

export async function run(): Promise<{ name: string; ratio: number; bar?: number; atMost?: number }[]> {
  const startedMs = performance.now();
  const runs = await Promise.all(Array.from({ length: processes }, () => onboard(tenants / processes)));
  const seconds = (performance.now() - startedMs) / 1_000;
  const sum = (of: (costs: SagaCosts) => number): number => runs.reduce((total, costs) => total + of(costs), 0);
  const perTenant = (of: (costs: SagaCosts) => number): string => (sum(of) / tenants).toFixed(1);
  const mib = Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)) / 2 ** 20;
  const cpuSeconds = sum((costs) => costs.cpuSeconds);
  // The first cohort pays for what is compiled while it runs.
  const early = mean(runs.flatMap(({ cohortMs }) => cohortMs.slice(1, 3)));
  const late = mean(runs.flatMap(({ cohortMs }) => cohortMs.slice(-2)));
  console.log(
    `  ${tenants} tenants in ${seconds.toFixed(0)} s, ${cpuSeconds.toFixed(0)} s of processor, ${mib.toFixed(0)} MiB at most in one of ${processes} processes`,
  );
  console.log(
    `  per tenant: ${perTenant((costs) => costs.graphCalls)} Graph calls; Firestore ${perTenant((costs) => costs.firestoreReads)} reads, ` +
      `${perTenant((costs) => costs.firestoreWrites)} writes, ${perTenant((costs) => costs.firestoreDeletes)} deletes; Secret Manager ` +
      `${perTenant((costs) => costs.secretReads)} reads, ${perTenant((costs) => costs.secretWrites)} writes; ${perTenant((costs) => costs.messages)} messages`,
  );
  return [
    {
      name: `of the ${barSeconds} s for ${tenants} tenants are enough on two free cores`,
      ratio: (barSeconds * 2) / cpuSeconds,
      bar: 1,
    },
    {
      name: `of the ${barSeconds} s by the clock, whatever else the machine does`,
      ratio: barSeconds / seconds,
      bar: 1,
    },
    { name: `of the ${barMib} MiB of a process`, ratio: barMib / mib, bar: 1 },
    {
      name: 'the processor time of tenants 401–500 of a process, against that of tenants 51–150',
      ratio: late / early,
      atMost: 1.2,
    },
  ];
}
