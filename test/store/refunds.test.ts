import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/facts.js';
import type { Refund, RefundRecord, RefundRequest, RefundStatus } from '../../src/domain/refund.js';
import { StoreUnavailable } from '../../src/store/errors.js';
import type { Store } from '../../src/store/store.js';
import { BACKENDS, useStore } from './backends.js';
import { AT, aFact, aRecord, aRequest, eur, uniqueId } from './examples.js';

for (const backend of BACKENDS) {
  describe(`refunds on ${backend.name}`, () => {
    const store = useStore(backend);

    const captured = async (minor: number, facts: readonly Fact[] = []): Promise<string> => {
      const taken = aFact({ kind: 'captured', amount: eur(minor) });
      const request = aRequest({ amount: eur(minor) });
      const record = aRecord({ request, facts: [taken, ...facts] });
      await store().recordPayment(record);
      return record.request.paymentId;
    };
    const reserve = (paymentId: string, changes: Partial<RefundRequest> = {}): Promise<Refund> =>
      store().refunds.reserve(aRefund(paymentId, changes));
    const left = async (paymentId: string) => (await store().refunds.refundable(paymentId))?.minor;

    describe('set an amount aside', () => {
      it('of what was captured, and say of which object', async () => {
        const paymentId = await captured(1250);
        const refund = await reserve(paymentId, { amount: eur(300) });
        expect(refund).toMatchObject({
          status: 'reserved',
          connectionId: 'shop',
          paymentReference: 'obj-1',
          amount: eur(300),
          ended: false,
        });
        expect(await store().refunds.get(refund.refundId)).toEqual(refund);
        expect(await left(paymentId)).toBe('950');
      });

      it('of all that is left where none is named', async () => {
        const paymentId = await captured(1250);
        await reserve(paymentId, { amount: eur(300) });
        expect(await reserve(paymentId)).toMatchObject({ status: 'reserved', amount: eur(950) });
        expect(await reserve(paymentId)).toMatchObject({
          status: 'rejected',
          problem: { code: 'amount_unavailable' },
        });
      });

      it('once for one id, whatever is asked under it later', async () => {
        const paymentId = await captured(100);
        const refundId = uniqueId('ref');
        const first = await reserve(paymentId, { refundId, amount: eur(60) });
        expect(await reserve(paymentId, { refundId, amount: eur(60) })).toEqual(first);
        expect(await reserve(paymentId, { refundId, amount: eur(90) })).toEqual(first);
        expect(await left(paymentId)).toBe('40');
      });

      it('never more than was captured, of a hundred at once', async () => {
        const paymentId = await captured(100);
        const all = await Promise.all(
          Array.from({ length: 100 }, () => patiently(reserve, paymentId)),
        );
        const passed = all.filter(({ status }) => status === 'reserved');
        const refused = all.filter(({ problem }) => problem?.code === 'amount_unavailable');
        expect([passed.length, refused.length]).toEqual([3, 97]);
        expect(await left(paymentId)).toBe('10');
      });

      it('of nothing that is only held, and of nothing in another currency', async () => {
        const record = aRecord({ facts: [aFact({ kind: 'authorized', amount: eur(100) })] });
        await store().recordPayment(record);
        const held = await reserve(record.request.paymentId, { amount: eur(1) });
        expect(held).toMatchObject({ status: 'rejected', ended: true });
        expect(held.problem?.message).toMatch(/no more than EUR 0.00 is left to refund/);
        const dollars = { minor: '1', currency: 'USD' };
        expect(await reserve(await captured(100), { amount: dollars })).toMatchObject({
          status: 'rejected',
        });
      });

      it('of each object for itself, of a payment that was paid twice', async () => {
        const second = aFact({ kind: 'captured', amount: eur(100), object: 'obj-2' });
        const paymentId = await captured(100, [second]);
        const named = { paymentReference: 'obj-2' };
        expect(await reserve(paymentId, { ...named, amount: eur(100) })).toMatchObject({
          status: 'reserved',
          paymentReference: 'obj-2',
        });
        expect(await reserve(paymentId, { ...named, amount: eur(1) })).toMatchObject({
          status: 'rejected',
        });
        expect(await reserve(paymentId, { amount: eur(101) })).toMatchObject({
          status: 'rejected',
        });
        expect(await reserve(paymentId, { amount: eur(100) })).toMatchObject({
          paymentReference: 'obj-1',
        });
      });

      it('less what went back elsewhere, counted once with their own', async () => {
        const elsewhere = aFact({ kind: 'refunded', amount: eur(40), part: 'portal-1' });
        const paymentId = await captured(100, [elsewhere]);
        const ours = await reserve(paymentId, { amount: eur(60) });
        expect(await left(paymentId)).toBe('0');
        await store().refunds.record(recordOf(ours, 'pending', { providerReference: 'own-1' }));
        const reported = aFact({ kind: 'refunded', amount: eur(60), part: 'own-1' });
        await store().recordFacts(paymentId, [reported]);
        expect(await left(paymentId)).toBe('0');
        await store().refunds.record(
          recordOf(ours, 'succeeded', { providerReference: 'own-1' }, [reported]),
        );
        expect(await left(paymentId)).toBe('0');
        expect(await store().getPayment(paymentId)).toMatchObject({
          amounts: { captured: eur(100), refunded: eur(100) },
          flags: [],
        });
      });

      it('and keep the refusal of somebody else as their own', async () => {
        const paymentId = await captured(100);
        const problem = { code: 'unsupported', message: 'cannot refund' } as const;
        const refused = await store().refunds.reserve(aRefund(paymentId), problem);
        expect(refused).toMatchObject({ status: 'rejected', problem, ended: true });
        expect(await left(paymentId)).toBe('100');
      });

      it('of no payment that is not there', async () => {
        await expect(reserve(uniqueId('pay'))).rejects.toThrow('there is no payment');
        expect(await store().refunds.refundable(uniqueId('pay'))).toBeUndefined();
      });
    });

    describe('are recorded', () => {
      it('with the fact that the money has gone, in one step', async () => {
        const paymentId = await captured(100);
        const refund = await reserve(paymentId, { amount: eur(30) });
        const gone = aFact({ kind: 'refunded', amount: eur(30), part: 'r-1' });
        const record = recordOf(refund, 'processing', { providerReference: 'r-1' }, [gone]);
        await store().refunds.record(record);
        expect(await store().refunds.get(refund.refundId)).toEqual(record.refund);
        expect(await store().getPayment(paymentId)).toMatchObject({
          amounts: { refunded: eur(30) },
        });
        expect(await left(paymentId)).toBe('70');
      });

      it('free again once they failed, or came back', async () => {
        const paymentId = await captured(100);
        const failed = await reserve(paymentId, { amount: eur(100) });
        await store().refunds.record(recordOf(failed, 'failed', { ended: true }));
        expect(await left(paymentId)).toBe('100');
        const back = await reserve(paymentId, { amount: eur(100) });
        const stated = { amount: eur(100), part: 'r-2' };
        await store().refunds.record(
          recordOf(back, 'reversed', { providerReference: 'r-2' }, [
            aFact({ kind: 'refunded', ...stated }),
            aFact({ kind: 'refund_reversed', ...stated }),
          ]),
        );
        expect(await left(paymentId)).toBe('100');
        expect(await store().getPayment(paymentId)).toMatchObject({
          amounts: { refunded: eur(0) },
          flags: [],
        });
      });

      it('by their highest revision, and never back from paid', async () => {
        const paymentId = await captured(100);
        const refund = await reserve(paymentId, { amount: eur(100) });
        const providerReference = 'r-3';
        await store().refunds.record(recordOf(refund, 'succeeded', { providerReference }, [], 5));
        await store().refunds.record(recordOf(refund, 'pending', { providerReference }, [], 3));
        await store().refunds.record(recordOf(refund, 'unknown', {}, [], 9));
        expect(await store().refunds.get(refund.refundId)).toMatchObject({ status: 'succeeded' });
      });

      it('to go on from, as they were asked for', async () => {
        const paymentId = await captured(100);
        const request = aRefund(paymentId, { amount: eur(5), description: 'One chair' });
        const refund = await store().refunds.reserve(request);
        expect(await store().refunds.load(request.refundId)).toEqual({
          refund,
          request: { ...request, paymentReference: 'obj-1' },
          revision: 0,
        });
        expect(await store().refunds.load(uniqueId('ref'))).toBeUndefined();
      });
    });

    it('are listed newest first, page by page, and by what is asked for', async () => {
      const paymentId = await captured(100);
      const ids: string[] = [];
      for (const day of ['01', '02', '03']) {
        const requestedAt = `2026-04-${day}T00:00:00.000Z`;
        const refund = await reserve(paymentId, { amount: eur(10), requestedAt });
        ids.unshift(refund.refundId);
      }
      const first = await store().refunds.list({ paymentId, limit: 2 });
      const rest = await store().refunds.list({
        paymentId,
        limit: 2,
        ...(first.nextCursor !== undefined && { after: first.nextCursor }),
      });
      expect([...first.refunds, ...rest.refunds].map(({ refundId }) => refundId)).toEqual(ids);
      expect(rest.nextCursor).toBeUndefined();
      const attention = { reason: 'overdue', since: AT } as const;
      const [newest] = first.refunds;
      await store().refunds.record(recordOf(newest!, 'pending', { attention }));
      const asked = { paymentId, limit: 9 };
      const needy = await store().refunds.list({ ...asked, needsAttention: true });
      expect(needy.refunds.map(({ refundId }) => refundId)).toEqual([ids[0]]);
      const calm = await store().refunds.list({ ...asked, needsAttention: false });
      expect(calm.refunds).toHaveLength(2);
      const pending = await store().refunds.list({ ...asked, status: 'pending' });
      expect(pending.refunds).toHaveLength(1);
      const elsewhere = await store().refunds.list({ ...asked, connectionId: 'other' });
      expect(elsewhere.refunds).toEqual([]);
    });

    it('never set more aside than is left, whatever happens in whatever order', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(randomStep, { maxLength: 25 }), async (steps) => {
          const paymentId = await captured(100);
          const open: Refund[] = [];
          for (const [at, step] of steps.entries()) {
            await take(store(), { paymentId, open, step, revision: at + 1 });
          }
          const { amounts, flags } = (await store().getPayment(paymentId))!;
          const { refunds } = await store().refunds.list({ paymentId, limit: 100 });
          const aside = refunds
            .filter(({ status }) => ['reserved', 'unknown', 'pending'].includes(status))
            .reduce((sum, { amount }) => sum + Number(amount?.minor), 0);
          expect(Number(amounts.refunded.minor) + aside).toBeLessThanOrEqual(100);
          expect(flags).toEqual([]);
          expect(await left(paymentId)).toBe(String(100 - Number(amounts.refunded.minor) - aside));
          const { trial } = await store().ledger.balances();
          expect(trial.every(({ minor }) => minor === '0')).toBe(true);
        }),
        { numRuns: 25 },
      );
    });
  });
}

