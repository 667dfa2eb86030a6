import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pino } from 'pino';
import type { OpenRequest } from '../../src/client/client.js';
import { fact } from '../../src/domain/facts.js';
import type { Payment } from '../../src/domain/payment.js';
import { TIMING } from '../../src/domain/timing.js';
import { createDispatcher } from '../../src/http/dispatcher.js';
import { CONNECTION_ID, startHarness, type Harness } from '../support/harness.js';
import { movements, RELEASED, sent, TAKEN } from './observed.js';

const HOUR_MS = 3_600_000;
const WAIT = { timeout: 20_000, interval: 50 };
const euros = (minor: string) => ({ minor, currency: 'EUR' });
const by = { actor: 'ada', reason: 'it was looked at' };
const receipt = { provider: 'payconiq', flavour: 'receipt' };

/** `plain`: as most profiles. `holding`: void is enabled. `surprised`: it is, and nobody said so. */
type World = 'plain' | 'holding' | 'surprised';
const harnesses = {} as Record<World, Harness>;

beforeAll(async () => {
  const start = async (world: World, ours: boolean, theirs: boolean) => {
    const harness = await startHarness({
      notifications: true,
      settings: { voidSupport: ours, unexpectedAuthorization: ours ? 'capture' : 'void' },
      sandbox: {
        voidSupport: theirs,
        printedProduct: 'receipt',
        printedPayableOnce: false,
      },
    });
    harness.sandbox.reportTo(harness.connections.notificationUrl(CONNECTION_ID));
    await harness.startWorker();
    harnesses[world] = harness;
  };
  await start('plain', false, false);
  await start('holding', true, true);
  await start('surprised', false, true);
});
afterAll(() => Promise.all(Object.values(harnesses).map((harness) => harness.close())));

/** Printed: the code, as it stands in what the backend was told. */
async function print(
  { client, request }: Harness,
  changes: Partial<OpenRequest> = {},
): Promise<{ readonly paymentId: string; readonly reference: string; readonly code: string }> {
  const asked = request({ options: receipt, ...changes });
  const answer = await client.open(asked);
  if (answer.kind !== 'answered') throw new Error(JSON.stringify(answer));
  const { paymentId, nextAction } = answer.payment;
  expect(answer.payment).toMatchObject({ status: 'requires_action', operations: [{}] });
  return { paymentId, reference: asked.merchantReference, code: nextAction!.qrCode!.content };
}

/** The payment that the provider's object became, once it is as wanted. */
async function adopted(
  { store }: Harness,
  reference: string,
  wanted: Partial<Payment>,
): Promise<Payment> {
  return vi.waitFor(async () => {
    const { payments } = await store.listPayments({ merchantReference: reference, limit: 10 });
    expect(payments).toMatchObject([wanted]);
    return payments[0]!;
  }, WAIT);
}

