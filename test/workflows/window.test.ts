/** The seven days in which a held payment is acknowledged or voided, in skipped time. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { adoptedPaymentId } from '../../src/client/adoption.js';
import { paymentWorkflowId } from '../../src/domain/ids.js';
import type { Payment } from '../../src/domain/payment.js';
import type { Store } from '../../src/store/store.js';
import { PAYMENT_WORKFLOW } from '../../src/workflows/contract.js';
import {
  CONNECTION_ID,
  openEmptyStore,
  startHarness,
  type Harness,
  type HarnessOptions,
  type OpenedPayment,
} from '../support/harness.js';
import { startTestTimeSkipping } from '../support/temporal.js';
import { activitiesOf, eventsOf } from './history.js';
import { loseCallbacks, movements, RELEASED, sent, TAKEN } from './observed.js';
import { inSkippedTime, passTime } from './skipped-time.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let environment: TestWorkflowEnvironment;
let store: Store;
let harness: Harness;

beforeAll(async () => {
  environment = await startTestTimeSkipping();
  store = await openEmptyStore();
});
afterAll(async () => {
  await environment.teardown();
  await store.close();
});
afterEach(() => harness.close());

async function start(options: HarnessOptions = {}): Promise<void> {
  harness = await startHarness({
    ...inSkippedTime(environment, () => harness.sandbox),
    notifications: true,
    store,
    ...options,
  });
}

const pass = (ms: number): Promise<void> => passTime(environment, harness.sandbox, ms);

async function openAuthorized(): Promise<OpenedPayment> {
  const opened = await harness.open({ captureMode: 'manual' });
  harness.sandbox.consumer.pay(opened.created.paymentId);
  await harness.until(opened.paymentId, ({ status }) => status === 'authorized');
  return opened;
}

/** Begun with a code of nobody's, paid, and waiting for our word. */
async function adoptedAndHeld(
  reference: string,
): Promise<Pick<OpenedPayment, 'paymentId' | 'created'>> {
  const { sandbox, connections, until } = harness;
  sandbox.reportTo(connections.notificationUrl(CONNECTION_ID));
  // From here on everybody's clock is the server's, which is days ahead.
  await pass(1);
  const code = `https://payconiq.com/t/1/${sandbox.profileId}?A=1250&R=${reference}`;
  const created = sandbox.consumer.scanCode(code);
  sandbox.consumer.confirm(created.paymentId);
  const paymentId = adoptedPaymentId(CONNECTION_ID, created.paymentId);
  await until(paymentId, ({ attention, captureBefore }) => !!attention && !!captureBefore);
  return { paymentId, created };
}

/** When it ends, by the provider's clock, in hours since its creation. */
function hoursUntil(
  kind: 'paid_out' | 'credited_back',
  { created }: Pick<OpenedPayment, 'created'>,
): number {
  const moved = harness.sandbox.ledger
    .ofPayment(created.paymentId)
    .find((entry) => entry.kind === kind);
  return (moved!.at - created.createdAt) / HOUR_MS;
}

test('an acknowledgement that fails from hour 1 on succeeds at hour 167', async () => {
  await start();
  await harness.startWorker();
  const { client, sandbox, ended, handle } = harness;
  const opened = await openAuthorized();
  const { paymentId, request, created } = opened;
  await pass(HOUR_MS);
  const until = created.createdAt + 167 * HOUR_MS;
  sandbox.faults.always('acknowledge', { kind: 'error_before_effect' }, { until });
  expect(await client.capture(paymentId)).toMatchObject({
    payment: { status: 'authorized', operations: [{}, { operation: 'capture', state: 'unknown' }] },
  });
  const eventsAtFirst = (await eventsOf(handle(paymentId))).length;
  await pass(165 * HOUR_MS);
  expect(await client.get(paymentId)).toMatchObject({
    status: 'authorized',
    attention: { reason: 'outcome_unknown' },
  });
  await pass(2 * HOUR_MS);

  expect(await ended(paymentId)).toMatchObject({ status: 'captured' });
  expect(hoursUntil('paid_out', opened)).toBeGreaterThan(167);
  expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
  expect((await eventsOf(handle(paymentId))).length - eventsAtFirst).toBeLessThanOrEqual(25);
});

