/** Reconciliations against the provider's books: clean, with every anomaly, late, and interrupted. */
import { afterEach, describe, expect, test } from 'vitest';
import { addDays, addWorkingDays, nextWorkingDay } from '../../src/domain/calendar.js';
import type { Break } from '../../src/domain/reconciliation.js';
import type { Anomaly } from '../../src/sandbox/payconiq/anomaly.js';
import type { PaymentRow } from '../../src/sandbox/payconiq/reconciliation-rows.js';
import { reconciliationId } from '../../src/workflows/contract.js';
import { eur } from '../store/examples.js';
import { openBooks, type Books } from '../support/books.js';
import { CONNECTION_ID } from '../support/harness.js';

/** Several runs, each with what it learns. */
const LONG = { timeout: 90_000 };

let books: Books;

afterEach(() => books.close());

/** Answers how to undo them. */
function inject(...anomalies: readonly Anomaly[]): () => void {
  const undo = anomalies.map((anomaly) => books.harness.sandbox.payouts.inject(anomaly));
  return () => undo.forEach((each) => each());
}

/** A refund through us, seen through to its end. */
async function refund(paymentId: string, cents: number): Promise<string> {
  const { client, store } = books.harness;
  const refundId = `refund-of-${paymentId}`;
  await client.refunds.create({ refundId, paymentId, amount: eur(cents) });
  await expect
    .poll(async () => (await store.refunds.get(refundId))?.status, { timeout: 15_000 })
    .toBe('succeeded');
  return (await store.refunds.get(refundId))!.providerReference!;
}

const told = (breaks: readonly Break[]) =>
  breaks.map(({ kind, subject, status }) => `${kind} ${subject} ${status}`).toSorted();

/** What a break says, without when. */
const stated = (breaks: readonly Break[]) =>
  breaks
    .map(({ breakId, status, ours, theirs, history }) => ({
      ...{ breakId, status, ours, theirs },
      changes: history.length,
    }))
    .toSorted((a, b) => (a.breakId < b.breakId ? -1 : 1));

function paymentRow(paymentId: string): PaymentRow {
  const { profileId } = books.harness.sandbox;
  return {
    ...{ paymentId, payoutId: undefined, paymentProfileId: profileId, merchantName: 'Shop' },
    ...{ submerchantName: '', submerchantId: '', paymentChannel: 'ONLINE' },
    ...{ currency: 'EUR', amount: 900, transactionDate: `${books.day}T10:00:00.000Z` },
  };
}

async function balanceOf(account: string): Promise<bigint> {
  const { accounts, trial } = await books.harness.store.ledger.balances(CONNECTION_ID);
  expect(trial).toEqual([eur(0)]);
  const found = accounts.find((each) => each.account === account);
  return BigInt(found?.postedDebits.minor ?? '0') - BigInt(found?.postedCredits.minor ?? '0');
}

