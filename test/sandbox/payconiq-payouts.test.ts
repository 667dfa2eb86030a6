import { beforeEach, describe, expect, it, test } from 'vitest';
import { addDays, hourOf, isWorkingDay } from '../../src/sandbox/payconiq/calendar.js';
import {
  ask,
  isOrdinary,
  moveTo,
  ofDay,
  paymentsOf,
  payoutsOn,
  refundOf,
  refundsOf,
  toNoonOf,
} from './payconiq-books.js';
import { HOUR_MS, create, paid, sandbox } from './payconiq-harness.js';
import { signed, startSigned } from './payconiq-signed.js';

const SECOND_MS = 1_000;

const amountsOf = (rows: readonly { readonly payoutAmount: number }[]): number[] =>
  rows.map(({ payoutAmount }) => payoutAmount);

describe('a payout run', () => {
  let day: string;
  let next: string;
  beforeEach(async () => {
    await startSigned({ dataDelay: 'none' });
    day = await toNoonOf(isOrdinary);
    next = addDays(day, 1);
  });

  test('PCQ-13: aggregates by bulk identifier, and the rest together, less refunds', async () => {
    const bulk = [await paid({ bulkId: 'B-1' }), await paid({ bulkId: 'B-1', amount: 8 })];
    await paid({ bulkId: 'B-2', amount: 1 });
    const rest = await paid({ amount: 50 });
    const refundId = refundOf(rest, 20);
    sandbox.consumer.cancel(await create({ bulkId: 'B-1' }));
    const payouts = sandbox.payouts.run({ day });
    expect(payouts).toEqual(sandbox.payouts.list());
    const { json } = await ask('payouts', `date=${next}`);
    const common = {
      payoutId: expect.stringMatching(/^[0-9a-f]{24}$/),
      merchantId: sandbox.merchantId,
      iban: 'NL47FRBK0293409698',
      payoutStatus: 'SUCCEEDED',
      payoutDate: new Date(hourOf(next, 7)).toISOString(),
      payoutCurrency: 'EUR',
      totalRefunds: 0,
      totalRefundAmount: 0,
    };
    const one = { totalPayments: 1, totalPaymentAmount: 1, payoutAmount: 1 };
    const two = { totalPayments: 2, totalPaymentAmount: 130, payoutAmount: 130 };
    const withheld = { totalRefunds: 1, totalRefundAmount: 20, payoutAmount: 30 };
    expect(json).toEqual({
      size: 10_000,
      totalPages: 1,
      totalElements: 3,
      number: 0,
      payouts: [
        { ...common, ...two, bulkId: 'B-1' },
        { ...common, ...one, bulkId: 'B-2' },
        { ...common, totalPayments: 1, totalPaymentAmount: 50, ...withheld, bulkId: 'NONE' },
      ],
    });
    const [first, , third] = payouts;
    expect([first?.paymentIds, third?.refundIds]).toEqual([bulk, [refundId]]);
    expect(sandbox.ledger.entries().filter(({ kind }) => kind === 'payout')).toMatchObject([
      { payoutId: first?.payoutId, amountMinor: 130, at: hourOf(next, 7), paymentId: undefined },
      { amountMinor: 1 },
      { payoutId: third?.payoutId, amountMinor: 30 },
    ]);
  });

  test('PCQ-14: tells each payment, tip included, with its payout', async () => {
    const id = await create({ amount: 100, reference: 'r-1', description: 'Tea' });
    const before = (await paymentsOf(ofDay(day))).length;
    sandbox.consumer.pay(id, { tip: 7 });
    expect([before, await paymentsOf(ofDay(day))]).toMatchObject([0, [{ paymentId: id }]]);
    expect((await paymentsOf(ofDay(day)))[0]).not.toHaveProperty('payoutId');
    const [payout] = sandbox.payouts.run({ day });
    const { json } = await ask('payments', `payout-id=${payout?.payoutId}`);
    expect(json).toEqual({
      size: 1,
      totalPages: 1,
      totalElements: 1,
      number: 0,
      payments: [
        {
          paymentId: id,
          payoutId: payout?.payoutId,
          paymentProfileId: sandbox.profileId,
          merchantName: 'Merchant Name',
          submerchantName: '',
          submerchantId: '',
          paymentChannel: 'INSTORE',
          currency: 'EUR',
          amount: 107,
          reference: 'r-1',
          description: 'Tea',
          transactionDate: new Date(sandbox.payment(id)!.createdAt).toISOString(),
        },
      ],
    });
  });

  test('PCQ-14: names the submerchant', async () => {
    const subMerchant = { subMerchantId: 'M1', name: 'Merchant ABC' };
    const body = { amount: 5, country: 'BEL', paymentChannel: 'ONLINE', subMerchant };
    const created = await signed('/v3/payments/subMerchant', { method: 'POST', body });
    sandbox.consumer.pay(created.json.paymentId);
    expect(await paymentsOf(ofDay(day))).toMatchObject([
      { submerchantName: 'Merchant ABC', submerchantId: 'M1', paymentChannel: 'ONLINE' },
    ]);
  });

  test('PCQ-15: tells refunds that the merchant was debited for, and no others', async () => {
    const id = await paid({ reference: 'r-1', description: 'Tea' });
    const headers = { 'idempotency-key': 'key-1' };
    const body = { amount: 50, description: 'Cold' };
    const path = `/v3/payments/${id}/refunds`;
    const asked = await signed(path, { method: 'POST', body, headers });
    const { refundId, creationDate } = asked.json as unknown as Record<string, string>;
    expect(await refundsOf(ofDay(day))).toEqual([]);
    sandbox.refunds.advance(refundId!, 'PROCESSING');
    expect(await refundsOf(ofDay(day))).toEqual([]);
    sandbox.refunds.advance(refundId!, 'REFUNDED');
    const [payout] = sandbox.payouts.run({ day });
    const { json } = await ask('refunds', `payout-id=${payout?.payoutId}`);
    expect(json).toMatchObject({ size: 1, totalPages: 1, totalElements: 1, number: 0 });
    expect(json).toHaveProperty('refunds', [
      {
        paymentId: id,
        payoutId: payout?.payoutId,
        paymentProfileId: sandbox.profileId,
        merchantName: 'Merchant Name',
        submerchantName: '',
        submerchantId: '',
        paymentChannel: 'INSTORE',
        currency: 'EUR',
        amount: 50,
        reference: 'r-1',
        description: 'Cold',
        transactionDate: creationDate,
        refundId,
      },
    ]);
    sandbox.refunds.reverse(refundId!);
    expect(await refundsOf(ofDay(day))).toHaveLength(1);
  });

  it('pays nothing twice, and what came since when it is run again', async () => {
    await paid({ amount: 1 });
    expect(amountsOf(sandbox.payouts.run({ day }))).toEqual([1]);
    expect(sandbox.payouts.run({ day })).toEqual([]);
    await paid({ amount: 2 });
    expect(amountsOf(sandbox.payouts.run({ day }))).toEqual([2]);
    expect(amountsOf(await payoutsOn(next))).toEqual([1, 2]);
    expect(sandbox.payouts.run({ day: next })).toEqual([]);
    expect(() => sandbox.payouts.run({ day: 'today' })).toThrow(RangeError);
  });

  it('carries over a refund that nothing is large enough for, to any bulk of the next run', async () => {
    const old = await paid({ amount: 500, bulkId: 'B-1' });
    sandbox.payouts.run({ day });
    const [small, large] = [refundOf(old, 10), refundOf(old, 400)];
    await paid({ amount: 100, bulkId: 'B-1' });
    const [today] = sandbox.payouts.run({ day });
    expect([today?.refundIds, today?.payoutAmount]).toEqual([[small], 90]);
    await moveTo(hourOf(next, 12));
    await paid({ amount: 399, bulkId: 'B-1' });
    await paid({ amount: 400, bulkId: 'B-2' });
    const payouts = sandbox.payouts.run({ day: next });
    expect(payouts).toMatchObject([
      { bulkId: 'B-1', refundIds: [], payoutAmount: 399 },
      { bulkId: 'B-2', refundIds: [large], payoutAmount: 0 },
    ]);
    expect(sandbox.ledger.entries().filter(({ kind }) => kind === 'payout')).toHaveLength(3);
    expect(await refundsOf(ofDay(next))).toEqual([]);
    expect(await refundsOf(`payout-id=${payouts[1]?.payoutId}`)).toMatchObject([
      { refundId: large, paymentId: old },
    ]);
  });

  it('withholds a refund of today from its own bulk only', async () => {
    const id = await paid({ amount: 50, bulkId: 'B-1' });
    await paid({ amount: 500 });
    sandbox.payouts.run({ day: addDays(day, -1) });
    refundOf(id, 50);
    expect(sandbox.payouts.run({ day })).toMatchObject([
      { bulkId: 'B-1', payoutAmount: 0 },
      { bulkId: 'NONE', payoutAmount: 500 },
    ]);
  });

  it('leaves out a refund that was sent back before', async () => {
    const id = await paid();
    sandbox.refunds.reverse(refundOf(id, 100));
    expect(amountsOf(sandbox.payouts.run({ day }))).toEqual([122]);
    expect(await refundsOf(ofDay(day))).toEqual([]);
  });
});

