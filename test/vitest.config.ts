import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that touch nothing of their process: they share one, and what they import is loaded once instead of for each. */
const pure = ['shared/{contracts,domain,meta}/**/*.test.ts', 'test/simulator/**/*.test.ts'];

/** One place for every suite: tests live beside the code they guard and, for what spans modules, under `test/`. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    env: { TZ: 'UTC' },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Vitest leaves a core to its own process, which hardly uses it: with two, half the machine.
    maxWorkers: '100%',
    projects: [
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      {
        extends: true,
        test: {
          name: 'a process each',
          include: ['{functions,shared,test}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...pure],
        },
      },
    ],
  },
});