test('what we cannot reach for the whole window is voided by the provider, and we confirm it', async () => {
  await start();
  await harness.startWorker();
  const { client, sandbox, ended, store: recorded } = harness;
  const opened = await openAuthorized();
  const { paymentId, request, created } = opened;
  const until = created.createdAt + 169 * HOUR_MS;
  loseCallbacks(sandbox, request.merchantReference);
  sandbox.faults.always('any', { kind: 'error_before_effect' }, { until });
  await client.capture(paymentId);
  await pass(168 * HOUR_MS);
  expect(await client.get(paymentId)).toMatchObject({ status: 'authorized' });
  await pass(2 * HOUR_MS);

  const payment = await ended(paymentId);
  expect(payment).toMatchObject({ status: 'voided', ended: true });
  expect(hoursUntil('credited_back', opened)).toBeCloseTo(168, 3);
  expect(movements(sandbox, request.merchantReference)).toEqual(RELEASED);
  // The provider's clock runs ahead of the server's by what the test itself takes.
  const limitMs = created.createdAt + 168 * HOUR_MS + MINUTE_MS;
  const late = sandbox.requests().filter(({ at }) => at > limitMs);
  expect(new Set(late.map(({ operation }) => operation))).toEqual(new Set(['get']));
  expect(await recorded.getPayment(paymentId)).toMatchObject({ status: 'voided', ended: true });
});

test('what nobody captures is voided six hours before the limit, after asking', async () => {
  await start();
  await harness.startWorker();
  const { sandbox, ended, handle, client } = harness;
  const opened = await openAuthorized();
  const { paymentId, request } = opened;
  const eventsAtFirst = (await eventsOf(handle(paymentId))).length;
  await pass(161 * HOUR_MS);
  expect(await client.get(paymentId)).toMatchObject({ status: 'authorized' });
  expect((await eventsOf(handle(paymentId))).length).toBe(eventsAtFirst);
  await pass(2 * HOUR_MS);

  expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
  expect(hoursUntil('credited_back', opened)).toBeCloseTo(162, 1);
  expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'void']);
  const activities = await activitiesOf(handle(paymentId));
  expect(activities).toEqual(['createPayment', 'askProvider', 'voidPayment']);
});

test('what its backend wants captured at its own deadline is, after asking', async () => {
  await start();
  await harness.startWorker();
  const { sandbox, ended, open, client, until, handle } = harness;
  const captureBefore = new Date((await environment.currentTimeMs()) + 48 * HOUR_MS).toISOString();
  const asked = { captureMode: 'manual', atDeadline: 'capture', captureBefore } as const;
  const opened = await open(asked);
  const { paymentId, request, created } = opened;
  sandbox.consumer.pay(created.paymentId);
  const held = await until(paymentId, ({ status }) => status === 'authorized');
  expect(held).toMatchObject({ captureBefore });
  await pass(47 * HOUR_MS);
  expect(await client.get(paymentId)).toMatchObject({ status: 'authorized' });
  await pass(2 * HOUR_MS);

  const payment = await ended(paymentId);
  expect(payment).toMatchObject({ status: 'captured', ended: true });
  expect(payment.attention).toBeUndefined();
  expect(hoursUntil('paid_out', opened)).toBeCloseTo(48, 1);
  expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'acknowledge']);
  const activities = await activitiesOf(handle(paymentId));
  expect(activities).toEqual(['createPayment', 'askProvider', 'capturePayment']);
});

test.each([
  ['void', 'voided', 'credited_back', RELEASED],
  ['capture', 'captured', 'paid_out', TAKEN],
] as const)(
  'PCQ-27: what nobody asked for nor decided on is shown, and by the policy %s is %s in time',
  async (unexpectedAuthorization, status, moved, moves) => {
    await start({
      settings: { unexpectedAuthorization },
      sandbox: { printedProduct: 'receipt' },
    });
    const { sandbox, client, ended } = harness;
    await harness.startWorker();
    const reference = `surprise-${status}`;
    const { paymentId, created } = await adoptedAndHeld(reference);
    const attention = { reason: 'unexpected_authorization' };
    await pass(161 * HOUR_MS);
    expect(await client.get(paymentId)).toMatchObject({ status: 'authorized', attention });
    await pass(2 * HOUR_MS);

    expect(await ended(paymentId)).toMatchObject({ status, attention, ended: true });
    expect(hoursUntil(moved, { created })).toBeCloseTo(162, 1);
    expect(movements(sandbox, reference)).toEqual(moves);
    expect(sent(sandbox, reference)).toHaveLength(1);
    expect(await store.getPayment(paymentId)).toMatchObject({ status, attention, ended: true });
  },
);

