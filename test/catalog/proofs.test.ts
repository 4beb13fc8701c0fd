import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCatalogWorld } from './catalog-world.ts';
import type { CatalogWorld } from './catalog-world.ts';
import { runGateCases } from './gate-run.ts';
import { brokenFeeds, healthyFeeds } from './guard-cases.ts';
import { runCase } from './guard-run.ts';

it('the launch gate is right in 500 cases whose truth was planned first', () => {
  const result = runGateCases(500, 1);
  expect(result.wrong).toEqual([]);
  expect(Math.min(result.open, result.blocked, result.unknown, result.overridden)).toBeGreaterThan(10);
});

describe('guards, through the whole sync (every format: npm run catalog:guard)', () => {
  let world: CatalogWorld;
  beforeAll(async () => {
    world = await startCatalogWorld();
  });
  afterAll(() => world.close());

  const some = [
    'a file without rows',
    'half of the items',
    'the brand column lost',
    'prices in hundredths',
    'every row twice',
  ];
  it.each(brokenFeeds.filter(({ name }) => some.includes(name)))(
    '$name: held, one alert, released by a good feed',
    async (each) => {
      expect(await runCase(world, each, 'csv')).toEqual([]);
    },
  );

  it.each(healthyFeeds.slice(0, 3))('$name: goes out', async (each) => {
    expect(await runCase(world, each, 'csv')).toEqual([]);
  });
});