describe('a day', () => {
  test('PCQ-13, PCQ-14, PCQ-15: that is clean ties to the last cent', async () => {
    books = await openBooks();
    const one = await books.sell(1250);
    await books.sell(800);
    await refund(one.paymentId, 250);
    await books.toMorning();
    const run = await books.reconcile();
    const { day } = books;
    expect(run).toMatchObject({ status: 'finished', scope: { days: { from: day, to: day } } });
    expect(run.totals).toMatchObject({
      payments: { seen: { count: 2, amounts: [eur(2050)] }, matched: { count: 2 } },
      refunds: { seen: { count: 1, amounts: [eur(250)] }, matched: { count: 1 } },
      payouts: { seen: { count: 1, amounts: [eur(1800)] }, succeeded: { count: 1 } },
      breaks: [],
      unexplained: [],
    });
    expect(await books.breaks()).toEqual([]);
    expect(await balanceOf('provider_pending')).toBe(0n);
    expect(await balanceOf('provider_balance')).toBe(0n);
    expect(await balanceOf('merchant_bank')).not.toBe(0n);

    const [payout] = books.harness.sandbox.payouts.list();
    const { payoutId: payoutReference } = payout!;
    const again = await books.reconcile({ payoutReference });
    expect(again).toMatchObject({ status: 'finished', scope: { payoutReference } });
    expect(again.totals).toEqual(run.totals);
  });

  test('PCQ-14, PCQ-15: with anomalies of lines gives each its break, once', LONG, async () => {
    books = await openBooks();
    const { day } = books;
    const sold = [];
    for (const cents of [100, 200, 300, 400, 500]) sold.push(await books.sell(cents));
    const [missing, wrong, foreign, twice, refunded] = sold.map((each) => each.providerReference!);
    const refundId = await refund(sold[4]!.paymentId, 50);
    const follow = { totals: 'follow' } as const;
    const heal = inject(
      { kind: 'missing_payment', paymentId: missing!, ...follow },
      { kind: 'missing_refund', refundId, ...follow },
      { kind: 'wrong_amount', of: { paymentId: wrong! }, amount: 201, ...follow },
      { kind: 'wrong_currency', of: { paymentId: foreign! }, currency: 'CHF' },
      { kind: 'duplicate_row', of: { paymentId: twice! } },
    );
    inject(
      { kind: 'unknown_payment', businessDay: day, amount: 700, reference: 'X-1', ...follow },
      { kind: 'unknown_refund', businessDay: day, amount: 60, paymentId: refunded!, ...follow },
    );
    await books.toMorning();
    await books.reconcile();
    const breaks = await books.breaks();
    expect(told(breaks)).toEqual([
      'amount_differs payment open',
      'currency_differs payment open',
      'duplicate payment open',
      'missing_at_provider payment open',
      'missing_at_provider refund open',
      'missing_here payment explained',
      'missing_here refund explained',
      'total_differs payout open',
    ]);
    expect(breaks.find(({ kind }) => kind === 'amount_differs')).toMatchObject({
      ...{ paymentId: sold[1]!.paymentId, providerReference: wrong },
      ...{ ours: eur(200), theirs: eur(201), difference: eur(1), businessDay: day },
    });

    await books.reconcile();
    expect(stated(await books.breaks())).toEqual(stated(breaks));

    heal();
    await books.reconcile();
    expect(told(await books.breaks()).filter((each) => each.endsWith('open'))).toEqual([]);
  });

  test('PCQ-13: with anomalies of payouts gives each its break, once', async () => {
    books = await openBooks({ sandbox: { payoutMode: 'individual' } });
    for (const cents of [100, 200, 300, 400]) await books.sell(cents);
    const { sandbox } = books.harness;
    const payouts = sandbox.payouts.run({ day: books.day });
    const [off, failed, first, second] = payouts.map(({ payoutId }) => ({ payoutId }));
    const [paymentId] = payouts[2]!.paymentIds;
    inject(
      { kind: 'payout_total', payout: off!, by: -3 },
      { kind: 'payout_failed', payout: failed! },
      { kind: 'paid_twice', of: { paymentId: paymentId! }, payout: second!, totals: 'follow' },
    );
    await books.toMorning();
    const run = await books.reconcile();
    const breaks = await books.breaks();
    expect(told(breaks)).toEqual([
      'duplicate payment open',
      'payout_failed payout open',
      'total_differs payout open',
    ]);
    expect(breaks.find(({ kind }) => kind === 'total_differs')).toMatchObject({
      ...{ payoutReference: off!.payoutId, difference: eur(-3) },
    });
    expect(run.totals).toMatchObject({ payouts: { seen: { count: 4 }, succeeded: { count: 3 } } });
    expect(first).toBeDefined();
    await books.reconcile();
    expect(stated(await books.breaks())).toEqual(stated(breaks));
  });

  test('with a payment that is not paid out in five working days tells that it is late', async () => {
    books = await openBooks();
    const { providerReference } = await books.sell(900);
    inject({ kind: 'payment_without_payout', paymentId: providerReference!, totals: 'follow' });
    await books.toMorning();
    await books.reconcile();
    expect(await books.breaks()).toEqual([]);
    await books.moveTo(addWorkingDays(books.day, 7), '10:00');
    await books.reconcile();
    expect(told(await books.breaks())).toEqual(['paid_out_late payment open']);
    books.harness.sandbox.payouts.heal();
    await books.reconcile();
    expect(told(await books.breaks())).toEqual(['paid_out_late payment explained']);
  });
});

