import { defineConfig } from 'vitest/config';

/** One place for every suite: tests live beside the code they guard and, for what spans modules, under `test/`. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['{functions,shared,test}/**/*.test.ts'],
    env: { TZ: 'UTC' },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Vitest leaves a core to its own process, which hardly uses it: with two, half the machine.
    maxWorkers: '100%',
  },
});