describe('individual payouts', () => {
  it('are one for each payment, refunds withheld from the first that is large enough', async () => {
    await startSigned({ dataDelay: 'none', payoutMode: 'individual' });
    const day = await toNoonOf(isOrdinary);
    const ids = [
      await paid({ amount: 10, bulkId: 'B-1' }),
      await paid({ amount: 100 }),
      await paid({ amount: 60 }),
    ];
    const refundId = refundOf(ids[1]!, 60);
    expect(sandbox.payouts.run({ day })).toMatchObject([
      { bulkId: 'NONE', paymentIds: [ids[0]], refundIds: [], payoutAmount: 10 },
      { bulkId: 'NONE', paymentIds: [ids[1]], refundIds: [refundId], payoutAmount: 40 },
      { bulkId: 'NONE', paymentIds: [ids[2]], refundIds: [], payoutAmount: 60 },
    ]);
  });
});

describe('payouts by the clock', () => {
  it('close each day at midnight in Brussels, and pay on the next working day', async () => {
    await startSigned({ payoutsByClock: true, dataDelay: 'none' });
    const friday = await toNoonOf(
      (day) => isWorkingDay(day) && !isWorkingDay(addDays(day, 1)) && isWorkingDay(addDays(day, 3)),
    );
    const [saturday, monday] = [addDays(friday, 1), addDays(friday, 3)];
    await moveTo(hourOf(saturday, 0) - 30 * SECOND_MS);
    await paid({ amount: 1 });
    expect(sandbox.payouts.list()).toEqual([]);
    await moveTo(hourOf(saturday, 0) + 30 * SECOND_MS);
    await paid({ amount: 2 });
    expect(sandbox.payouts.list()).toMatchObject([{ businessDay: friday, day: monday }]);
    await moveTo(hourOf(monday, 0) + SECOND_MS);
    expect(sandbox.payouts.list()).toMatchObject([
      { businessDay: friday, payoutAmount: 1 },
      { businessDay: saturday, payoutAmount: 2, day: monday, paidAt: hourOf(monday, 7) },
    ]);
    expect(await payoutsOn(saturday)).toEqual([]);
    expect(amountsOf(await payoutsOn(monday))).toEqual([1, 2]);
  });

  it.each([23, 25])('know the day of %d hours', async (hours) => {
    await startSigned({ payoutsByClock: true, dataDelay: 'none' });
    const lengthOf = (day: string): number => hourOf(addDays(day, 1), 0) - hourOf(day, 0);
    const eve = await toNoonOf((day) => lengthOf(addDays(day, 1)) === hours * HOUR_MS);
    const day = addDays(eve, 1);
    const [begins, ends] = [hourOf(day, 0), hourOf(addDays(day, 1), 0)];
    const instants = [begins - 30_000, begins + 30_000, ends - 30_000, ends + 30_000];
    const ids: string[] = [];
    for (const instant of instants) {
      await moveTo(instant);
      ids.push(await paid({ amount: 1 }));
    }
    expect(sandbox.payouts.list()).toMatchObject([
      { businessDay: eve, paymentIds: [ids[0]] },
      { businessDay: day, paymentIds: [ids[1], ids[2]] },
    ]);
    const told = await paymentsOf(ofDay(day));
    expect(told.map(({ paymentId }) => paymentId)).toEqual([ids[1], ids[2]]);
  });
});
