import { beforeEach, describe, expect, it } from 'vitest';
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
import { HOUR_MS, call, paid, post, sandbox, verify } from './payconiq-harness.js';
import { signed, startSigned, told } from './payconiq-signed.js';

const UNKNOWN_ID = '5f44fd40812c8c49d8705541';
const SECOND_MS = 1_000;
const LISTS = ['payouts', 'payments', 'refunds'] as const;

const amountsOf = (rows: readonly { readonly payoutAmount: number }[]): number[] =>
  rows.map(({ payoutAmount }) => payoutAmount);

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