describe('what only the provider knows', () => {
  test('PCQ-14: is taken over, as a payment of its own, and explained', async () => {
    books = await openBooks();
    const { day, harness } = books;
    inject({ kind: 'unknown_payment', businessDay: day, amount: 4_200, reference: 'counter-7' });
    await books.toMorning();
    const run = await books.reconcile();
    expect(run.totals).toMatchObject({ unexplained: [] });
    const [found] = await books.breaks();
    expect(found).toMatchObject({ kind: 'missing_here', status: 'explained' });
    const { payments } = await harness.store.listPayments({ limit: 10 });
    expect(payments).toMatchObject([
      {
        ...{ origin: 'adopted', status: 'captured', merchantReference: 'counter-7' },
        amounts: { captured: eur(4_200) },
      },
    ]);
    expect(found?.paymentId).toBe(payments[0]?.paymentId);
    const { notifications } = await harness.store.inbox.list({ limit: 10 });
    expect(notifications).toMatchObject([{ facts: [{ kind: 'captured', source: 'report' }] }]);
  });

  test('PCQ-15: a refund made at the portal is learned with its payment', async () => {
    books = await openBooks();
    const { sandbox, store } = books.harness;
    const sold = await books.sell(1_000);
    const { refundId } = sandbox.refunds.makeAtPortal(sold.providerReference!, 400);
    sandbox.refunds.advance(refundId, 'REFUNDED');
    await books.toMorning();
    await books.reconcile();
    expect(told(await books.breaks())).toEqual(['missing_here refund explained']);
    expect(await store.getPayment(sold.paymentId)).toMatchObject({
      amounts: { captured: eur(1_000), refunded: eur(400) },
    });
    expect(await store.refunds.refundable(sold.paymentId)).toEqual(eur(600));
  });

  test(
    'a refund of a payment that nobody knows begins no payment, and waits for it',
    LONG,
    async () => {
      books = await openBooks();
      const { day, harness } = books;
      inject({ kind: 'unknown_refund', businessDay: day, amount: 60, totals: 'follow' });
      await books.toMorning();
      await books.reconcile();
      expect(told(await books.breaks())).toEqual(['missing_here refund open']);
      expect(await harness.store.listPayments({ limit: 10 })).toMatchObject({ payments: [] });
      expect(await harness.store.inbox.list({ limit: 10 })).toMatchObject({
        notifications: [{ facts: [{ kind: 'refunded' }], state: 'undelivered' }],
      });

      const [waiting] = await books.breaks();
      const row = paymentRow(waiting!.providerReference!);
      harness.sandbox.payouts.publish({ businessDay: day, payments: [row] });
      await books.reconcile();
      const { payments } = await harness.store.listPayments({ limit: 10 });
      expect(payments).toMatchObject([
        { origin: 'adopted', amounts: { captured: eur(900), refunded: eur(60) } },
      ]);
      expect(told(await books.breaks())).toEqual([
        'missing_here payment explained',
        'missing_here refund explained',
      ]);
    },
  );
});

describe('data that is late', () => {
  test('is waited for, and then nothing is missing', async () => {
    books = await openBooks();
    await books.sell(500);
    await books.moveTo(addDays(books.day, 1), '09:15');
    const { sandbox } = books.harness;
    inject({ kind: 'data_late', businessDay: books.day, until: sandbox.clock.now() + 1_500 });
    const run = await books.reconcile();
    expect(run.totals).toMatchObject({ payments: { seen: { count: 1 }, matched: { count: 1 } } });
    expect(run.listings.some(({ listing }) => (listing.round ?? 0) > 1)).toBe(true);
    expect(await books.breaks()).toEqual([]);
  });

  test('is missing once it is later than that, and explained when it comes', async () => {
    books = await openBooks();
    await books.sell(500);
    await books.moveTo(addDays(books.day, 1), '09:15');
    const { sandbox } = books.harness;
    inject({ kind: 'data_late', businessDay: books.day, until: sandbox.clock.now() + 60_000 });
    await books.reconcile();
    expect(told(await books.breaks())).toEqual(['missing_at_provider payment open']);
    await sandbox.clock.advance(60_000);
    await books.reconcile();
    expect(told(await books.breaks())).toEqual(['missing_at_provider payment explained']);
  });
});

