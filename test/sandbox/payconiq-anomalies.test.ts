import { beforeEach, describe, expect, it } from 'vitest';
import type { Anomaly } from '../../src/sandbox/payconiq/anomaly.js';
import { addDays, hourOf, workingDayAfter } from '../../src/sandbox/payconiq/calendar.js';
import {
  ask,
  isOrdinary,
  moveTo,
  ofDay,
  paidOut,
  paymentsOf,
  payoutsOn,
  refundsOf,
  sold,
  toNoonOf,
} from './payconiq-books.js';
import { call, paid, post, sandbox } from './payconiq-harness.js';
import { startSigned } from './payconiq-signed.js';

interface World {
  readonly day: string;
  readonly one: string;
  readonly two: string;
  readonly refundId: string;
}
interface Told {
  readonly payments: readonly string[];
  readonly refunds: readonly string[];
  readonly payouts: readonly string[];
}

/** `100 EUR in`, or `out` of the day's payout. */
const lineOf = (row: {
  readonly amount: number;
  readonly currency: string;
  readonly payoutId?: string | undefined;
}): string => `${row.amount} ${row.currency} ${row.payoutId === undefined ? 'out' : 'in'}`;

/** What the API tells of a business day, and of the payouts of the working day after. */
async function toldOf(day: string): Promise<Told> {
  const payouts = await payoutsOn(workingDayAfter(day));
  return {
    payments: (await paymentsOf(ofDay(day))).map(lineOf),
    refunds: (await refundsOf(ofDay(day))).map(lineOf),
    payouts: payouts.map(
      (row) =>
        `${row.totalPayments}: ${row.totalPaymentAmount} - ` +
        `${row.totalRefunds}: ${row.totalRefundAmount} = ` +
        `${row.payoutAmount} ${row.payoutCurrency} ${row.payoutStatus}`,
    ),
  };
}

const TRUTH: Told = {
  payments: ['100 EUR in', '200 EUR in'],
  refunds: ['30 EUR in'],
  payouts: ['2: 300 - 1: 30 = 270 EUR SUCCEEDED'],
};

/** What is told wrongly, and how: what is not named is told truly. */
const CASES: Readonly<Record<string, readonly [(world: World) => Anomaly, Partial<Told>]>> = {
  'a missing payment': [
    ({ one }) => ({ kind: 'missing_payment', paymentId: one }),
    { payments: ['200 EUR in'] },
  ],
  'a missing payment, totals with it': [
    ({ one }) => ({ kind: 'missing_payment', paymentId: one, totals: 'follow' }),
    { payments: ['200 EUR in'], payouts: ['1: 200 - 1: 30 = 170 EUR SUCCEEDED'] },
  ],
  'a missing refund': [({ refundId }) => ({ kind: 'missing_refund', refundId }), { refunds: [] }],
  'a missing refund, totals with it': [
    ({ refundId }) => ({ kind: 'missing_refund', refundId, totals: 'follow' }),
    { refunds: [], payouts: ['2: 300 - 0: 0 = 300 EUR SUCCEEDED'] },
  ],
  'a payment that is in no payout': [
    ({ two }) => ({ kind: 'payment_without_payout', paymentId: two, totals: 'follow' }),
    {
      payments: ['100 EUR in', '200 EUR out'],
      payouts: ['1: 100 - 1: 30 = 70 EUR SUCCEEDED'],
    },
  ],
  'a payment that nobody made': [
    ({ day: businessDay }) => ({ kind: 'unknown_payment', businessDay, amount: 5 }),
    { payments: [...TRUTH.payments, '5 EUR in'] },
  ],
  'a payment that nobody made, in no payout': [
    ({ day: businessDay }) => ({
      kind: 'unknown_payment',
      businessDay,
      amount: 5,
      payout: { bulkId: 'none of these' },
    }),
    { payments: [...TRUTH.payments, '5 EUR out'] },
  ],
  'a refund that nobody made': [
    ({ day: businessDay }) => ({
      kind: 'unknown_refund',
      businessDay,
      amount: 5,
      totals: 'follow',
    }),
    {
      refunds: ['30 EUR in', '5 EUR in'],
      payouts: ['2: 300 - 2: 35 = 265 EUR SUCCEEDED'],
    },
  ],
  'a wrong amount of a payment': [
    ({ one }) => ({ kind: 'wrong_amount', of: { paymentId: one }, amount: 99 }),
    { payments: ['99 EUR in', '200 EUR in'] },
  ],
  'a wrong amount of a refund, totals with it': [
    ({ refundId }) => ({ kind: 'wrong_amount', of: { refundId }, amount: 31, totals: 'follow' }),
    { refunds: ['31 EUR in'], payouts: ['2: 300 - 1: 31 = 269 EUR SUCCEEDED'] },
  ],
  'a wrong currency of a payment': [
    ({ one }) => ({ kind: 'wrong_currency', of: { paymentId: one }, currency: 'USD' }),
    { payments: ['100 USD in', '200 EUR in'] },
  ],
  'a wrong currency of a refund': [
    ({ refundId }) => ({ kind: 'wrong_currency', of: { refundId }, currency: 'USD' }),
    { refunds: ['30 USD in'] },
  ],
  'a wrong currency of a payout': [
    ({ day: businessDay }) => ({
      kind: 'wrong_currency',
      of: { payout: { businessDay } },
      currency: 'USD',
    }),
    { payouts: ['2: 300 - 1: 30 = 270 USD SUCCEEDED'] },
  ],
  'the same payment twice': [
    ({ one }) => ({ kind: 'duplicate_row', of: { paymentId: one } }),
    { payments: ['100 EUR in', '100 EUR in', '200 EUR in'] },
  ],
  'the same refund twice, totals with it': [
    ({ refundId }) => ({ kind: 'duplicate_row', of: { refundId }, totals: 'follow' }),
    { refunds: ['30 EUR in', '30 EUR in'], payouts: ['2: 300 - 2: 60 = 240 EUR SUCCEEDED'] },
  ],
  'a total that does not tie': [
    ({ day: businessDay }) => ({ kind: 'payout_total', payout: { businessDay }, by: -1 }),
    { payouts: ['2: 300 - 1: 30 = 269 EUR SUCCEEDED'] },
  ],
  'a payout that failed': [
    () => ({ kind: 'payout_failed', payout: { bulkId: 'NONE' } }),
    { payouts: ['2: 300 - 1: 30 = 270 EUR FAILED'] },
  ],
  'a payout that is late': [
    ({ day: businessDay }) => ({ kind: 'payout_late', payout: { businessDay }, workingDays: 3 }),
    { payouts: [] },
  ],
};

