import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHarness, type Harness } from '../support/harness.js';

let harness: Harness;
/** How often somebody wanted to keep what was told of a payer. */
let tries = 0;

beforeAll(async () => {
  harness = await startHarness({
    // Fails the first time, and hangs from then on.
    workerStore: (store) => ({
      ...store,
      payers: {
        ...store.payers,
        remember: () =>
          (tries += 1) === 1 ? Promise.reject(new Error('down')) : new Promise(() => undefined),
      },
    }),
  });
  await harness.startWorker();
});
afterAll(() => harness.close());

test('PCQ-05: a payment goes on though nothing can be kept of its payer', async () => {
  const { paymentId, created } = await harness.open({ captureMode: 'manual' });
  harness.sandbox.consumer.scan(created.paymentId);
  await expect.poll(() => tries, { timeout: 10_000 }).toBeGreaterThanOrEqual(1);
  harness.sandbox.consumer.confirm(created.paymentId);
  await harness.until(paymentId, ({ status }) => status === 'authorized');
  await harness.client.capture(paymentId);
  expect((await harness.ended(paymentId)).status).toBe('captured');
  expect(tries).toBeGreaterThanOrEqual(2);
});
