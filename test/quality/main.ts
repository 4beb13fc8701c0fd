/**
 * `npm run emq -- alerts|causes|predict|polls [--seed N]`: the figures behind match quality. Prints them and ends with 1 when
 * a goal is missed.
 */
import { parseArgs } from 'node:util';
import { judgeLabelledSeries } from './labelled-series.ts';
import { nameLabelledCauses } from './planted-causes.ts';
import { predictSimulatedScores } from './predicted-scores.ts';
import { pollManyTenants } from './poll-many-tenants.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' } },
});
const seed = Number(values.seed);

/** What each prints, and whether it meets its goal. */
const proofs: Readonly<Record<string, () => Promise<{ figures: object; met: boolean }>>> = {
  alerts: async () => {
    const figures = judgeLabelledSeries(200, seed);
    const { pagesForFewEvents, precision, recall, slowestPolls } = figures;
    return { figures, met: recall >= 0.98 && precision >= 0.95 && slowestPolls <= 2 && pagesForFewEvents === 0 };
  },
  causes: async () => {
    const figures = nameLabelledCauses(500, seed);
    return { figures, met: figures.first >= 0.9 * (figures.cases - figures.undetected) };
  },
  predict: async () => {
    const figures = predictSimulatedScores(500, seed);
    return {
      figures,
      met: figures.rankCorrelation >= 0.95 && figures.meanError <= 0.3 && figures.bestKeyNamed >= 0.95,
    };
  },
  polls: async () => {
    const figures = await pollManyTenants(1_000);
    const { polledAgain, polledWithinAnHour, refused, tenants } = figures;
    return { figures, met: polledWithinAnHour === tenants && polledAgain === tenants && refused === 0 };
  },
};

const asked = positionals.length === 0 ? Object.keys(proofs) : positionals;
for (const name of asked) {
  const proof = proofs[name];
  if (proof === undefined) {
    process.stderr.write(`There is no "${name}"; known: ${Object.keys(proofs).join(', ')}.\n`);
    process.exit(2);
  }
  const { figures, met } = await proof();
  process.stdout.write(`${name}: ${met ? 'met' : 'MISSED'} ${JSON.stringify(figures)}\n`);
  if (!met) process.exitCode = 1;
}
