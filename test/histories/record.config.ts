import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** `npx vitest run --config test/histories/record.config.ts`, on purpose only. */
export default mergeConfig(
  { ...shared, test: { ...shared.test, include: [] } },
  defineConfig({ test: { include: ['test/histories/record.ts'] } }),
);