let day: string;
beforeEach(async () => {
  await startSigned({ dataDelay: 'none' });
  day = await toNoonOf(isOrdinary);
});

describe.each(['before', 'after'])('injected %s the run', (when) => {
  it.each(Object.entries(CASES))('%s is told, until it is healed', async (_name, [of, wrong]) => {
    const world = { day, ...(await sold()) };
    if (when === 'after') sandbox.payouts.run({ day });
    const undo = sandbox.payouts.inject(of(world));
    if (when === 'before') sandbox.payouts.run({ day });
    const moved = sandbox.ledger.entries();
    expect(await toldOf(day)).toEqual({ ...TRUTH, ...wrong });
    expect(await toldOf(day)).toEqual({ ...TRUTH, ...wrong });
    undo();
    expect(await toldOf(day)).toEqual(TRUTH);
    expect(sandbox.ledger.entries()).toEqual(moved);
    expect(sandbox.payouts.list()).toMatchObject([{ payoutAmount: 270 }]);
  });
});

describe('an anomaly', () => {
  it('puts a payment into the payout of another day too', async () => {
    const { one, payout } = await paidOut(day);
    const next = addDays(day, 1);
    await moveTo(hourOf(next, 12));
    await paid({ amount: 7 });
    const [other] = sandbox.payouts.run({ day: next });
    sandbox.payouts.inject({
      kind: 'paid_twice',
      of: { paymentId: one },
      payout: { businessDay: next },
      totals: 'follow',
    });
    expect(await toldOf(day)).toEqual(TRUTH);
    expect(await toldOf(next)).toEqual({
      payments: ['100 EUR in', '7 EUR in'],
      refunds: [],
      payouts: ['2: 107 - 0: 0 = 107 EUR SUCCEEDED'],
    });
    const paymentIds = async (payoutId = ''): Promise<string[]> =>
      (await paymentsOf(`payout-id=${payoutId}`)).map(({ paymentId }) => paymentId);
    expect(await paymentIds(payout.payoutId)).toContain(one);
    expect(await paymentIds(other?.payoutId)).toContain(one);
  });

  it('dates a payout some working days later', async () => {
    await paidOut(day);
    sandbox.payouts.inject({ kind: 'payout_late', payout: {}, workingDays: 4 });
    const late = workingDayAfter(day, 5);
    expect(await payoutsOn(late)).toMatchObject([
      { payoutAmount: 270, payoutDate: new Date(hourOf(late, 7)).toISOString() },
    ]);
  });

  it('holds back all of a day, until some time', async () => {
    const { payout } = await paidOut(day);
    const until = hourOf(addDays(day, 4), 15);
    sandbox.payouts.inject({ kind: 'data_late', businessDay: day, until });
    sandbox.payouts.inject({ kind: 'data_late', businessDay: addDays(day, 1), until: until * 2 });
    expect(await toldOf(day)).toEqual({ payments: [], refunds: [], payouts: [] });
    const statusOf = async (): Promise<number> =>
      (await ask('payments', `payout-id=${payout.payoutId}`)).status;
    expect(await statusOf()).toBe(404);
    sandbox.payouts.dataDelay('documented');
    await moveTo(until - 30_000);
    expect(await toldOf(day)).toEqual({ payments: [], refunds: [], payouts: [] });
    await moveTo(until);
    expect(await toldOf(day)).toEqual(TRUTH);
    expect(await statusOf()).toBe(200);
  });

  it('names the payment of a refund that nobody made, or nobody’s', async () => {
    const { one } = await paidOut(day);
    const common = { kind: 'unknown_refund', businessDay: day, amount: 1 } as const;
    sandbox.payouts.inject({ ...common, paymentId: one });
    sandbox.payouts.inject(common);
    const [, ofOne, ofNone] = await refundsOf(ofDay(day));
    expect(ofOne?.paymentId).toBe(one);
    expect(ofNone?.paymentId).toMatch(/^[0-9a-f]{24}$/);
    expect(sandbox.payment(ofNone!.paymentId)).toBeUndefined();
    expect(ofOne?.refundId).not.toBe(ofNone?.refundId);
  });

  it('adds to those before, and all are healed at once', async () => {
    const { one, refundId } = await paidOut(day);
    sandbox.payouts.inject({ kind: 'missing_refund', refundId });
    sandbox.payouts.inject({ kind: 'wrong_amount', of: { paymentId: one }, amount: 1 });
    sandbox.payouts.inject({ kind: 'duplicate_row', of: { paymentId: one } });
    const payments = ['1 EUR in', '1 EUR in', '200 EUR in'];
    expect(await toldOf(day)).toEqual({ ...TRUTH, payments, refunds: [] });
    expect(sandbox.payouts.anomalies()).toHaveLength(3);
    sandbox.payouts.heal();
    expect(await toldOf(day)).toEqual(TRUTH);
  });
});

