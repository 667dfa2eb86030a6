/** Sweeps of a connection whose notifications never arrive. */
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TIMING } from '../../src/domain/timing.js';
import { dispatchRound } from '../../src/http/dispatcher.js';
import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import type { Store } from '../../src/store/store.js';
import { CONNECTION_ID, openEmptyStore, startHarness, type Harness } from '../support/harness.js';
import { movements, TAKEN } from './observed.js';

const { sweepBackMs } = TIMING.fast;
const MINUTE_MS = 60_000;

let harness: Harness;
let store: Store;

beforeAll(async () => {
  store = await openEmptyStore();
});
afterAll(() => store.close());
afterEach(() => harness.close());

/** Nobody is at the address that is given out. */
async function start(sandbox: PayconiqSandboxOptions = {}): Promise<void> {
  harness = await startHarness({ publicUrl: 'http://127.0.0.1:1', sandbox, store });
  await harness.startWorker();
}

const sweep = () => harness.client.sweep(CONNECTION_ID);

function searches() {
  return harness.sandbox.requests().filter(({ operation }) => operation === 'search');
}

test('PCQ-06: goes through all pages, and tells of each payment once', async () => {
  await start({ printedProduct: 'receipt' });
  const { consumer, profileId } = harness.sandbox;
  const scan = (n: number): string =>
    consumer.scanCode(`https://payconiq.com/t/1/${profileId}?A=100&R=PAGED-${n}`).paymentId;
  const paid = Array.from({ length: 101 }, (_none, n) => scan(n));
  paid.forEach((paymentId) => consumer.confirm(paymentId));
  scan(101);
  expect(await sweep()).toMatchObject({ found: 102, news: 101 });
  expect(searches()).toHaveLength(3);
  expect(await sweep()).toMatchObject({ found: 102, news: 0 });

  const { notifications } = await store.inbox.list({ connectionId: CONNECTION_ID, limit: 200 });
  const swept = notifications.map(({ providerReference }) => providerReference);
  expect(swept.toSorted()).toEqual(paid.toSorted());
  for (const { id } of notifications) await store.inbox.markUnmatched(id);
});

test('that fails says why after its attempts, and the next goes on from the last good one', async () => {
  await start();
  const good = await sweep();
  const failing = harness.sandbox.faults.always('search', { kind: 'throttle' });
  await expect(sweep()).rejects.toMatchObject({ code: 'throttled' });
  expect(failing.hits()).toBe(3);
  failing.remove();
  const { paymentId } = harness.sandbox.consumer.scanCode(
    `https://payconiq.com/t/1/${harness.sandbox.profileId}?A=100&R=AFTER`,
  );
  harness.sandbox.consumer.confirm(paymentId);
  const next = await sweep();
  expect(Date.parse(next!.from)).toBe(Date.parse(good!.to) - sweepBackMs);
  expect(next).toMatchObject({ news: 1 });
  expect(await store.sweeps.sweptUntil(CONNECTION_ID)).toBe(next!.to);
});

test('tries again where a search fails once, and loses nothing', async () => {
  await start();
  const { consumer, profileId, faults } = harness.sandbox;
  faults.next('search', { kind: 'reset_before_effect' });
  const scanned = consumer.scanCode(`https://payconiq.com/t/1/${profileId}?A=100&R=ONCE`);
  consumer.confirm(scanned.paymentId);
  expect(await sweep()).toMatchObject({ found: 1, news: 1 });
  expect(searches()).toHaveLength(2);
});

test('PCQ-06: brings the orphan of a lost creation to the payment that it was made for', async () => {
  // Not found when it is looked for, so it is made again; and paid by a code that its payer kept.
  await start({ searchDelayMs: MINUTE_MS });
  const { sandbox, client, ended, request } = harness;
  const asked = request();
  const { merchantReference: reference } = asked;
  sandbox.faults.next('create', { kind: 'reset_after_effect' }, { reference });
  const answer = await client.open(asked);
  expect(answer).toMatchObject({ payment: { status: 'requires_action' } });
  const [orphan, second] = sandbox.payments({ reference });
  expect(answer).toMatchObject({ payment: { providerReference: second!.paymentId } });
  sandbox.consumer.pay(orphan!.paymentId);
  await sandbox.clock.advance(MINUTE_MS);

  expect(await sweep()).toMatchObject({ found: 2, news: 1 });
  const logger = pino({ level: 'silent' });
  const timing = { dispatchAfterMs: 0, dispatchEveryMs: 5 };
  await dispatchRound({ store, client, timing, logger });
  const payment = await ended(asked.paymentId);
  expect(payment).toMatchObject({ status: 'captured', providerReference: orphan!.paymentId });
  expect(movements(sandbox, reference)).toEqual(TAKEN);
});