/** As a workflow does it: a database that is busy is asked again, for the same refund. */
async function patiently(
  reserve: (paymentId: string, changes: Partial<RefundRequest>) => Promise<Refund>,
  paymentId: string,
): Promise<Refund> {
  const asked = { refundId: uniqueId('ref'), amount: eur(30) };
  for (;;) {
    try {
      return await reserve(paymentId, asked);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

type Step =
  | { readonly do: 'reserve'; readonly minor: number }
  | { readonly do: RefundStatus; readonly which: number };

const randomStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('reserve' as const), minor: fc.integer({ min: 1, max: 70 }) }),
  fc.record({
    do: fc.constantFrom<RefundStatus>('unknown', 'pending', 'processing', 'succeeded', 'failed'),
    which: fc.nat(5),
  }),
);

async function take(
  store: Store,
  on: {
    readonly paymentId: string;
    readonly open: Refund[];
    readonly step: Step;
    readonly revision: number;
  },
): Promise<void> {
  const { paymentId, open, step, revision } = on;
  if (step.do === 'reserve') {
    if (!('minor' in step)) return;
    const refund = await store.refunds.reserve(aRefund(paymentId, { amount: eur(step.minor) }));
    if (refund.status === 'reserved') open.push(refund);
    return;
  }
  const refund = 'which' in step ? open[step.which % Math.max(open.length, 1)] : undefined;
  if (!refund?.amount) return;
  const part = `part-${refund.refundId}`;
  const isGone = step.do === 'processing' || step.do === 'succeeded';
  const gone = isGone ? [aFact({ kind: 'refunded', amount: refund.amount, part })] : [];
  const named = isGone || step.do === 'pending' ? { providerReference: part } : {};
  await store.refunds.record(recordOf(refund, step.do, named, gone, revision));
  // What has gone cannot fail any more, nor can what failed go.
  if (isGone || step.do === 'failed') open.splice(open.indexOf(refund), 1);
}

function aRefund(paymentId: string, changes: Partial<RefundRequest> = {}): RefundRequest {
  return { refundId: uniqueId('ref'), paymentId, requestedAt: AT, ...changes };
}

function recordOf(
  refund: Refund,
  status: RefundStatus,
  changes: Partial<Refund> = {},
  facts: readonly Fact[] = [],
  revision = 1,
): RefundRecord {
  return { refund: { ...refund, status, ...changes }, facts, revision };
}