describe('a run', () => {
  test('goes on at the page where it was interrupted, and asks for none twice', async () => {
    books = await openBooks({ sandbox: { reconciliationPageSize: 1 } });
    for (const cents of [100, 200, 300, 400]) await books.sell(cents);
    await books.toMorning();
    const { harness } = books;
    const { faults } = harness.sandbox;
    for (const page of [0, 1, 3]) {
      faults.next('payout_payments', { kind: 'reset_before_effect' }, { page });
    }
    // In the middle the whole worker goes.
    const held = faults.next('payout_payments', { kind: 'slow', effect: 'never' }, { page: 2 });
    const running = books.reconcile();
    await held.hit;
    await harness.stopWorker();
    await harness.startWorker();
    const run = await running;
    expect(run.totals).toMatchObject({ payments: { seen: { count: 4 }, matched: { count: 4 } } });
    expect(run.totals).toMatchObject({ breaks: [] });
    const pages = books.asked().filter((each) => each.startsWith('payments?'));
    const numbers = pages.map((each) => new URLSearchParams(each.slice(9)).get('page'));
    expect(numbers).toEqual(['0', '0', '1', '1', '2', '2', '3', '3']);
  });

  test('of each morning covers what earlier ones missed, weekends included', async () => {
    books = await openBooks();
    const { temporalClient, taskQueue, store } = books.harness;
    const daily = async (): Promise<unknown> => {
      const { runId } = (await temporalClient.workflow.execute('reconciliation', {
        ...{ taskQueue, workflowId: `daily-${crypto.randomUUID()}` },
        args: [{ connectionId: CONNECTION_ID, timing: 'fast' }],
      })) as { runId: string };
      expect(runId).toMatch(/^daily_/);
      return (await store.reconciliations.get(runId))?.scope;
    };
    const first = nextWorkingDay(addDays(books.day, 7));
    await books.moveTo(first, '10:00');
    expect(await daily()).toEqual({ days: { from: addDays(first, -1), to: addDays(first, -1) } });
    const later = addDays(first, 9);
    await books.moveTo(later, '10:00');
    expect(await daily()).toEqual({ days: { from: first, to: addDays(later, -1) } });
    await books.moveTo(addDays(later, 60), '10:00');
    expect(await daily()).toEqual({
      days: { from: addDays(later, 60 - 31), to: addDays(later, 59) },
    });
  });

  test('that cannot be done fails, and says why', async () => {
    books = await openBooks();
    const payoutReference = 'f'.repeat(24);
    expect(await books.reconcile({ payoutReference })).toMatchObject({
      ...{ status: 'failed', problem: { code: 'not_found' } },
    });
    const { client, store } = books.harness;
    const days = { from: books.day, to: books.day };
    const answer = await client.reconciliations.run({ connectionId: 'nowhere', days });
    expect(answer).toMatchObject({
      result: { status: 'failed', problem: { code: 'unsupported' } },
    });
    expect(await books.reconcile()).toMatchObject({
      ...{ status: 'failed', problem: { code: 'invalid_request' } },
    });
    const { runs } = await store.reconciliations.list({ connectionId: CONNECTION_ID, limit: 5 });
    expect(runs).toHaveLength(2);
  });

  test('that somebody cancels has failed', async () => {
    books = await openBooks();
    const { client, store, temporalClient, taskQueue } = books.harness;
    await books.moveTo(addDays(books.day, 1), '09:15');
    const days = { from: books.day, to: books.day };
    const answer = client.reconciliations.run({ connectionId: CONNECTION_ID, days });
    answer.catch(() => undefined);
    const id = `${reconciliationId(CONNECTION_ID, { days })}/${taskQueue}`;
    const latest = async () => (await store.reconciliations.list({ limit: 1 })).runs[0];
    await expect
      .poll(async () => (await latest())?.listings.length ?? 0, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(3);
    await temporalClient.workflow.getHandle(id).cancel();
    await expect(answer).rejects.toMatchObject({ name: 'HoldfastError' });
    expect(await latest()).toMatchObject({ status: 'failed', problem: { code: 'withdrawn' } });
  });

  test('outlasts a provider that is away', async () => {
    books = await openBooks();
    await books.sell(500);
    await books.toMorning();
    const { faults } = books.harness.sandbox;
    const away = faults.always('payout_payments', { kind: 'throttle' });
    const running = books.reconcile();
    await expect.poll(() => away.hits(), { timeout: 10_000 }).toBeGreaterThan(1);
    away.remove();
    expect(await running).toMatchObject({ status: 'finished' });
    expect(await books.breaks()).toEqual([]);
  });

  test('is reported as it was left, whatever comes later', async () => {
    books = await openBooks();
    const { store, sandbox } = books.harness;
    const { providerReference } = await books.sell(500);
    inject({ kind: 'wrong_amount', of: { paymentId: providerReference! }, amount: 501 });
    await books.toMorning();
    const run = await books.reconcile();
    const reported = async () => ({
      run: await store.reconciliations.get(run.runId),
      breaks: await store.reconciliations.breaksFound(run.runId, { limit: 10 }),
      payouts: await store.reconciliations
        .payoutsFound(run.runId)
        .then((payouts) => payouts.map(({ lastSeenRunId: _last, ...payout }) => payout)),
    });
    const before = await reported();
    expect(before.breaks.breaks).toMatchObject([
      { kind: 'amount_differs', status: 'open', theirs: eur(501) },
      { kind: 'total_differs', status: 'open' },
    ]);
    const [found] = before.breaks.breaks;
    await store.breaks.resolve({ breakId: found!.breakId, actor: 'ann', reason: 'seen' });
    sandbox.payouts.heal();
    await books.reconcile();
    expect(told(await books.breaks())).toContain('total_differs payout explained');
    expect(await reported()).toEqual(before);
  });
});