describe.concurrent('a printed code', () => {
  test('PCQ-24: sends nothing, waits without end, and is captured when it was scanned and paid', async () => {
    const harness = harnesses.plain;
    const { client, sandbox, ended, store } = harness;
    const { paymentId, reference, code } = await print(harness);
    expect(sent(sandbox, reference)).toEqual([]);
    await sandbox.clock.advance(1 * HOUR_MS);
    expect(await client.get(paymentId)).toMatchObject({ status: 'requires_action' });

    const scanned = sandbox.consumer.scanCode(code);
    sandbox.consumer.confirm(scanned.paymentId);
    const payment = await ended(paymentId);
    expect(payment).toMatchObject({
      status: 'captured',
      providerReference: scanned.paymentId,
      amounts: { requested: euros('1250'), captured: euros('1250') },
      flags: [],
    });
    expect(payment.attention).toBeUndefined();
    expect(movements(sandbox, reference)).toEqual(TAKEN);
    const { payments } = await store.listPayments({ merchantReference: reference, limit: 10 });
    expect(payments).toHaveLength(1);
  });

  test('lives on when a scan of it is given up, and takes the next one', async () => {
    const harness = harnesses.plain;
    const { client, sandbox, ended, until } = harness;
    const { paymentId, code } = await print(harness);
    const given = sandbox.consumer.scanCode(code);
    sandbox.consumer.cancel(given.paymentId);
    await until(paymentId, ({ providerReference }) => providerReference === given.paymentId);
    expect(await client.get(paymentId)).toMatchObject({
      status: 'requires_action',
      ended: false,
    });

    const next = sandbox.consumer.scanCode(code);
    sandbox.consumer.confirm(next.paymentId);
    expect(await ended(paymentId)).toMatchObject({
      status: 'captured',
      providerReference: next.paymentId,
    });
  });

  test('takes the amount that its payer chooses, and a tip on top', async () => {
    const harness = harnesses.plain;
    const { sandbox, ended } = harness;
    const { paymentId, code } = await print(harness, { amount: { currency: 'EUR' } });
    const scanned = sandbox.consumer.scanCode(code, { amount: 730 });
    sandbox.consumer.confirm(scanned.paymentId, { tip: 70 });
    const payment = await ended(paymentId);
    expect(payment).toMatchObject({
      status: 'captured',
      amounts: { captured: euros('800') },
      flags: [],
    });
    expect(payment.amounts.requested).toBeUndefined();
  });

  test('PCQ-25: of a structured invoice is found by its communication', async () => {
    const harness = harnesses.plain;
    const { sandbox, ended } = harness;
    const structuredCommunication = '173855053134';
    const options = { provider: 'payconiq', flavour: 'invoice', structuredCommunication };
    const { paymentId, code } = await print(harness, { options });
    const scanned = sandbox.consumer.scanCode(code);
    sandbox.consumer.confirm(scanned.paymentId);
    expect(await ended(paymentId)).toMatchObject({ status: 'captured' });
  });

  test('PCQ-25: may not say the same as another: it would count as paid', async () => {
    const harness = harnesses.plain;
    const { client, request } = harness;
    const { paymentId, reference } = await print(harness);
    const again = request({ options: receipt, merchantReference: reference });
    expect(await client.open(again)).toMatchObject({
      payment: {
        status: 'rejected',
        problem: {
          violations: [
            { field: 'merchantReference', rule: expect.stringContaining(paymentId) as string },
          ],
        },
      },
    });
  });

  test('that was withdrawn is canceled, and what is paid with it all the same is shown', async () => {
    const harness = harnesses.plain;
    const { client, sandbox, ended, until } = harness;
    const { paymentId, reference, code } = await print(harness);
    await client.cancel(paymentId, { reason: 'the invoice was wrong' });
    expect(await ended(paymentId)).toMatchObject({ status: 'canceled' });
    expect(sent(sandbox, reference)).toEqual([]);

    const scanned = sandbox.consumer.scanCode(code);
    sandbox.consumer.confirm(scanned.paymentId);
    const payment = await until(paymentId, ({ attention }) => attention !== undefined);
    expect(payment).toMatchObject({
      status: 'captured',
      attention: { reason: 'unexpected_capture' },
    });
    expect(movements(sandbox, reference)).toEqual(TAKEN);
  });

  test('is acknowledged where void is enabled, as its merchant asked', async () => {
    const harness = harnesses.holding;
    const { sandbox, ended, until, client } = harness;
    const [auto, manual] = [await print(harness), await print(harness, { captureMode: 'manual' })];
    for (const { code } of [auto, manual]) {
      const scanned = sandbox.consumer.scanCode(code);
      sandbox.consumer.confirm(scanned.paymentId);
    }
    expect(await ended(auto.paymentId)).toMatchObject({ status: 'captured' });
    const held = await until(manual.paymentId, ({ captureBefore }) => captureBefore !== undefined);
    expect(held).toMatchObject({ status: 'authorized' });
    await client.void(manual.paymentId, { reason: 'wrong table' });
    expect(await ended(manual.paymentId)).toMatchObject({ status: 'voided' });
    expect(movements(sandbox, auto.reference)).toEqual(TAKEN);
    expect(movements(sandbox, manual.reference)).toEqual(RELEASED);
  });
});