describe('the control API of payouts', () => {
  it('runs a day, tells it wrongly, heals it and holds it back', async () => {
    const { one } = await sold();
    const run = await post('/sandbox/payouts/run', { day });
    expect(run.json).toMatchObject([{ businessDay: day, payoutAmount: 270 }]);
    expect((await call('/sandbox/payouts')).json).toEqual(run.json);
    const anomaly = { kind: 'missing_payment', paymentId: one };
    expect((await post('/sandbox/payouts/anomalies', anomaly)).json).toEqual([anomaly]);
    expect((await call('/sandbox/payouts/anomalies')).json).toEqual([anomaly]);
    expect((await toldOf(day)).payments).toEqual(['200 EUR in']);
    await call('/sandbox/payouts/anomalies', { method: 'DELETE' });
    expect(await toldOf(day)).toEqual(TRUTH);
    await post('/sandbox/payouts/data-delay', { dataDelay: 'documented' });
    expect((await toldOf(day)).payments).toEqual([]);
  });

  it.each([
    ['run', { day: '2026-02-30' }, /no day/],
    ['run', {}, /day must be a text/],
    ['data-delay', { dataDelay: 'never' }, /dataDelay/],
    ['anomalies', { kind: 'moon' }, /kind must be one of/],
    ['anomalies', { kind: 'toString' }, /kind must be one of/],
    ['anomalies', { kind: 'missing_payment' }, /paymentId must be a text/],
    ['anomalies', { kind: 'duplicate_row', of: {} }, /of must be/],
    ['anomalies', { kind: 'wrong_currency', of: { payout: 1 }, currency: 'USD' }, /of must be/],
    ['anomalies', { kind: 'payout_total', payout: {}, by: 0.5 }, /by must be an integer/],
    ['anomalies', { kind: 'payout_failed', payout: null }, /payout must be/],
    ['anomalies', { kind: 'unknown_payment', businessDay: 'x', amount: 1 }, /businessDay must be/],
    [
      'anomalies',
      { kind: 'unknown_refund', businessDay: '2026-03-02', amount: 1, payout: null },
      /payout must be/,
    ],
  ])('refuses %s %j', async (what, body, message) => {
    const reply = await post(`/sandbox/payouts/${what}`, body);
    expect([reply.status, reply.json.message]).toEqual([400, expect.stringMatching(message)]);
    expect(sandbox.payouts.anomalies()).toEqual([]);
  });
});
