/** Reconciliations against the provider's books, clean and with every anomaly. */
import { afterEach, describe, expect, test } from 'vitest';
import { eur } from '../store/examples.js';
import { openBooks, type Books } from '../support/books.js';

let books: Books;

afterEach(() => books.close());

describe('a clean day', () => {
  test('PCQ-13, PCQ-14, PCQ-15: is matched to the last cent, whatever the page size', async () => {
    books = await openBooks({ sandbox: { reconciliationPageSize: 1 } });
    const { harness, day } = books;
    const one = await books.sell(1250);
    await books.sell(800);
    const { refundId } = harness.sandbox.refunds.makeAtPortal(one.providerReference!, 250);
    harness.sandbox.refunds.advance(refundId, 'REFUNDED');
    await books.toMorning();
    const run = await books.reconcile();
    expect(run).toMatchObject({ status: 'finished', scope: { days: { from: day, to: day } } });
    expect(run.totals).toMatchObject({
      payments: { seen: { count: 2, amounts: [eur(2050)] }, matched: { count: 2 } },
      refunds: { seen: { count: 1, amounts: [eur(250)] }, matched: { count: 1 } },
      payouts: { seen: { count: 1, amounts: [eur(1800)] } },
      unexplained: [],
    });
    expect(await books.breaks()).toMatchObject([
      { kind: 'missing_here', subject: 'refund', status: 'explained' },
    ]);
    expect(await harness.store.getPayment(one.paymentId)).toMatchObject({
      amounts: { refunded: eur(250) },
    });
  });
});