describe.concurrent('a payment that nobody asked for', () => {
  const code = ({ sandbox }: Harness, reference: string, cents = '250') =>
    `https://payconiq.com/t/1/${sandbox.profileId}?D=Top-up&A=${cents}&R=${reference}`;

  test('PCQ-27: is adopted, once, under an id that derives from the provider’s', async () => {
    const harness = harnesses.plain;
    const { sandbox, handle, ended } = harness;
    const scanned = sandbox.consumer.scanCode(code(harness, 'TOPUP-1'));
    sandbox.consumer.confirm(scanned.paymentId, { tip: 20 });
    const payment = await adopted(harness, 'TOPUP-1', { status: 'captured', ended: true });
    expect(payment).toMatchObject({
      origin: 'adopted',
      providerReference: scanned.paymentId,
      description: 'Top-up',
      amounts: { requested: euros('250'), captured: euros('270') },
      flags: [],
    });
    expect(payment.attention).toBeUndefined();
    await ended(payment.paymentId);

    const { runId } = await handle(payment.paymentId).describe();
    for (const { id } of sandbox.callbacks.ofPayment(scanned.paymentId)) {
      await sandbox.callbacks.repeat(id);
    }
    expect((await handle(payment.paymentId).describe()).runId).toBe(runId);
    await adopted(harness, 'TOPUP-1', { status: 'captured', ended: true });
  });

  test('twice from one code is two payments', async () => {
    const harness = harnesses.plain;
    const { sandbox, store } = harness;
    for (let scan = 0; scan < 2; scan += 1) {
      const scanned = sandbox.consumer.scanCode(code(harness, 'TOPUP-2'));
      sandbox.consumer.confirm(scanned.paymentId);
    }
    await vi.waitFor(async () => {
      const { payments } = await store.listPayments({ merchantReference: 'TOPUP-2', limit: 10 });
      expect(payments).toMatchObject([{ status: 'captured' }, { status: 'captured' }]);
    }, WAIT);
  });

  test('of an expected reference but another amount is a payment of its own', async () => {
    const harness = harnesses.plain;
    const { sandbox, client, store } = harness;
    const { paymentId, reference } = await print(harness);
    const scanned = sandbox.consumer.scanCode(code(harness, reference, '999'));
    sandbox.consumer.confirm(scanned.paymentId);
    await vi.waitFor(async () => {
      const { payments } = await store.listPayments({ merchantReference: reference, limit: 10 });
      expect(payments.find((each) => each.paymentId !== paymentId)).toMatchObject({
        status: 'captured',
        origin: 'adopted',
        amounts: { captured: euros('999') },
      });
    }, WAIT);
    expect(await client.get(paymentId)).toMatchObject({ status: 'requires_action' });
  });

  test('and waits for our word is shown to a person, who decides', async () => {
    const harness = harnesses.holding;
    const { sandbox, client } = harness;
    const scanned = sandbox.consumer.scanCode(code(harness, 'SURPRISE-1'));
    sandbox.consumer.confirm(scanned.paymentId);
    const { paymentId } = await adopted(harness, 'SURPRISE-1', {
      status: 'authorized',
      attention: { reason: 'unexpected_authorization', since: expect.any(String) as string },
      captureBefore: expect.any(String) as string,
    });
    await client.capture(paymentId);
    const payment = await harness.ended(paymentId);
    expect(payment).toMatchObject({ status: 'captured' });
    expect(payment.attention).toBeUndefined();
    expect(sent(sandbox, 'SURPRISE-1')).toEqual(['acknowledge']);
  });

  /** Asked twice: by the second answer, the payment has gone on from the first. */
  async function askTwice({ client }: Harness, paymentId: string): Promise<void> {
    for (let turn = 0; turn < 2; turn += 1) {
      await client.repair(paymentId, { repair: { kind: 'ask' }, ...by });
    }
  }

  test('and was dismissed stays so while nothing new is known', async () => {
    const harness = harnesses.holding;
    const { sandbox, client } = harness;
    const scanned = sandbox.consumer.scanCode(code(harness, 'SURPRISE-2'));
    sandbox.consumer.confirm(scanned.paymentId);
    const { paymentId } = await adopted(harness, 'SURPRISE-2', {
      attention: { reason: 'unexpected_authorization', since: expect.any(String) as string },
    });
    await client.repair(paymentId, { repair: { kind: 'dismiss' }, ...by });
    await askTwice(harness, paymentId);
    const payment = await client.get(paymentId);
    expect(payment).toMatchObject({ status: 'authorized', repairs: [by, by, by] });
    expect(payment?.attention).toBeUndefined();
  });

  test('and is contradicted besides is shown for that, since one moment', async () => {
    const harness = harnesses.holding;
    const { sandbox, client, until } = harness;
    const scanned = sandbox.consumer.scanCode(code(harness, 'SURPRISE-3'));
    sandbox.consumer.confirm(scanned.paymentId);
    const { paymentId } = await adopted(harness, 'SURPRISE-3', { status: 'authorized' });
    const other = fact({
      kind: 'authorized',
      object: scanned.paymentId,
      amount: euros('999'),
      occurredAt: new Date().toISOString(),
      source: 'report',
    });
    await client.notify(paymentId, { facts: [other] });
    await client.notify(paymentId, { facts: [], hint: true });
    const { attention } = await until(
      paymentId,
      (payment) => payment.attention?.reason === 'facts_contradict',
    );
    await askTwice(harness, paymentId);
    expect((await client.get(paymentId))?.attention).toEqual(attention);
  });
});

describe.concurrent('a sweep', () => {
  test('PCQ-06: finds what no callback told: of a code, and of nobody’s', async ({
    onTestFinished,
  }) => {
    const harness = harnesses.surprised;
    const { client, sandbox, ended, store } = harness;
    sandbox.reportTo(undefined);
    const printed = await print(harness);
    const scanned = sandbox.consumer.scanCode(printed.code);
    const unknown = sandbox.consumer.scanCode(
      `https://payconiq.com/t/1/${sandbox.profileId}?A=100&R=NOBODYS`,
    );
    for (const { paymentId } of [scanned, unknown]) sandbox.consumer.confirm(paymentId);

    expect(await client.sweep(CONNECTION_ID)).toMatchObject({ found: 2, news: 2 });
    expect(await client.sweep(CONNECTION_ID)).toMatchObject({ found: 2, news: 0 });
    const logger = pino({ level: 'silent' });
    const dispatcher = createDispatcher({ store, client, timing: TIMING.fast, logger });
    dispatcher.start();
    onTestFinished(() => dispatcher.stop());

    expect(await ended(printed.paymentId)).toMatchObject({
      status: 'captured',
      attention: { reason: 'unexpected_authorization' },
    });
    expect(movements(sandbox, printed.reference)).toEqual(TAKEN);
    const { paymentId } = await adopted(harness, 'NOBODYS', {
      status: 'authorized',
      origin: 'adopted',
    });
    await client.void(paymentId, { reason: 'nobody knows what it was for' });
    expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(await client.sweep(CONNECTION_ID)).toMatchObject({ found: 2, news: 0 });
  });

  test('of a connection that is not configured says so', async () => {
    await expect(harnesses.plain.client.sweep('nowhere')).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});