test('what nobody asked for is shown at its end, also when the provider was away meanwhile', async () => {
  await start({ sandbox: { printedProduct: 'receipt' } });
  const { sandbox, client, ended } = harness;
  await harness.startWorker();
  const { paymentId, created } = await adoptedAndHeld('surprise-away');
  await pass(161 * HOUR_MS);
  const until = created.createdAt + 163 * HOUR_MS;
  sandbox.faults.always('any', { kind: 'error_before_effect' }, { until });
  await pass(90 * MINUTE_MS);
  expect(await client.get(paymentId)).toMatchObject({ attention: { reason: 'provider_silent' } });
  await pass(2 * HOUR_MS);
  const attention = { reason: 'unexpected_authorization' };
  expect(await ended(paymentId)).toMatchObject({ status: 'voided', attention });
});

test('what was captured in the portal meanwhile is adopted at the deadline, not voided', async () => {
  await start();
  await harness.startWorker();
  const { sandbox, ended } = harness;
  const opened = await openAuthorized();
  const { paymentId, request, created } = opened;
  loseCallbacks(sandbox, request.merchantReference);
  await pass(HOUR_MS);
  await acknowledgeInPortal(opened);
  await pass(162 * HOUR_MS);

  expect(await ended(paymentId)).toMatchObject({ status: 'captured', flags: [] });
  expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
  const voids = sandbox.requests().filter((each) => each.operation === 'void');
  expect(voids.filter((each) => each.paymentId === created.paymentId)).toEqual([]);
});

test('seven days of asking add no event to the history', async () => {
  await start();
  await harness.startWorker();
  const { sandbox, ended, handle, until, client } = harness;
  const { paymentId, request } = await openAuthorized();
  sandbox.faults.next('void', { kind: 'answer', code: 'CALLER_NOT_ALLOWED_TO_CANCEL' });
  await client.void(paymentId, { reason: 'sold out' });
  await until(paymentId, ({ attention }) => attention?.reason === 'void_refused');
  loseCallbacks(sandbox, request.merchantReference);
  await pass(HOUR_MS);
  const eventsAtFirst = (await eventsOf(handle(paymentId))).length;
  await pass(166 * HOUR_MS);
  const asked = sandbox.requests().filter(({ operation }) => operation === 'get');
  expect(asked.length).toBeGreaterThan(500);
  expect((await eventsOf(handle(paymentId))).length).toBe(eventsAtFirst);
  await pass(2 * HOUR_MS);
  expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
});

test('a payer who lets the time pass is noticed by asking', async () => {
  await start();
  await harness.startWorker();
  const { sandbox, ended, request, open, handle } = harness;
  const asked = request();
  loseCallbacks(sandbox, asked.merchantReference);
  const { paymentId, created } = await open(asked);
  await pass(3 * MINUTE_MS);
  expect(await ended(paymentId)).toMatchObject({ status: 'expired' });
  expect(
    (await activitiesOf(handle(paymentId))).filter((name) => name === 'askProvider'),
  ).toHaveLength(1);
  const gets = sandbox.requests().filter(({ paymentId: id }) => id === created.paymentId);
  expect(gets.length).toBeGreaterThan(2);
});

test('a payment that no worker began in time is not started: its payer has left', async () => {
  await start();
  const { fullRequest, taskQueue, sandbox, temporalClient } = harness;
  const request = fullRequest();
  const handle = await temporalClient.workflow.start(PAYMENT_WORKFLOW, {
    workflowId: paymentWorkflowId(request.paymentId),
    taskQueue,
    args: [{ mode: 'open', request }],
    // This server passes no time while a task waits; a late task is the same to the workflow.
    startDelay: 6 * MINUTE_MS,
  });
  await harness.startWorker();
  await environment.sleep(6 * MINUTE_MS);
  const payment = (await handle.result()) as Payment;
  expect(payment).toMatchObject({
    status: 'not_started',
    problem: { code: 'not_started_in_time' },
  });
  expect(sent(sandbox, request.merchantReference)).toEqual([]);
  expect(await store.getPayment(request.paymentId)).toMatchObject({ status: 'not_started' });
});

/** Somebody acknowledges it at the provider, past us. */
async function acknowledgeInPortal({ created, request }: OpenedPayment): Promise<void> {
  const { url, apiKey } = harness.sandbox;
  const response = await fetch(`${url}/v3/payments/${created.paymentId}/acknowledge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ amount: 1250, currency: 'EUR', reference: request.merchantReference }),
  });
  expect(response.status).toBe(204);
}
