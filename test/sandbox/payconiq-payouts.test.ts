import { beforeEach, describe, expect, it, test } from 'vitest';
import { addDays, hourOf, isWorkingDay } from '../../src/sandbox/payconiq/calendar.js';
import {
  ask,
  isOrdinary,
  moveTo,
  ofDay,
  paidOut,
  paymentsOf,
  payoutsOn,
  read,
  refundOf,
  refundsOf,
  toNoonOf,
} from './payconiq-books.js';
import type { List } from './payconiq-books.js';
import { HOUR_MS, call, create, paid, post, sandbox, verify } from './payconiq-harness.js';
import type { Reply } from './payconiq-harness.js';
import { signed, startSigned } from './payconiq-signed.js';

const UNKNOWN_ID = '5f44fd40812c8c49d8705541';
const SECOND_MS = 1_000;
const LISTS = ['payouts', 'payments', 'refunds'] as const;

const told = ({ status, json }: Reply): unknown[] => [status, json.code];
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

describe('what is told', () => {
  it('is of the day before from nine in Brussels, and of a payout on its own date', async () => {
    await startSigned();
    const friday = await toNoonOf(
      (day) => isWorkingDay(day) && !isWorkingDay(addDays(day, 1)) && isWorkingDay(addDays(day, 3)),
    );
    const monday = addDays(friday, 3);
    const { payout } = await paidOut(friday);
    const seen = async () => [
      (await paymentsOf(ofDay(friday))).length,
      (await refundsOf(ofDay(friday))).length,
      (await ask('payments', `payout-id=${payout.payoutId}`)).status,
      (await payoutsOn(monday)).length,
    ];
    await moveTo(hourOf(addDays(friday, 1), 9) - 30 * SECOND_MS);
    expect(await seen()).toEqual([0, 0, 404, 0]);
    await moveTo(hourOf(addDays(friday, 1), 9));
    expect(await seen()).toEqual([2, 1, 200, 0]);
    await moveTo(hourOf(monday, 9) - 30 * SECOND_MS);
    expect(await seen()).toEqual([2, 1, 200, 0]);
    await moveTo(hourOf(monday, 9));
    expect(await seen()).toEqual([2, 1, 200, 1]);
    expect(amountsOf((await read('payouts', '')).payouts)).toEqual([270]);
    sandbox.payouts.dataDelay(HOUR_MS);
    expect(await seen()).toEqual([2, 1, 200, 0]);
    await sandbox.clock.advance(HOUR_MS);
    expect(await seen()).toEqual([2, 1, 200, 1]);
    sandbox.payouts.dataDelay(14 * 24 * HOUR_MS);
    expect(await seen()).toEqual([0, 0, 404, 0]);
    sandbox.payouts.dataDelay('none');
    expect(await seen()).toEqual([2, 1, 200, 1]);
  });

  it('is of the merchant alone', async () => {
    await startSigned({ dataDelay: 'none', otherMerchantApiKeys: ['other'] });
    const day = await toNoonOf(isOrdinary);
    const other = { authorization: 'Bearer other' };
    const { json } = await post('/v3/payments', { amount: 122 }, other);
    sandbox.consumer.pay(json.paymentId);
    refundOf(json.paymentId, 1);
    expect(sandbox.payouts.run({ day })).toEqual([]);
    expect(await paymentsOf(ofDay(day))).toEqual([]);
    expect(await refundsOf(ofDay(day))).toEqual([]);
  });

  it('comes in pages of which each row is in one', async () => {
    await startSigned({ dataDelay: 'none', reconciliationPageSize: 3, payoutMode: 'individual' });
    const day = await toNoonOf(isOrdinary);
    const ids = [];
    for (let count = 0; count < 6; count += 1) ids.push(await paid());
    sandbox.payouts.run({ day });
    for (const list of ['payouts', 'payments'] as const) {
      const query = list === 'payouts' ? `date=${addDays(day, 1)}` : ofDay(day);
      const pages = await Promise.all([0, 1, 2].map((page) => read(list, `${query}&page=${page}`)));
      expect(pages.map((page) => page[list].length)).toEqual([3, 3, 0]);
      expect(pages.map(({ number, totalPages }) => [number, totalPages])).toEqual([
        [0, 2],
        [1, 2],
        [2, 2],
      ]);
      expect(pages.map(({ size }) => size)).toEqual(list === 'payouts' ? [3, 3, 3] : [3, 3, 0]);
      const rows = pages.flatMap(
        (page): readonly { readonly payoutId?: string | undefined }[] => page[list],
      );
      expect(new Set(rows.map(({ payoutId }) => payoutId)).size).toBe(6);
    }
    await paid();
    const last = await read('payments', `${ofDay(day)}&page=2&size=100`);
    expect([last.payments.length, last.totalPages, last.totalElements]).toEqual([1, 3, 7]);
    const [first] = await paymentsOf(ofDay(day));
    expect(first?.paymentId).toBe(ids[0]);
  });

  it('may be published, any number of rows, each made when it is read', async () => {
    await startSigned();
    const [day, count] = ['2026-03-02', 1_000_000];
    const made: number[] = [];
    const row = (index: number) => ({ paymentId: String(index), payoutId: 'P', amount: 1 });
    const payments = {
      length: count,
      at: (index: number) => {
        made.push(index);
        return row(index) as never;
      },
      ofPayout: (payoutId: string) => (payoutId === 'P' ? payments : []),
    };
    const payouts = [{ payoutId: 'P', payoutAmount: count } as never];
    const unpublish = sandbox.payouts.publish({ businessDay: day, payouts, payments });
    const { json } = await ask('payments', `${ofDay(day)}&page=99`);
    expect(json).toMatchObject({ size: 10_000, totalPages: 100, totalElements: count, number: 99 });
    expect([made.length, made[0], made.at(-1)]).toEqual([10_000, 990_000, 999_999]);
    expect((await read('payments', 'payout-id=P&page=100')).payments).toEqual([]);
    expect(made).toHaveLength(10_000);
    expect(await payoutsOn('2026-03-03')).toEqual(payouts);
    expect(await refundsOf('payout-id=P')).toEqual([]);
    unpublish();
    expect(await paymentsOf(ofDay(day))).toEqual([]);
    expect(told(await ask('payments', 'payout-id=P'))).toEqual([404, 'PAYOUT_NOT_FOUND']);
  });

  it('may be published beside the sandbox’s own, a page over both', async () => {
    await startSigned({ dataDelay: 'none', reconciliationPageSize: 3 });
    const businessDay = await toNoonOf(isOrdinary);
    const own = [await paid(), await paid()];
    for (const names of [['a'], ['b', 'c', 'd']]) {
      const payments = names.map((paymentId) => ({ paymentId }) as never);
      sandbox.payouts.publish({ businessDay, payments });
    }
    const page = async (number: number): Promise<string[]> =>
      (await paymentsOf(`${ofDay(businessDay)}&page=${number}`)).map(({ paymentId }) => paymentId);
    expect([await page(0), await page(1)]).toEqual([
      [...own, 'a'],
      ['b', 'c', 'd'],
    ]);
  });

  it('may be published as arrays, and is found by payout there too', async () => {
    await startSigned();
    const refunds = ['P', 'Q', 'P'].map((payoutId, index) => ({ payoutId, refundId: `${index}` }));
    const publication = { businessDay: '2026-03-02', day: '2026-03-09', refunds: refunds as never };
    sandbox.payouts.publish(publication);
    expect(await refundsOf('payout-id=P')).toEqual([refunds[0], refunds[2]]);
    expect(await refundsOf('start-date=2026-02-01&end-date=2026-03-02')).toEqual(refunds);
    expect(await refundsOf('start-date=2026-03-03&end-date=2026-03-04')).toEqual([]);
  });
});

