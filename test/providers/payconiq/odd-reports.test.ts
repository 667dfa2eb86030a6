import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { money } from '../../../src/domain/money.js';
import type { ReportPage, ReportRequest } from '../../../src/providers/provider.js';
import { startMerchant, type Merchant } from './merchant.js';
import { startOddProvider, type OddProvider } from './odd-provider.js';
import { jsonVector } from './vectors.js';

/** Answers that the sandbox never gives: the document's own, and those outside of it. */
let merchant: Merchant;
let odd: OddProvider;
beforeEach(async () => {
  merchant = await startMerchant({ auth: 'signed' });
  odd = await startOddProvider(merchant);
});
afterEach(async () => {
  await odd.close();
  await merchant.close();
});

interface Told {
  readonly totalPages: number;
  readonly totalElements: number;
  readonly number: number;
  readonly [rows: string]: unknown;
}

const DAY = '2020-08-25';
const ONE_DAY = { days: { from: DAY, to: DAY } };
const euros = (cents: number) => money(cents, 'EUR');
const ask = (asked: ReportRequest) => odd.connection.reports!.page(asked);
const queries = () => odd.requests.map(({ url }) => url.search.slice(1));

async function found(asked: ReportRequest): Promise<Extract<ReportPage, { kind: 'found' }>> {
  const page = await ask(asked);
  if (page.kind !== 'found') throw new Error(page.problem.message);
  return page;
}

const VECTOR = { payouts: 'payouts', payments: 'report-payments', refunds: 'report-refunds' };
type Kind = keyof typeof VECTOR;

/** The document's own answer, with changes to the page and to its second row. */
async function answer(kind: Kind, row: object = {}, page: object = {}): Promise<void> {
  const told = await jsonVector<Told>(VECTOR[kind]);
  const [first, second] = told[kind] as object[];
  odd.answer(200, { ...told, [kind]: [first, { ...second, ...row }], ...page });
}

describe('the document’s own reports', () => {
  it('PCQ-13: of payouts are read as they are', async () => {
    await answer('payouts');
    expect(await ask({ kind: 'payouts', by: ONE_DAY })).toEqual({
      kind: 'found',
      lines: [],
      payouts: [
        {
          payoutReference: '5f44fd40812c8c49d8705541',
          status: 'succeeded',
          paidAt: '2020-08-25T12:00:00.211Z',
          group: 'Bulk-11111',
          account: 'NL10ABNA8674905641',
          payments: { count: 3, amount: euros(1549) },
          refunds: { count: 0, amount: euros(0) },
          amount: euros(1549),
        },
        {
          payoutReference: '5f44fd40812c8c49d8705546',
          status: 'succeeded',
          paidAt: '2020-08-25T12:00:00.260Z',
          account: 'NL10ABNA8674905641',
          payments: { count: 2, amount: euros(541) },
          refunds: { count: 2, amount: euros(246) },
          amount: euros(295),
        },
      ],
    });
  });

  it('PCQ-14: of payments are read as they are', async () => {
    await answer('payments');
    const page = await found({ kind: 'payments', by: ONE_DAY });
    expect([page.payouts, page.lines.length, page.nextCursor]).toEqual([[], 2, undefined]);
    expect(page.lines[0]).toEqual({
      kind: 'payment',
      providerReference: '1827fe4ac1f10ba942247444',
      payoutReference: '5f4ec46064b30e3b08ebb96c',
      amount: euros(920),
      occurredAt: '2020-09-01T12:30:36.538Z',
      merchantReference: '11826440',
      description: 'Handmade Steel Towels',
    });
  });

  it('PCQ-15: of refunds are read as they are', async () => {
    await answer('refunds');
    const page = await found({ kind: 'refunds', by: ONE_DAY });
    expect(page.lines.map(({ kind, refundReference }) => [kind, refundReference])).toEqual([
      ['refund', '5f4e3f5ea7645312960aa6bb'],
      ['refund', '5f4e3f64a7645312960aa6bc'],
    ]);
    expect(page.lines[1]).toMatchObject({
      providerReference: '1827fe4ac1f10ba942247444',
      amount: euros(323),
    });
  });
});

