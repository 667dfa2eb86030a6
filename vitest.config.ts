import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    maxConcurrency: 12,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
