import { describe, expect, it } from 'vitest';
import type { PaymentRequest } from '../../src/domain/payment.js';
import { decodeCursor, encodeCursor } from '../../src/store/cursor.js';
import { InvalidCursor } from '../../src/store/errors.js';
import type { Store } from '../../src/store/store.js';
import { BACKENDS, useStore } from './backends.js';
import { AT, aFact, anOperation, aRecord, aRequest, eur, uniqueId } from './examples.js';

for (const backend of BACKENDS) {
  describe(`listing on ${backend.name}`, () => {
    const store = useStore(backend);

    it('pages through all payments, newest first, each once', async () => {
      const connectionId = uniqueId('shop');
      const times = ['03', '01', '02', '02', '02'].map((day) => `2026-01-${day}T00:00:00.000Z`);
      for (const requestedAt of times) await record(store(), { connectionId, requestedAt });
      const pages = await allPages(store(), { connectionId, limit: 2 });
      expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
      const seen = pages.flat();
      const expected = [...seen].sort((a, b) =>
        `${b.requestedAt}${b.paymentId}` < `${a.requestedAt}${a.paymentId}` ? -1 : 1,
      );
      expect(new Set(seen.map(({ paymentId }) => paymentId)).size).toBe(5);
      expect(seen).toEqual(expected);
    });

    it('gives no cursor when the last page is full', async () => {
      const connectionId = uniqueId('shop');
      await record(store(), { connectionId });
      const page = await store().listPayments({ connectionId, limit: 1 });
      expect(page).toMatchObject({ payments: [{ connectionId }] });
      expect(page.nextCursor).toBeUndefined();
    });

    it('neither skips nor repeats where times differ by less than a millisecond', async () => {
      const connectionId = uniqueId('shop');
      for (const digits of ['100', '900', '500']) {
        await record(store(), { connectionId, requestedAt: `2026-01-01T00:00:00.000${digits}Z` });
      }
      const seen = (await allPages(store(), { connectionId, limit: 1 })).flat();
      expect(new Set(seen.map(({ paymentId }) => paymentId)).size).toBe(3);
      expect(seen).toHaveLength(3);
    });

    it('filters by reference, status and time', async () => {
      const connectionId = uniqueId('shop');
      const early = await record(store(), { connectionId, merchantReference: 'a' });
      const requestedAt = '2026-06-01T00:00:00.000Z';
      const late = await record(store(), { connectionId, merchantReference: 'b', requestedAt });
      await store().recordFacts(late, [aFact({ kind: 'captured', amount: eur(1250) })]);
      const ids = async (filter: object) =>
        (await store().listPayments({ connectionId, limit: 9, ...filter })).payments.map(
          ({ paymentId }) => paymentId,
        );
      expect(await ids({})).toEqual([late, early]);
      expect(await ids({ merchantReference: 'a' })).toEqual([early]);
      expect(await ids({ status: 'captured' })).toEqual([late]);
      expect(await ids({ status: 'voided' })).toEqual([]);
      expect(await ids({ from: requestedAt })).toEqual([late]);
      expect(await ids({ to: requestedAt })).toEqual([early]);
      expect(await ids({ from: AT, to: requestedAt })).toEqual([early]);
    });

    it('finds those that a person should look at: attention, or facts that do not add up', async () => {
      const connectionId = uniqueId('shop');
      const fine = await record(store(), { connectionId });
      const flagged = await record(store(), { connectionId });
      await store().recordFacts(flagged, [aFact({ kind: 'captured', amount: eur(1) })]);
      const request = aRequest({ connectionId });
      const attention = { reason: 'provider_silent', since: AT } as const;
      await store().recordPayment(aRecord({ request, progress: { attention } }));
      const ids = async (needsAttention: boolean) =>
        (await store().listPayments({ connectionId, needsAttention, limit: 9 })).payments
          .map(({ paymentId }) => paymentId)
          .sort();
      expect(await ids(true)).toEqual([flagged, request.paymentId].sort());
      expect(await ids(false)).toEqual([fine]);
      await store().recordPayment(aRecord({ request, progress: { revision: 2 } }));
      expect(await ids(true)).toEqual([flagged]);
    });

    it('shows each payment as getPayment does', async () => {
      const connectionId = uniqueId('shop');
      const request = aRequest({ connectionId });
      await store().recordPayment(aRecord({ request, operations: [anOperation()] }));
      await record(store(), { connectionId });
      const { payments } = await store().listPayments({ connectionId, limit: 9 });
      expect(payments).toHaveLength(2);
      for (const payment of payments) {
        expect(await store().getPayment(payment.paymentId)).toEqual(payment);
      }
    });

    it('shows what the payer must do while the payer must do it', async () => {
      const nextAction = { kind: 'redirect', url: 'https://pay.example' } as const;
      const request = aRequest();
      const facts = [aFact({ kind: 'created' })];
      const open = await store().recordPayment(
        aRecord({ request, facts, particulars: { nextAction } }),
      );
      expect(open).toMatchObject({ status: 'requires_action', nextAction });
      const paid = await store().recordFacts(request.paymentId, [
        aFact({ kind: 'authorized', amount: eur(1250) }),
      ]);
      expect(paid?.status).toBe('authorized');
      expect(paid?.nextAction).toBeUndefined();
    });

    it.each(['', '!', 'bm9uZQ', 'WzEsMl0', encodeCursor({ requestedAt: 'x', id: 'y' })])(
      'refuses the cursor "%s", naming the field',
      async (after) => {
        const listing = store().listPayments({ after, limit: 1 });
        await expect(listing).rejects.toBeInstanceOf(InvalidCursor);
        await expect(listing).rejects.toMatchObject({ code: 'invalid_cursor', field: 'after' });
      },
    );
  });
}

describe('a cursor', () => {
  it('comes back as the position it was made of', () => {
    const position = { requestedAt: AT, id: 'pay-1' };
    expect(decodeCursor(encodeCursor(position))).toEqual(position);
  });

  it('is safe in a URL', () => {
    const cursor = encodeCursor({ requestedAt: AT, id: '???>>>' });
    expect(encodeURIComponent(cursor)).toBe(cursor);
  });
});

async function record(store: Store, overrides: Partial<PaymentRequest>): Promise<string> {
  const request = aRequest(overrides);
  await store.recordPayment(aRecord({ request }));
  return request.paymentId;
}

async function allPages(store: Store, filter: { connectionId: string; limit: number }) {
  const pages = [];
  let after: string | undefined;
  do {
    const page = await store.listPayments({ ...filter, ...(after !== undefined && { after }) });
    pages.push(page.payments);
    after = page.nextCursor;
  } while (after !== undefined);
  return pages;
}
