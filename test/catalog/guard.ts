/** `npm run catalog:guard`: broken feeds are held and healthy ones go out, in every format, through the whole sync. */
import { startCatalogWorld } from './catalog-world.ts';
import { brokenFeeds, healthyFeeds } from './guard-cases.ts';
import { guardFormats, runCase } from './guard-run.ts';

const startedMs = performance.now();
const world = await startCatalogWorld();
const wrong: string[] = [];
for (const format of guardFormats) {
  for (const feedCase of [...brokenFeeds, ...healthyFeeds]) wrong.push(...(await runCase(world, feedCase, format)));
}
await world.close();
const [broken, healthy] = [brokenFeeds.length, healthyFeeds.length].map((cases) => cases * guardFormats.length);
for (const each of wrong) process.stdout.write(`  ${each}\n`);
process.stdout.write(
  `catalog:guard: ${broken} broken feeds, ${healthy} healthy ones, ${wrong.length} violations, ` +
    `${Math.round((performance.now() - startedMs) / 1_000)} s\n`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;