describe('PCQ-13: what is asked for', () => {
  const empty = (kind: Kind, page = 0, totalPages = 1) =>
    odd.answer(200, { totalPages, totalElements: 0, number: page, [kind]: [] });

  it('payouts, is one day at a time, page after page, also where one has no rows', async () => {
    const by = { days: { from: '2026-02-27', to: '2026-03-01' } };
    const asked: string[] = [];
    let cursor: string | undefined;
    for (const [page, totalPages] of [
      [0, 0],
      [0, 2],
      [1, 2],
      [0, 1],
    ] as const) {
      empty('payouts', page, totalPages);
      const told = await found({ kind: 'payouts', by, ...(cursor !== undefined && { cursor }) });
      asked.push(...queries());
      cursor = told.nextCursor;
    }
    expect(asked).toEqual([
      'date=2026-02-27&page=0',
      'date=2026-02-28&page=0',
      'date=2026-02-28&page=1',
      'date=2026-03-01&page=0',
    ]);
    expect(cursor).toBeUndefined();
  });

  test.each(['payments', 'refunds'] as const)(
    'PCQ-14, PCQ-15: %s, is a period, or a payout by its id',
    async (kind) => {
      const by = { days: { from: '2026-01-31', to: '2026-03-01' } };
      empty(kind, 0, 2);
      const { nextCursor: cursor } = await found({ kind, by });
      expect(queries()).toEqual(['start-date=2026-01-31&end-date=2026-03-01&page=0']);
      empty(kind, 1, 2);
      expect(await found({ kind, by, cursor: cursor! })).not.toHaveProperty('nextCursor');
      expect(queries()).toEqual(['start-date=2026-01-31&end-date=2026-03-01&page=1']);
      empty(kind);
      await found({ kind, by: { payoutReference: 'a&b' } });
      expect(queries()).toEqual(['payout-id=a%26b&page=0']);
      expect(odd.requests[0]?.url.pathname).toBe(`/v3/reconciliation/${kind}`);
    },
  );

  test.each([
    ['31 days', '2026-01-01', '2026-01-31'],
    ['days in the wrong order', '2026-01-02', '2026-01-01'],
    ['a day that is none', '2026-02-30', '2026-03-02'],
    ['no days', 'yesterday', 'today'],
    ['a time', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ])('is never %s', async (_name, from, to) => {
    for (const kind of ['payouts', 'payments'] as const) {
      await expect(ask({ kind, by: { days: { from, to } } })).rejects.toThrow(RangeError);
    }
    expect(odd.requests).toEqual([]);
  });

  it('may be 30 days', async () => {
    empty('payments');
    await found({ kind: 'payments', by: { days: { from: '2026-01-01', to: '2026-01-30' } } });
    expect(odd.connection.reports!.maxDays).toBe(30);
  });

  test.each([
    ['payouts', '1'],
    ['payouts', '2020-08-24/0'],
    ['payouts', '2020-08-26/0'],
    ['payouts', '2020-08-99/0'],
    ['payouts', `${DAY}/-1`],
    ['payouts', `${DAY}/x`],
    ['payouts', ''],
    ['payments', `${DAY}/1`],
    ['payments', '1.5'],
    ['payments', '1 '],
    ['payments', '1&size=1'],
    ['refunds', ''],
  ] as const)('%s, never goes on from a cursor of others: "%s"', async (kind, cursor) => {
    await expect(ask({ kind, by: ONE_DAY, cursor })).rejects.toThrow(RangeError);
    expect(odd.requests).toEqual([]);
  });
});

describe('PCQ-13, PCQ-14, PCQ-15: a row', () => {
  const second = async (kind: Kind, row: object) => {
    await answer(kind, row);
    const { payouts, lines } = await found({ kind, by: ONE_DAY });
    return payouts[1] ?? lines[1];
  };

  it('may have amounts and counts as text, as its table says', async () => {
    const payout = { payoutAmount: '295', totalPaymentAmount: '541', totalRefunds: '2' };
    expect(await second('payouts', payout)).toMatchObject({
      amount: euros(295),
      payments: { amount: euros(541) },
      refunds: { count: 2 },
    });
    expect(await second('payments', { amount: '401' })).toMatchObject({ amount: euros(401) });
  });

  it('of a payout may name its currency either way', async () => {
    const row = { payoutCurrency: undefined, currency: 'USD' };
    expect(await second('payouts', row)).toMatchObject({ amount: money(295, 'USD') });
    expect(await second('payouts', { currency: 'EUR' })).toMatchObject({ amount: euros(295) });
  });

  test.each(['.2', '.26', '.260000', '.260000001', ''])(
    'may tell its time with "%s"',
    async (f) => {
      const time = new Date(`2020-09-01T12:34:37${f.slice(0, 4)}Z`).toISOString();
      const transactionDate = `2020-09-01T12:34:37${f}Z`;
      expect(await second('refunds', { transactionDate })).toMatchObject({ occurredAt: time });
      expect(await second('payouts', { payoutDate: transactionDate })).toMatchObject({
        paidAt: time,
      });
    },
  );

  test.each([
    ['empty', ''],
    ['null', null],
    ['absent', undefined],
  ])('says nothing where it is %s', async (_name, nothing) => {
    const words = { payoutId: nothing, reference: nothing, description: nothing };
    expect(await second('payments', words)).toEqual({
      kind: 'payment',
      providerReference: 'ec33dc9ff64675a9f5f778c3',
      amount: euros(401),
      occurredAt: '2020-09-01T12:34:37.742Z',
    });
    const payout = await second('payouts', { bulkId: nothing, iban: nothing, payoutDate: nothing });
    expect(Object.keys(payout!).sort()).toEqual(
      ['amount', 'payments', 'payoutReference', 'refunds', 'status'].sort(),
    );
  });

  it('may be a payout that failed', async () => {
    expect(await second('payouts', { payoutStatus: 'FAILED' })).toMatchObject({ status: 'failed' });
  });

  it('may have more than is documented', async () => {
    expect(await second('payments', { more: { than: 'that' } })).toMatchObject({
      amount: euros(401),
    });
  });
});

describe('PCQ-13, PCQ-14, PCQ-15: one row that does not fit makes its page unclear', () => {
  test.each<[Kind, string, object]>([
    ['payouts', 'payoutId', { payoutId: 'short' }],
    ['payouts', 'payoutStatus', { payoutStatus: 'PENDING' }],
    ['payouts', 'payoutDate', { payoutDate: '25-08-2020' }],
    ['payouts', 'payoutCurrency', { payoutCurrency: undefined }],
    ['payouts', 'payoutCurrency', { currency: 'USD' }],
    ['payouts', 'totalPayments', { totalPayments: 1.5 }],
    ['payouts', 'totalRefundAmount', { totalRefundAmount: '2.46' }],
    ['payouts', 'payoutAmount', { payoutAmount: -1 }],
    ['payments', 'paymentId', { paymentId: undefined }],
    ['payments', 'payoutId', { payoutId: 'short' }],
    ['payments', 'currency', { currency: 'eur' }],
    ['payments', 'amount', { amount: '4,01' }],
    ['payments', 'amount', { amount: '9'.repeat(16) }],
    ['payments', 'transactionDate', { transactionDate: '2020-13-01T00:00:00Z' }],
    ['payments', 'reference', { reference: 19848995 }],
    ['refunds', 'refundId', { refundId: '' }],
  ])('%s: %s', async (kind, field, row) => {
    await answer(kind, row);
    const page = await ask({ kind, by: ONE_DAY });
    expect(page).toMatchObject({
      kind: 'unclear',
      problem: {
        code: 'unexpected_answer',
        message: `Payconiq answered 200 with an unreadable ${kind}.1.${field}`,
      },
    });
  });

  it('without telling what it says', async () => {
    await answer('payouts', { iban: ['NL47FRBK0293409698'] });
    const page = await ask({ kind: 'payouts', by: ONE_DAY });
    expect(JSON.stringify(page)).toContain('payouts.1.iban');
    expect(JSON.stringify(page)).not.toContain('NL47');
  });
});

describe('PCQ-13, PCQ-14, PCQ-15: a page is unclear', () => {
  test.each<[string, object]>([
    ['that is another than was asked for', { number: 1 }],
    ['without its number', { number: undefined }],
    ['without the number of pages', { totalPages: undefined }],
    ['without its rows', { payments: undefined }],
    ['whose rows are no list', { payments: {} }],
    ['that has fewer rows than it says', { totalElements: 3 }],
    ['that has rows though it says none', { totalElements: 0, totalPages: 0 }],
  ])('%s', async (_name, page) => {
    await answer('payments', {}, page);
    expect((await ask({ kind: 'payments', by: ONE_DAY })).kind).toBe('unclear');
  });

  const error = (code: string, message = 'x') => ({ code, message });
  test.each<[string, number, object | string, string]>([
    ['no JSON', 200, '<html>', 'unexpected_answer'],
    ['a period that is too long', 400, error('BAD_REQUEST'), 'provider_refused'],
    ['400 with a new code', 400, error('NEW'), 'unexpected_answer'],
    ['401', 401, '', 'unauthorized'],
    ['403', 403, error('ACCESS_DENIED'), 'unauthorized'],
    ['a payout that nobody asked for', 404, error('PAYOUT_NOT_FOUND'), 'not_found'],
    ['404 of a wrong path', 404, 'Not Found', 'unexpected_answer'],
    ['204', 204, '', 'unexpected_answer'],
    ['301', 301, '', 'no_answer'],
    ['429', 429, '', 'throttled'],
    ['500', 500, error('TECHNICAL_ERROR'), 'no_answer'],
  ])('after %s', async (_name, status, body, code) => {
    odd.answer(status, body);
    const page = await ask({ kind: 'payments', by: ONE_DAY });
    expect(page).toMatchObject({ kind: 'unclear', problem: { code } });
  });

  it('after a refusal, whose words are told without what is personal', async () => {
    odd.answer(400, error('BAD_REQUEST', 'no data of NL47FRBK0293409698'));
    const text = JSON.stringify(await ask({ kind: 'payments', by: ONE_DAY }));
    expect(text).toContain('BAD_REQUEST no data of [iban]');
  });

  it('where 404 or another status says that there is no such payout, only 404 does', async () => {
    const by = { payoutReference: '5f4ec46064b30e3b08ebb96c' };
    odd.answer(422, error('PAYOUT_NOT_FOUND'));
    expect((await ask({ kind: 'refunds', by })).kind).toBe('unclear');
    odd.answer(404, error('PAYOUT_NOT_FOUND'));
    expect(await ask({ kind: 'refunds', by })).toMatchObject({
      kind: 'absent',
      problem: { code: 'not_found', providerCode: 'PAYOUT_NOT_FOUND' },
    });
  });
});

describe('PCQ-14: a page of 10,000 rows', () => {
  it('with the longest texts is read whole', async () => {
    const told = await jsonVector<Told>(VECTOR.payments);
    const [row] = told['payments'] as object[];
    const long = { ...row, reference: '€'.repeat(35), description: '€'.repeat(140) };
    const payments = Array.from({ length: 10_000 }, () => long);
    odd.answer(200, { ...told, totalElements: 10_000, payments });
    const page = await found({ kind: 'payments', by: ONE_DAY });
    expect(page.lines).toHaveLength(10_000);
  });
});
