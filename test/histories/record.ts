/**
 * Records the history of every scenario that has none; to record one anew, delete its file. Run on
 * purpose only: see record.config.ts.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refundWorkflowId } from '../../src/domain/ids.js';
import { startHarness, type Harness } from '../support/harness.js';
import { movements, sent } from '../workflows/observed.js';
import { recordedNames, toJson, writeHistory } from './files.js';
import { REFUND_SCENARIO_NAMES, REFUND_SCENARIOS, refundTraces } from './refund-scenarios.js';
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true, signed: true });
  await harness.startWorker();
});
afterAll(() => harness.close());

const recorded: readonly string[] = await recordedNames();
const isMissing = (name: string): boolean => !recorded.includes(name);

test.each(SCENARIO_NAMES.filter(isMissing))('%s', async (name) => {
  const scenario = SCENARIOS[name];
  const { paymentId, reference } = await scenario.run(harness);
  expect(await harness.client.get(paymentId)).toMatchObject({ status: scenario.status });
  expect(sent(harness.sandbox, reference)).toEqual(scenario.sent);
  expect(movements(harness.sandbox, reference)).toEqual(scenario.moved);
  const history = await harness.handle(paymentId).fetchHistory();
  await writeHistory(name, toJson(history));
});

test.each(REFUND_SCENARIO_NAMES.filter(isMissing))('%s', async (name) => {
  const { run, status, ...expected } = REFUND_SCENARIOS[name];
  const { refundId, object } = await run(harness);
  expect(await harness.client.refunds.get(refundId)).toMatchObject({ status });
  expect(refundTraces(harness, object)).toEqual({ ...expected, keys: 1 });
  const handle = harness.temporalClient.workflow.getHandle(refundWorkflowId(refundId));
  await writeHistory(name, toJson(await handle.fetchHistory()));
});
