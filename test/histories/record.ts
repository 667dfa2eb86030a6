/** Records every scenario's history anew. Run on purpose only: see record.config.ts. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHarness, type Harness } from '../support/harness.js';
import { movements, sent } from '../workflows/observed.js';
import { toJson, writeHistory } from './files.js';
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true });
  await harness.startWorker();
});
afterAll(() => harness.close());

test.each(SCENARIO_NAMES)('%s', async (name) => {
  const scenario = SCENARIOS[name];
  const { paymentId, reference } = await scenario.run(harness);
  expect(await harness.client.get(paymentId)).toMatchObject({ status: scenario.status });
  expect(sent(harness.sandbox, reference)).toEqual(scenario.sent);
  expect(movements(harness.sandbox, reference)).toEqual(scenario.moved);
  const history = await harness.handle(paymentId).fetchHistory();
  await writeHistory(name, toJson(history));
});
