import { describe, expect, it } from 'vitest';
import type { Fact } from '../../../src/domain/facts.js';
import { BACKENDS, useStore } from '../backends.js';
import { aFact, eur } from '../examples.js';
import {
  aShop,
  DAY,
  line,
  ON_DAY,
  payout,
  PAYMENTS,
  PAYOUTS,
  refundLine,
  REFUNDS,
} from './shop.js';

for (const backend of BACKENDS) {
  describe(`matching on ${backend.name}`, () => {
    const store = useStore(backend);
    const shop = () => aShop(store());

    it('finds nothing where both sides agree, and books what was paid out', async () => {
      const { captured, reconcile, breaks, balance, connectionId } = shop();
      const paymentId = await captured('p1', 1000);
      await captured('p2', 500);
      await refunded(paymentId, 'p1', 'r1', 300);
      const runId = await reconcile([
        [PAYMENTS, [inPayout(line('p1', 1000)), inPayout(line('p2', 500))]],
        [REFUNDS, [inPayout(refundLine('p1', 'r1', 300))]],
        [PAYOUTS, [payout('po', { payments: [1000, 500], refunds: [300] })]],
      ]);
      expect(await breaks()).toEqual([]);
      expect(await balance('payer')).toBe(-1500);
      expect(await balance('provider_pending')).toBe(0);
      expect(await balance('provider_balance')).toBe(0);
      expect(await balance('refunds')).toBe(300);
      expect(await balance('merchant_bank')).toBe(1200);
      const { totals, status } = await store().reconciliations.finish(runId, { at: ON_DAY });
      expect(status).toBe('finished');
      expect(totals).toEqual({
        payments: {
          seen: { count: 2, amounts: [eur(1500)] },
          matched: { count: 2, amounts: [eur(1500)] },
        },
        refunds: {
          seen: { count: 1, amounts: [eur(300)] },
          matched: { count: 1, amounts: [eur(300)] },
        },
        payouts: {
          seen: { count: 1, amounts: [eur(1200)] },
          succeeded: { count: 1, amounts: [eur(1200)] },
        },
        breaks: [],
        unexplained: [],
      });
      expect(await store().payouts.get({ connectionId, payoutReference: 'po' })).toMatchObject({
        lines: {
          payments: { count: 2, amounts: [eur(1500)] },
          refunds: { count: 1, amounts: [eur(300)] },
        },
      });
    });

    it('tells what is missing here, and asks for its fact', async () => {
      const { reconcile, theBreak } = shop();
      const runId = await reconcile([[PAYMENTS, [line('stranger', 700)]]]);
      const found = await theBreak();
      expect(found).toMatchObject({
        kind: 'missing_here',
        status: 'open',
        providerReference: 'stranger',
        theirs: eur(700),
        difference: eur(700),
        businessDay: DAY,
      });
      expect(found).not.toHaveProperty('ours');
      const { lines } = await store().reconciliations.unknownLines(runId, { limit: 10 });
      expect(lines).toMatchObject([{ providerReference: 'stranger', verdict: 'missing_here' }]);
    });

    it('tells what is missing at the provider, once its day is complete', async () => {
      const { captured, start, take, breaks, theBreak, connectionId } = shop();
      const paymentId = await captured('p1', 1000);
      await captured('other-day', 1000, { at: '2026-03-04T23:00:00.000Z' });
      const runId = await start();
      await store().reconciliations.match(runId);
      expect(await breaks()).toEqual([]);
      await take(runId, PAYMENTS, []);
      expect(await store().reconciliations.awaited(runId)).toEqual({
        lines: 0,
        payments: 1,
        refunds: 0,
      });
      await store().reconciliations.match(runId);
      expect(await theBreak()).toMatchObject({
        connectionId,
        kind: 'missing_at_provider',
        paymentId,
        providerReference: 'p1',
        ours: eur(1000),
        difference: eur(-1000),
        businessDay: DAY,
      });
    });

    it('tells a refund that is missing at the provider', async () => {
      const { captured, reconcile, breaks } = shop();
      const paymentId = await captured('p1', 1000);
      await refunded(paymentId, 'p1', 'r1', 300);
      await reconcile([
        [PAYMENTS, [line('p1', 1000)]],
        [REFUNDS, []],
      ]);
      expect(await breaks()).toEqual(['missing_at_provider r1 open']);
    });

    it('tells amounts that differ, with both sides and the difference', async () => {
      const { captured, reconcile, theBreak } = shop();
      await captured('p1', 1000);
      await reconcile([[PAYMENTS, [line('p1', 1250)]]]);
      expect(await theBreak()).toMatchObject({
        kind: 'amount_differs',
        ours: eur(1000),
        theirs: eur(1250),
        difference: eur(250),
      });
    });

    it('tells currencies that differ', async () => {
      const { captured, reconcile, theBreak } = shop();
      await captured('p1', 1000, { currency: 'USD' });
      await reconcile([[PAYMENTS, [line('p1', 1000)]]]);
      const found = await theBreak();
      expect(found).toMatchObject({
        kind: 'currency_differs',
        ours: { minor: '1000', currency: 'USD' },
        theirs: eur(1000),
      });
      expect(found).not.toHaveProperty('difference');
    });

    it('tells a payment that is done there and not here', async () => {
      const { captured, reconcile, theBreak } = shop();
      const paymentId = await captured('p1', 0);
      await store().recordFacts(paymentId, [aFact({ kind: 'created', object: 'p2' })]);
      const runId = await reconcile([[PAYMENTS, [line('p2', 1000)]]]);
      expect(await theBreak()).toMatchObject({
        kind: 'status_differs',
        paymentId,
        ours: eur(0),
        theirs: eur(1000),
      });
      const { lines } = await store().reconciliations.unknownLines(runId, { limit: 10 });
      expect(lines).toMatchObject([{ providerReference: 'p2', paymentId }]);
    });

    it('matches an object that two payments claim with the first', async () => {
      const { captured, reconcile, breaks } = shop();
      await captured('p1', 1000);
      await captured('p1', 2000);
      await reconcile([[PAYMENTS, [line('p1', 1000)]]]);
      expect(await breaks()).toEqual([]);
    });

    it('tells a line twice in one listing, and no longer when it is there once', async () => {
      const { captured, reconcile, theBreak } = shop();
      await captured('p1', 1000);
      await reconcile([[PAYMENTS, [line('p1', 1000), line('p1', 1000)]]]);
      expect(await theBreak()).toMatchObject({
        kind: 'duplicate',
        ours: eur(1000),
        theirs: eur(2000),
        difference: eur(1000),
      });
      await reconcile([[PAYMENTS, [line('p1', 1000)]]]);
      expect(await theBreak()).toMatchObject({
        status: 'explained',
        explanation: { by: 'report' },
      });
    });

    it('tells a line in two payouts, counts it in both and books it once', async () => {
      const { captured, reconcile, breaks, balance } = shop();
      await captured('p1', 1000);
      await reconcile([
        [PAYOUTS, [payout('one', { payments: [1000] }), payout('two', { payments: [1000] })]],
        [ofPayout('one'), [inPayout(line('p1', 1000), 'one')]],
        [ofPayout('two'), [inPayout(line('p1', 1000), 'two')]],
      ]);
      expect(await breaks()).toEqual(['duplicate p1 open']);
      expect(await balance('provider_pending')).toBe(0);
      expect(await balance('provider_balance')).toBe(-1000);
    });

    it('takes no line for a duplicate whose first payout failed', async () => {
      const { captured, reconcile, breaks } = shop();
      await captured('p1', 1000);
      await reconcile([
        [
          PAYOUTS,
          [
            payout('failed', { payments: [1000] }, { status: 'failed' }),
            payout('again', { payments: [1000] }),
          ],
        ],
        [ofPayout('failed'), [inPayout(line('p1', 1000), 'failed')]],
        [ofPayout('again'), [inPayout(line('p1', 1000), 'again')]],
      ]);
      expect(await breaks()).toEqual(['payout_failed failed open']);
    });

    it.each([
      ['its own totals', { amount: eur(999) }, 1000, 999],
      ['its lines', { payments: { count: 2, amount: eur(1500) }, amount: eur(1500) }, 1000, 1500],
    ])('tells a payout that is not %s', async (_what, changes, ours, theirs) => {
      const { captured, reconcile, theBreak } = shop();
      await captured('p1', 1000);
      await reconcile([
        [PAYMENTS, [inPayout(line('p1', 1000))]],
        [PAYOUTS, [payout('po', { payments: [1000] }, changes)]],
      ]);
      expect(await theBreak()).toMatchObject({
        kind: 'total_differs',
        payoutReference: 'po',
        ours: eur(ours),
        theirs: eur(theirs),
        difference: eur(theirs - ours),
        businessDay: '2026-03-05',
      });
    });

    it('does not compare a payout with lines that were not listed', async () => {
      const { reconcile, breaks } = shop();
      await reconcile([[PAYOUTS, [payout('po', { payments: [1000] })]]]);
      expect(await breaks()).toEqual([]);
    });

    it('explains a payout that failed first', async () => {
      const { reconcile, theBreak, balance } = shop();
      const paid = payout('po', { payments: [1000] });
      await reconcile([[PAYOUTS, [{ ...paid, status: 'failed' }]]]);
      expect(await theBreak()).toMatchObject({ kind: 'payout_failed', status: 'open' });
      expect(await balance('merchant_bank')).toBe(0);
      await reconcile([[PAYOUTS, [paid]]]);
      expect(await theBreak()).toMatchObject({
        status: 'explained',
        explanation: { by: 'payout' },
      });
      expect(await balance('merchant_bank')).toBe(1000);
    });

    it('tells payments in no payout after five working days, and not before', async () => {
      const { captured, reconcile, breaks } = shop();
      await captured('p1', 1000);
      const listed = [[PAYMENTS, [line('p1', 1000)]]] as const;
      await reconcile(listed, { requestedAt: '2026-03-11T08:00:00.000Z' });
      expect(await breaks()).toEqual([]);
      await reconcile([], { requestedAt: '2026-03-12T08:00:00.000Z', hasPayouts: false });
      expect(await breaks()).toEqual([]);
      await reconcile([], { requestedAt: '2026-03-12T08:00:00.000Z' });
      expect(await breaks()).toEqual(['paid_out_late p1 open']);
      await reconcile([[ofPayout('po'), [inPayout(line('p1', 1000))]]]);
      expect(await breaks()).toEqual(['paid_out_late p1 explained']);
    });

    it('books a line once its payment is known, though its payout was settled before', async () => {
      const { captured, reconcile, breaks, balance } = shop();
      await reconcile([
        [PAYMENTS, [inPayout(line('p1', 1000))]],
        [PAYOUTS, [payout('po', { payments: [1000] })]],
      ]);
      expect(await balance('provider_balance')).toBe(-1000);
      await captured('p1', 1000);
      await reconcile([]);
      expect(await breaks()).toEqual(['missing_here p1 explained']);
      expect(await balance('provider_balance')).toBe(0);
      expect(await balance('merchant_bank')).toBe(1000);
    });

    async function refunded(paymentId: string, object: string, part: string, minor: number) {
      const fact: Fact = aFact({
        kind: 'refunded',
        object,
        part,
        amount: eur(minor),
        occurredAt: ON_DAY,
      });
      await store().recordFacts(paymentId, [fact]);
    }
  });
}

function inPayout<Line>(of: Line, payoutReference = 'po'): Line {
  return { ...of, payoutReference };
}

function ofPayout(payoutReference: string) {
  return { kind: 'payments' as const, by: { payoutReference } };
}
