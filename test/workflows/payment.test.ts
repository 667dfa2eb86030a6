import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHarness, type Harness } from '../support/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
  await harness.startWorker();
});
afterAll(() => harness.close());

test('a paid payment is acknowledged by itself, and recorded', async () => {
  const { client, sandbox } = harness;
  const request = harness.request();

  const answer = await client.open(request);
  expect(answer).toMatchObject({ payment: { status: 'requires_action' } });
  const [created] = sandbox.payments({ reference: request.merchantReference });
  sandbox.consumer.pay(created!.paymentId);

  const payment = await client.waitForOutcome(request.paymentId, { timeoutMs: 15_000 });
  expect(payment).toMatchObject({ status: 'captured' });
});
