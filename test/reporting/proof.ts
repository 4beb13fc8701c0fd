/** `npm run report:NAME`: one goal of reporting at full size; prints its figures, ends non-zero when they miss it. */
import { proveActions, proveDeprecations, proveZones } from './asked-proofs.ts';
import { proveJobs } from './jobs-proof.ts';
import type { Proof } from './proof-world.ts';
import { proveKeys, proveMoney, proveRestatement } from './stored-proofs.ts';
import { proveThrottle } from './throttle-proof.ts';

const proofs: Readonly<Record<string, () => Promise<Proof> | Proof>> = {
  restate: () => proveRestatement(numberOf('accounts', 20), numberOf('days', 365)),
  keys: proveKeys,
  jobs: () => proveJobs(numberOf('jobs', 5_000), numberOf('failure-percent', 10)),
  // Sizes spread over an hour's budget: from two and a half to three and a half of them.
  throttle: () => proveThrottle({ callsPerHour: 600, pageRows: 50, campaigns: [162, 173, 184, 195, 206, 217] }),
  money: proveMoney,
  deprecations: proveDeprecations,
  tz: proveZones,
  actions: () => proveActions(numberOf('orders', 10_000)),
};

function numberOf(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const given = at === -1 ? otherwise : Number(process.argv[at + 1]);
  if (!Number.isInteger(given) || given < 1) throw new Error(`--${name} needs a whole number above 0`);
  return given;
}

const [name = ''] = process.argv.slice(2);
const prove = proofs[name];
if (prove === undefined) {
  process.stderr.write(`There is no proof "${name}"; proofs: ${Object.keys(proofs).join(', ')}\n`);
  process.exit(2);
}
const startedMs = performance.now();
const { figures, isMet } = await prove();
process.stdout.write(
  `${JSON.stringify({ proof: name, ...figures, seconds: Math.round((performance.now() - startedMs) / 1000), met: isMet })}\n`,
);
process.exitCode = isMet ? 0 : 1;
