import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { addMoney, money } from '../../../src/domain/money.js';
import type { ReportedLine } from '../../../src/domain/report.js';
import type { ReportRequest } from '../../../src/providers/provider.js';
import { addDays, dayOf, hourOf } from '../../../src/sandbox/payconiq/calendar.js';
import { wholeReport } from '../whole-report.js';
import { startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
/** The business day on which everything is paid. */
let day: string;
beforeEach(async () => {
  merchant = await startMerchant({
    auth: 'signed',
    sandbox: { voidSupport: false, dataDelay: 'none', reconciliationPageSize: 2 },
  });
  const { clock } = merchant.sandbox;
  day = addDays(dayOf(clock.now()), 1);
  await clock.advance(hourOf(day, 12) - clock.now());
});
afterEach(() => merchant.close());

const euros = (cents: number) => money(cents, 'EUR');
const whole = (request: ReportRequest) => wholeReport(merchant.reports!, request);
const page = (request: ReportRequest) => merchant.reports!.page(request);
const today = () => ({ days: { from: day, to: day } });
/** Long enough for every payout of today to be dated in it. */
const soon = () => ({ days: { from: day, to: addDays(day, 10) } });

async function sell(cents: number, options?: { readonly bulkId: string }): Promise<string> {
  const own = options && { options: { provider: 'payconiq', flavour: 'terminal', ...options } };
  const { opened } = await merchant.create({ amount: euros(cents), description: 'Tea', ...own });
  merchant.sandbox.consumer.pay(opened.providerReference);
  return opened.providerReference;
}

function giveBack(paymentId: string, cents: number): string {
  const { refundId } = merchant.sandbox.refunds.makeAtPortal(paymentId, cents);
  merchant.sandbox.refunds.advance(refundId, 'REFUNDED');
  return refundId;
}

const payOut = () => merchant.sandbox.payouts.run({ day });
const totalOf = (lines: readonly ReportedLine[]) =>
  lines.reduce((sum, { amount }) => addMoney(sum, amount), euros(0));

describe('the reports of a connection', () => {
  it('are complete in Brussels at a quarter past nine', () => {
    expect(merchant.reports).toMatchObject({
      timeZone: 'Europe/Brussels',
      completeAt: '09:15',
      maxDays: 30,
      kinds: ['payouts', 'payments', 'refunds'],
    });
  });
});

describe('PCQ-13: payouts', () => {
  it('tie with the payments and refunds in them, however these are asked for', async () => {
    const sold = [await sell(1000), await sell(250), await sell(75)];
    const refundId = giveBack(sold[0]!, 400);
    const [made] = payOut();
    const { payouts } = await whole({ kind: 'payouts', by: soon() });
    expect(payouts).toEqual([
      {
        payoutReference: made!.payoutId,
        status: 'succeeded',
        paidAt: new Date(made!.paidAt).toISOString(),
        account: made!.iban,
        payments: { count: 3, amount: euros(1325) },
        refunds: { count: 1, amount: euros(400) },
        amount: euros(925),
      },
    ]);
    const by = { payoutReference: made!.payoutId };
    const payments = await whole({ kind: 'payments', by });
    const refunds = await whole({ kind: 'refunds', by });
    expect(payments.lines.map(({ providerReference }) => providerReference)).toEqual(sold);
    expect([totalOf(payments.lines), totalOf(refunds.lines)]).toEqual([euros(1325), euros(400)]);
    expect(refunds.lines).toMatchObject([
      { kind: 'refund', refundReference: refundId, providerReference: sold[0], ...by },
    ]);
    expect((await whole({ kind: 'payments', by: today() })).lines).toEqual(payments.lines);
    expect((await whole({ kind: 'refunds', by: today() })).lines).toEqual(refunds.lines);
  });

  it('of several groups and days come page by page, each once', async () => {
    for (const bulkId of ['A', 'B', 'C']) await sell(100, { bulkId });
    payOut();
    const { payouts, pages } = await whole({ kind: 'payouts', by: soon() });
    expect(payouts.map(({ group }) => group)).toEqual(['A', 'B', 'C']);
    // Eleven days, one of them with two pages.
    expect(pages).toBe(12);
  });

  it('that failed, or of another currency, are told as such', async () => {
    await sell(100);
    payOut();
    const payout = {};
    merchant.sandbox.payouts.inject({ kind: 'payout_failed', payout });
    merchant.sandbox.payouts.inject({ kind: 'wrong_currency', of: { payout }, currency: 'USD' });
    const { payouts } = await whole({ kind: 'payouts', by: soon() });
    expect(payouts).toMatchObject([{ status: 'failed', amount: money(100, 'USD') }]);
  });

  it('are none where there was nothing to pay', async () => {
    expect(await page({ kind: 'payouts', by: today() })).toEqual({
      kind: 'found',
      payouts: [],
      lines: [],
    });
  });
});

describe('PCQ-14: payments', () => {
  it('come page by page, each once, though none is in a payout yet', async () => {
    const sold: string[] = [];
    for (const cents of [1, 2, 3, 4, 5]) sold.push(await sell(cents));
    const { lines, pages } = await whole({ kind: 'payments', by: today() });
    expect(lines.map(({ providerReference }) => providerReference)).toEqual(sold);
    expect(pages).toBe(3);
    expect(lines[0]).toEqual({
      kind: 'payment',
      providerReference: sold[0],
      amount: euros(1),
      occurredAt: new Date(merchant.sandbox.payment(sold[0]!)!.createdAt).toISOString(),
      merchantReference: merchant.sandbox.payment(sold[0]!)!.reference,
      description: 'Tea',
    });
  });

  it('of full pages alone need no page more', async () => {
    for (const cents of [1, 2, 3, 4]) await sell(cents);
    expect((await whole({ kind: 'payments', by: today() })).pages).toBe(2);
  });

  it('are told with the tip, as it was paid out', async () => {
    const { opened } = await merchant.create({ amount: euros(100) });
    merchant.sandbox.consumer.pay(opened.providerReference, { tip: 7 });
    const { lines } = await whole({ kind: 'payments', by: today() });
    expect(lines).toMatchObject([{ amount: euros(107) }]);
  });

  it('of another day are left out', async () => {
    await sell(100);
    const from = addDays(day, 1);
    expect((await whole({ kind: 'payments', by: { days: { from, to: from } } })).lines).toEqual([]);
  });
});

describe('PCQ-15: refunds', () => {
  it('are told once they are done, by the day of that', async () => {
    const id = await sell(1000);
    merchant.sandbox.refunds.makeAtPortal(id, 100);
    const refundId = giveBack(id, 400);
    expect((await whole({ kind: 'refunds', by: today() })).lines).toMatchObject([
      { kind: 'refund', refundReference: refundId, providerReference: id, amount: euros(400) },
    ]);
  });
});

describe('PCQ-14, PCQ-15: of a payout', () => {
  test.each(['payments', 'refunds'] as const)(
    '%s are absent where Payconiq knows no such payout',
    async (kind) => {
      expect(await page({ kind, by: { payoutReference: '0'.repeat(24) } })).toMatchObject({
        kind: 'absent',
        problem: { code: 'not_found', providerCode: 'PAYOUT_NOT_FOUND' },
      });
    },
  );
});

describe('PCQ-13, PCQ-14, PCQ-15: a report', () => {
  test.each(['never', 'broken'] as const)('is not believed unsigned (%s)', async (mode) => {
    await sell(100);
    merchant.sandbox.signResponses(mode);
    expect(await page({ kind: 'payments', by: today() })).toMatchObject({
      kind: 'unclear',
      problem: { code: 'unverified_answer' },
    });
  });

  it('that breaks off in the middle is unclear there, and goes on from the same cursor', async () => {
    for (const cents of [1, 2, 3]) await sell(cents);
    const first = await page({ kind: 'payments', by: today() });
    const cursor = first.kind === 'found' ? first.nextCursor! : '';
    const next = { kind: 'payments', by: today(), cursor } as const;
    merchant.sandbox.faults.next('payout_payments', { kind: 'cut_body' });
    expect((await page(next)).kind).toBe('unclear');
    expect((await whole(next)).lines).toHaveLength(1);
  });

  it('asks for nothing but reports, and moves nothing', async () => {
    await sell(100);
    const before = merchant.sandbox.ledger.entries();
    await whole({ kind: 'payouts', by: soon() });
    expect(merchant.sandbox.ledger.entries()).toEqual(before);
  });
});