describe('the reconciliation API', () => {
  beforeEach(() => startSigned());

  it.each(LISTS)('tells %s to signed requests alone, and signs', async (list) => {
    expect(told(await call(`/v3/reconciliation/${list}`))).toEqual([401, 'UNAUTHORIZED']);
    const reply = await ask(list, 'page=0');
    expect(reply.status).toBe(200);
    const { operation, query, path } = sandbox.requests().at(-1)!;
    expect([path, query]).toEqual([`/v3/reconciliation/${list}`, 'page=0']);
    expect(operation).toBe(list === 'payouts' ? 'payouts' : `payout_${list}`);
    expect((await verify({ headers: reply.headers, body: reply.text })).kind).toBe('valid');
  });

  it.each(LISTS)('has an empty list of %s where nothing happened', async (list) => {
    const size = list === 'payouts' ? 10_000 : 0;
    const { status, json } = await ask(list);
    expect(status).toBe(200);
    expect(json).toEqual({ size, totalPages: 0, totalElements: 0, number: 0, [list]: [] });
  });

  it.each<[List, string]>([
    ['payouts', 'date=2026-02-30'],
    ['payouts', 'date=01-02-2026'],
    ['payouts', 'date='],
    ['payouts', 'page=-1'],
    ['payouts', 'page=one'],
    ['payouts', 'size=all'],
    ['payments', 'start-date=2026-03-01'],
    ['payments', 'end-date=2026-03-01'],
    ['payments', 'start-date=2026-03-02&end-date=2026-03-01'],
    ['payments', 'start-date=2026-03-01&end-date=2026-04-01'],
    ['payments', 'start-date=2026-3-1&end-date=2026-03-02'],
    ['refunds', 'start-date=2026-03-01'],
    ['refunds', 'start-date=2026-03-01&end-date=2026-04-01'],
    ['refunds', 'page=1.5'],
  ])('refuses %s?%s', async (list, query) => {
    expect(told(await ask(list, query))).toEqual([400, 'BAD_REQUEST']);
  });

  it('takes thirty days, and says of more what the document says', async () => {
    const days = 'start-date=2026-03-01&end-date=2026-03-31';
    expect((await ask('payments', days)).status).toBe(200);
    const { json } = await ask('payments', 'start-date=2026-03-01&end-date=2026-04-01');
    expect(json.message).toBe('Period between start and end date can not be bigger than 30 days');
  });

  it.each(['payments', 'refunds'] as const)(
    'has no %s of a payout it does not know',
    async (list) => {
      const reply = await ask(list, `payout-id=${UNKNOWN_ID}`);
      expect(told(reply)).toEqual([404, 'PAYOUT_NOT_FOUND']);
    },
  );

  it('knows nothing at other paths and verbs', async () => {
    for (const [method, list] of [
      ['POST', 'payouts'],
      ['GET', 'payments/1'],
    ] as const) {
      const reply = await signed(`/v3/reconciliation/${list}`, { method });
      expect([reply.status, reply.json]).toEqual([404, {}]);
    }
  });

  it('asks for both, where a payout and a period are given', async () => {
    sandbox.payouts.dataDelay('none');
    const day = await toNoonOf(isOrdinary);
    const { payout } = await paidOut(day);
    const of = `payout-id=${payout.payoutId}`;
    expect(await paymentsOf(`${of}&${ofDay(day)}`)).toHaveLength(2);
    expect(await paymentsOf(`${of}&${ofDay(addDays(day, 1))}`)).toEqual([]);
  });

  it.each([
    ['payouts', 'payouts'],
    ['payments', 'payout_payments'],
    ['refunds', 'payout_refunds'],
  ] as const)('has faults for %s, at a page too', async (list, operation) => {
    const throttle = { kind: 'throttle' } as const;
    sandbox.faults.always(operation, throttle, { where: { page: 1 } });
    const statusOf = async (page: number) => (await ask(list, `page=${page}`)).status;
    expect([await statusOf(0), await statusOf(1), await statusOf(2)]).toEqual([200, 429, 200]);
    sandbox.faults.clear();
    sandbox.faults.next(operation, { kind: 'answer', code: 'PAYOUT_NOT_FOUND' });
    expect(told(await ask(list))).toEqual([404, 'PAYOUT_NOT_FOUND']);
    sandbox.faults.next(operation, { kind: 'answer', code: 'BAD_REQUEST' });
    expect(told(await ask(list))).toEqual([400, 'BAD_REQUEST']);
    sandbox.faults.next(operation, { kind: 'error_before_effect', status: 503 });
    expect([await statusOf(0), await statusOf(0)]).toEqual([503, 200]);
  });
});
