import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { InvalidCursor, UnknownRun } from '../../../src/store/errors.js';
import { createReconciliations } from '../../../src/store/reconciling/reconciliations.js';
import { recordPayment } from '../../../src/store/recording.js';
import { BACKENDS, useDatabase, useStore } from '../backends.js';
import { AT, aFact, aRecord, aRequest, eur, uniqueId } from '../examples.js';
import {
  aShop,
  BRUSSELS,
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
  describe(`reconciliation runs on ${backend.name}`, () => {
    const store = useStore(backend);
    const shop = () => aShop(store());
    const page = (runId: string, cursor: string | undefined, references: readonly string[]) =>
      store().reconciliations.takePage({
        runId,
        listing: PAYMENTS,
        ...(cursor !== undefined && { cursor }),
        lines: references.map((reference) => line(reference, 100)),
        payouts: [],
        nextCursor: `after-${references.at(-1)}`,
      });

    it('keep the first of the same id', async () => {
      const { start, connectionId } = shop();
      const runId = await start();
      await start({ runId, hasPayouts: false });
      expect(await store().reconciliations.get(runId)).toEqual({
        runId,
        connectionId,
        scope: { days: { from: DAY, to: DAY } },
        timeZone: BRUSSELS,
        hasPayouts: true,
        requestedAt: '2026-03-05T08:15:00.000Z',
        status: 'running',
        listings: [],
      });
    });

    it('go on at the page where they were interrupted', async () => {
      const { start } = shop();
      const runId = await start();
      expect(await page(runId, undefined, ['a', 'b'])).toEqual({
        listing: PAYMENTS,
        cursor: 'after-b',
        pages: 1,
        rows: 2,
        isComplete: false,
      });
      const run = await store().reconciliations.get(runId);
      expect(run?.listings).toMatchObject([{ cursor: 'after-b', pages: 1 }]);
    });

    it('take a page once, however often and wherever it is given', async () => {
      const { start, breaks } = shop();
      const runId = await start();
      await page(runId, undefined, ['a', 'b']);
      await page(runId, undefined, ['a', 'b']);
      const last = { runId, listing: PAYMENTS, lines: [line('c', 100)], payouts: [] };
      await Promise.all(
        [1, 2, 3].map(() => store().reconciliations.takePage({ ...last, cursor: 'after-b' })),
      );
      const progress = await page(runId, 'after-b', ['d']);
      expect(progress).toMatchObject({ pages: 2, rows: 3, isComplete: true });
      await store().reconciliations.match(runId);
      expect(await breaks()).toEqual([
        'missing_here c open',
        'missing_here b open',
        'missing_here a open',
      ]);
    });

    it('keep nothing of a page that cannot be taken', async () => {
      const { start, connectionId } = shop();
      const runId = await start();
      const inTwo = payout('po', { payments: [1] }, { amount: { minor: '1', currency: 'USD' } });
      const taken = store().reconciliations.takePage({
        runId,
        listing: PAYOUTS,
        lines: [],
        payouts: [inTwo],
      });
      await expect(taken).rejects.toThrow(RangeError);
      expect((await store().reconciliations.get(runId))?.listings).toEqual([]);
      expect(await store().payouts.list({ connectionId, limit: 1 })).toEqual({ payouts: [] });
    });

    it('keep what a line said before, and its payout once known', async () => {
      const { reconcile, connectionId } = shop();
      const [saturday, monday] = [uniqueId('run'), uniqueId('run')];
      await reconcile([[PAYMENTS, [line('p1', 100)]]], { runId: saturday });
      const paid = line('p1', 120, { payoutReference: 'po', description: 'later' });
      await reconcile([[PAYMENTS, [paid]]], { runId: monday });
      await reconcile([[PAYMENTS, [line('p1', 120)]]]);
      const key = { connectionId, payoutReference: 'po' };
      const { lines } = await store().payouts.lines(key, { limit: 5 });
      expect(lines).toMatchObject([
        {
          amount: eur(120),
          payoutReference: 'po',
          businessDay: DAY,
          earlier: [{ amount: eur(100), runId: saturday }],
          firstSeenRunId: saturday,
          repeats: 0,
        },
      ]);
    });

    it('keep their totals as they stood at the end', async () => {
      const { reconcile, connectionId, captured } = shop();
      const runId = await reconcile([[PAYMENTS, [line('p1', 100)]]]);
      const finished = await store().reconciliations.finish(runId, { at: ON_DAY });
      expect(finished.totals).toMatchObject({
        breaks: [{ kind: 'missing_here', open: { count: 1, amounts: [eur(100)] } }],
        unexplained: [eur(100)],
      });
      await captured('p1', 100);
      await store().reconciliations.match(runId);
      await reconcile([]);
      const problem = { code: 'internal', message: 'too late' } as const;
      expect(await store().reconciliations.finish(runId, { at: AT, problem })).toEqual(finished);
      const { breaks } = await store().breaks.list({ connectionId, runId, limit: 5 });
      expect(breaks).toMatchObject([{ kind: 'missing_here', status: 'explained' }]);
    });

    it('say why they were given up', async () => {
      const runId = await shop().start();
      const problem = { code: 'internal', message: 'no report' } as const;
      expect(await store().reconciliations.finish(runId, { at: AT, problem })).toMatchObject({
        status: 'failed',
        problem,
        finishedAt: AT,
      });
    });

    it('are listed newest first, a page at a time', async () => {
      const { start, connectionId } = shop();
      const ids = [await start(), await start(), await start()];
      const first = await store().reconciliations.list({ connectionId, limit: 2 });
      expect(first.runs.map(({ runId }) => runId)).toEqual([ids[2], ids[1]]);
      const after = first.nextCursor;
      const second = await store().reconciliations.list({
        connectionId,
        limit: 2,
        ...(after !== undefined && { after }),
      });
      expect(second.runs.map(({ runId }) => runId)).toEqual([ids[0]]);
      expect(second).not.toHaveProperty('nextCursor');
      const bad = store().reconciliations.list({ after: 'x', limit: 1 });
      await expect(bad).rejects.toThrow(InvalidCursor);
    });

    it('that are not there are told', async () => {
      const { match, awaited, finish, get } = store().reconciliations;
      await expect(match('none')).rejects.toThrow(UnknownRun);
      await expect(awaited('none')).rejects.toThrow(UnknownRun);
      await expect(finish('none', { at: AT })).rejects.toThrow(UnknownRun);
      expect(await get('none')).toBeUndefined();
    });

    it('list unknown lines page by page', async () => {
      const { reconcile } = shop();
      const references = ['a', 'b', 'c'];
      const runId = await reconcile([[PAYMENTS, references.map((each) => line(each, 100))]]);
      const first = await store().reconciliations.unknownLines(runId, { limit: 2 });
      const after = first.nextCursor!;
      const second = await store().reconciliations.unknownLines(runId, { after, limit: 2 });
      const told = [...first.lines, ...second.lines];
      expect(told.map(({ providerReference }) => providerReference)).toEqual(references);
      expect(second).not.toHaveProperty('nextCursor');
    });

    it('give several processes at once the same breaks, once', async () => {
      const { start, take, breaks, captured } = shop();
      await captured('ours', 100);
      const runs = await Promise.all([start(), start()]);
      for (const runId of runs) {
        await take(runId, PAYMENTS, [line('b', 100), line('a', 100)]);
      }
      await Promise.all([...runs, ...runs].map((runId) => store().reconciliations.match(runId)));
      expect((await breaks()).sort()).toEqual([
        'missing_at_provider ours open',
        'missing_here a open',
        'missing_here b open',
      ]);
    });

    it('go on matching where they were interrupted', async () => {
      const { start, take, breaks } = shop();
      const runId = await start();
      await take(runId, PAYMENTS, [line('a', 100)]);
      await take(runId, PAYOUTS, [payout('po', { payments: [1] }, { status: 'failed' })]);
      let before = 0;
      const killed = () => {
        before += 1;
        if (before === 3) throw new Error('killed');
      };
      const interrupted = store().reconciliations.match(runId, { onChunk: killed });
      await expect(interrupted).rejects.toThrow('killed');
      expect(await breaks()).toEqual(['missing_here a open']);
      let after = 0;
      await store().reconciliations.match(runId, { onChunk: () => (after += 1) });
      let whole = 0;
      await store().reconciliations.match(runId, { onChunk: () => (whole += 1) });
      expect(before + after).toBe(whole);
      expect(await breaks()).toEqual(['payout_failed po open', 'missing_here a open']);
    });

    it('match many lines in pieces', { timeout: 120_000 }, async () => {
      const { start, take, breaks, balance, connectionId } = shop();
      const references = Array.from({ length: 6_000 }, (_, index) => `m-${index}`);
      const runId = await start();
      const lines = references.map((reference) => line(reference, 100, { payoutReference: 'po' }));
      await take(runId, PAYMENTS, lines);
      const amounts = references.map(() => 100);
      await take(runId, PAYOUTS, [payout('po', { payments: amounts })]);
      let chunks = 0;
      await store().reconciliations.match(runId, { onChunk: () => (chunks += 1) });
      expect(chunks).toBeGreaterThan(8);
      const { totals } = await store().reconciliations.finish(runId, { at: AT });
      expect(totals?.payments.seen).toEqual({ count: 6_000, amounts: [eur(600_000)] });
      expect(totals?.breaks).toMatchObject([{ kind: 'missing_here', open: { count: 6_000 } }]);
      expect(await breaks()).toHaveLength(100);
      expect(await balance('provider_balance')).toBe(-600_000);
      const stored = await store().payouts.get({ connectionId, payoutReference: 'po' });
      expect(stored?.lines.payments).toEqual({ count: 6_000, amounts: [eur(600_000)] });
    });
  });

  describe(`refunds in a report on ${backend.name}`, () => {
    const db = useDatabase(backend);

    async function aRefund(status: string, refundedAt: string) {
      const connectionId = uniqueId('shop');
      const request = aRequest({ connectionId });
      const moved = { object: 'p1', amount: eur(100) };
      await recordPayment(
        db(),
        aRecord({
          request,
          facts: [
            aFact({ kind: 'captured', ...moved, occurredAt: refundedAt }),
            aFact({ kind: 'refunded', part: 'r1', ...moved, occurredAt: refundedAt }),
          ],
        }),
      );
      await sql`insert into refunds (refund_id, payment_id, connection_id, amount_minor,
        amount_currency, status, provider_reference, requested_at) values (${uniqueId('refund')},
        ${request.paymentId}, ${connectionId}, 100, 'EUR', ${status}, 'r1', ${refundedAt})`.execute(
        db(),
      );
      return connectionId;
    }

    async function breaksOf(connectionId: string, refunds: readonly ReturnType<typeof line>[]) {
      const runs = createReconciliations(db());
      const runId = uniqueId('run');
      await runs.start({
        runId,
        connectionId,
        scope: { days: { from: DAY, to: DAY } },
        timeZone: BRUSSELS,
        hasPayouts: false,
        requestedAt: '2026-03-05T08:15:00.000Z',
      });
      const before = { from: '2026-02-01', to: '2026-02-01' };
      const listed = [
        [{ kind: 'payments' as const, by: { days: before } }, []],
        [PAYMENTS, [line('p1', 100)]],
        [REFUNDS, refunds],
      ] as const;
      for (const [listing, lines] of listed) {
        await runs.takePage({ runId, listing, lines, payouts: [] });
      }
      await runs.match(runId);
      const { rows } = await sql<{ kind: string; refund_id: string | null }>`
        select kind, refund_id from breaks where connection_id = ${connectionId}`.execute(db());
      return rows;
    }

    it('are missing at the provider once they are done there', async () => {
      const found = await breaksOf(await aRefund('succeeded', ON_DAY), []);
      expect(found).toMatchObject([{ kind: 'missing_at_provider' }]);
      expect(found[0]?.refund_id).toMatch(/^refund/);
    });

    it('are not awaited while the provider processes them, for at most fifteen days', async () => {
      expect(await breaksOf(await aRefund('processing', ON_DAY), [])).toEqual([]);
      const longAgo = '2026-02-17T12:00:00.000Z';
      const found = await breaksOf(await aRefund('processing', longAgo), []);
      expect(found).toMatchObject([{ kind: 'missing_at_provider' }]);
    });

    it('are found by the provider’s id of them, and differ in what we know', async () => {
      const connectionId = await aRefund('pending', ON_DAY);
      expect(await breaksOf(connectionId, [refundLine('p1', 'r1', 100)])).toEqual([]);
      const other = await aRefund('pending', ON_DAY);
      expect(await breaksOf(other, [refundLine('p1', 'r1', 90)])).toMatchObject([
        { kind: 'amount_differs' },
      ]);
    });
  });
}
