import { describe, expect, it } from 'vitest';
import { InvalidCursor } from '../../../src/store/errors.js';
import { BACKENDS, useStore } from '../backends.js';
import { aFact, eur } from '../examples.js';
import { aShop, DAY, line, ON_DAY, payout, PAYMENTS, PAYOUTS } from './shop.js';

for (const backend of BACKENDS) {
  describe(`breaks on ${backend.name}`, () => {
    const store = useStore(backend);
    const shop = () => aShop(store());
    const close = (breakId: string) =>
      store().breaks.resolve({ breakId, actor: 'anna', reason: 'seen at the bank' });

    it('are the same, once, when a day is reconciled again', async () => {
      const { reconcile, captured, theBreak } = shop();
      await captured('p1', 100);
      const first = await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      const before = await theBreak();
      const second = await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      expect(await theBreak()).toEqual(before);
      expect(before.history).toEqual([
        {
          status: 'open',
          at: expect.any(String),
          runId: first,
          ours: eur(100),
          theirs: eur(150),
        },
      ]);
      const ofSecond = await store().breaks.list({ runId: second, limit: 5 });
      expect(ofSecond.breaks).toEqual([before]);
    });

    it('are explained by later facts, whichever run looks, and open again', async () => {
      const { reconcile, captured, theBreak, connectionId } = shop();
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      const paymentId = await captured('p1', 150);
      const later = await reconcile([]);
      const explained = await theBreak();
      expect(explained).toMatchObject({
        status: 'explained',
        paymentId,
        explanation: { by: 'our_record', runId: later },
      });
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      expect(await theBreak()).toEqual(explained);
      await store().recordFacts(paymentId, [
        aFact({ kind: 'captured', object: 'p1', part: 'more', amount: eur(50) }),
      ]);
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      const { breaks } = await store().breaks.list({ connectionId, limit: 5 });
      expect(breaks.map(({ kind, status }) => [kind, status])).toEqual([
        ['amount_differs', 'open'],
        ['missing_here', 'explained'],
      ]);
      await reconcile([[PAYMENTS, [line('p1', 200)]]]);
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      const { breaks: after } = await store().breaks.list({
        connectionId,
        kind: 'amount_differs',
        limit: 5,
      });
      expect(after[0]?.history.map(({ status }) => status)).toEqual(['open', 'explained', 'open']);
      expect(after[0]).not.toHaveProperty('explanation');
    });

    it('of what was missing at the provider are explained by its line', async () => {
      const { reconcile, captured, theBreak } = shop();
      await captured('p1', 100);
      await reconcile([[PAYMENTS, []]]);
      expect(await theBreak()).toMatchObject({ kind: 'missing_at_provider', status: 'open' });
      await reconcile([[{ kind: 'payments', by: { payoutReference: 'po' } }, [line('p1', 100)]]]);
      expect(await theBreak()).toMatchObject({
        status: 'explained',
        explanation: { by: 'report' },
      });
    });

    it('of a payout are explained once its lines are all there', async () => {
      const { reconcile, captured, theBreak } = shop();
      await captured('p1', 100);
      await captured('p2', 50);
      const inPayout = { payoutReference: 'po' };
      await reconcile([
        [PAYOUTS, [payout('po', { payments: [100, 50] })]],
        [{ kind: 'payments', by: inPayout }, [line('p1', 100, inPayout)]],
      ]);
      expect(await theBreak()).toMatchObject({ kind: 'total_differs', difference: eur(50) });
      await reconcile([[PAYMENTS, [line('p2', 50, inPayout)]]]);
      expect(await theBreak()).toMatchObject({
        status: 'explained',
        explanation: { by: 'report' },
      });
    });

    it('are closed by a person, and stay so while their amounts stay', async () => {
      const { reconcile, captured, theBreak } = shop();
      await captured('p1', 100);
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      const { breakId } = await theBreak();
      const closed = await close(breakId);
      expect(closed).toMatchObject({
        status: 'closed',
        resolution: { actor: 'anna', reason: 'seen at the bank' },
      });
      expect(await close(breakId)).toEqual(closed);
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      expect(await theBreak()).toEqual(closed);
      await reconcile([[PAYMENTS, [line('p1', 160)]]]);
      const again = await theBreak();
      expect(again).toMatchObject({ status: 'open', theirs: eur(160) });
      expect(again).not.toHaveProperty('resolution');
      expect(again.history.map(({ status }) => status)).toEqual(['open', 'closed', 'open']);
    });

    it('count towards what is unexplained only while they are open', async () => {
      const { reconcile, captured, theBreak } = shop();
      await captured('p1', 100);
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      await close((await theBreak()).breakId);
      const runId = await reconcile([[PAYMENTS, [line('p1', 150), line('stranger', 30)]]]);
      const { totals } = await store().reconciliations.finish(runId, { at: ON_DAY });
      const none = { count: 0, amounts: [] };
      expect(totals?.breaks).toEqual([
        {
          kind: 'missing_here',
          open: { count: 1, amounts: [eur(30)] },
          explained: none,
          closed: none,
        },
        {
          kind: 'amount_differs',
          open: none,
          explained: none,
          closed: { count: 1, amounts: [eur(50)] },
        },
      ]);
      expect(totals?.unexplained).toEqual([eur(30)]);
    });

    it('are listed by what they are, newest first, a page at a time', async () => {
      const { reconcile, captured, connectionId } = shop();
      await captured('p1', 100);
      await reconcile([[PAYMENTS, [line('p1', 150)]]]);
      const runId = await reconcile([[PAYMENTS, [line('p2', 30)]]]);
      const kinds = async (filter: object) => {
        const { breaks } = await store().breaks.list({ connectionId, limit: 9, ...filter });
        return breaks.map(({ kind }) => kind);
      };
      expect(await kinds({})).toEqual(['missing_here', 'amount_differs']);
      expect(await kinds({ kind: 'missing_here' })).toEqual(['missing_here']);
      expect(await kinds({ status: 'closed' })).toEqual([]);
      expect(await kinds({ businessDay: DAY })).toHaveLength(2);
      expect(await kinds({ businessDay: '2026-03-03' })).toEqual([]);
      expect(await kinds({ runId: 'none' })).toEqual([]);
      expect(await kinds({ runId, status: 'open' })).toContain('missing_here');
      const first = await store().breaks.list({ connectionId, limit: 1 });
      expect(await kinds({ after: first.nextCursor })).toEqual(['amount_differs']);
      const bad = store().breaks.list({ after: '-1', limit: 1 });
      await expect(bad).rejects.toThrow(InvalidCursor);
    });

    it('that are not there cannot be closed', async () => {
      expect(await close('none')).toBeUndefined();
      expect(await store().breaks.get('none')).toBeUndefined();
    });
  });
}
