import type { Kysely, Transaction } from 'kysely';
import type { Fact } from '../domain/facts.js';
import type { PaymentId, RefundId } from '../domain/ids.js';
import {
  addMoney,
  compareMoney,
  formatMoney,
  isPositive,
  money,
  subtractMoney,
  type Money,
} from '../domain/money.js';
import type { Problem } from '../domain/problem.js';
import { netRefunded, reduceFacts, type ObjectAmounts } from '../domain/reducer.js';
import {
  RESERVING_STATUSES,
  isPaid,
  type Refund,
  type RefundRecord,
  type RefundRequest,
} from '../domain/refund.js';
import type { RefundRow, Tables } from './database.js';
import { withLockedPayment, type LockedPayment } from './recording.js';
import { refundsPage, type RefundFilter, type RefundPage } from './refund-queries.js';
import { toRefund, toRefundRow, toStoredRefund, type LoadedRefund } from './refund-rows.js';
import { toTime } from './values.js';

/** Refunds, and the amounts they set aside. */
export interface Refunds {
  /**
   * Sets the amount aside if that much is left of what was captured: captured − refunded −
   * reserved, of one object of the provider's. One transaction under the payment's row lock, so of
   * many at once no more pass than there is money for. The same refund again is given back as it
   * is. What is refused (by `refusal`, or for want of money) is kept as `rejected`.
   *
   * @throws Error when there is no such payment
   */
  reserve(request: RefundRequest, refusal?: Problem): Promise<Refund>;
  /**
   * Records how a refund stands, and its facts with its payment, in one transaction. An older
   * record changes nothing, and none takes back that the payer has had the money.
   */
  record(record: RefundRecord): Promise<void>;
  get(refundId: RefundId): Promise<Refund | undefined>;
  /** To go on from. */
  load(refundId: RefundId): Promise<LoadedRefund | undefined>;
  /** Newest request first. Throws InvalidCursor. */
  list(filter: RefundFilter): Promise<RefundPage>;
  /** What of a payment can still be refunded; undefined when there is no such payment. */
  refundable(paymentId: PaymentId): Promise<Money | undefined>;
}

export function createRefunds(db: Kysely<Tables>): Refunds {
  return {
    reserve: (request, refusal) => reserve(db, request, refusal),
    record: (record) => recordRefund(db, record),
    async get(refundId) {
      const row = await selectRefund(db, refundId);
      return row && toRefund(row);
    },
    async load(refundId) {
      const row = await selectRefund(db, refundId);
      return row && toStoredRefund(row);
    },
    list: (filter) => refundsPage(db, filter),
    refundable: (paymentId) =>
      withLockedPayment(db, paymentId, async (trx, payment) => {
        const left = await leftOf(trx, payment);
        return left.reduce((sum, { amount }) => addMoney(sum, amount), money(0, payment.currency));
      }),
  };
}

async function reserve(
  db: Kysely<Tables>,
  request: RefundRequest,
  refusal: Problem | undefined,
): Promise<Refund> {
  const reserved = await withLockedPayment(db, request.paymentId, async (trx, payment) => {
    const known = await selectRefund(trx, request.refundId);
    if (known) return toRefund(known);
    const choice = refusal ? { problem: refusal } : choose(request, await leftOf(trx, payment));
    const refund = begun(request, payment, choice);
    await trx
      .insertInto('refunds')
      .values({ ...toRefundRow(refund), requested_at: toTime(request.requestedAt), revision: 0 })
      .execute();
    await payment.settle([]);
    return refund;
  });
  if (!reserved) throw new Error(`store: there is no payment ${request.paymentId}`);
  return reserved;
}

type Choice = Left | { readonly problem: Problem };

/** What can still be refunded of one object. */
interface Left {
  readonly reference: string;
  readonly amount: Money;
}

/** The object to take it from: the one that was named, else the first that has as much. */
function choose({ amount, paymentReference }: RefundRequest, left: readonly Left[]): Choice {
  const candidates = left.filter(
    ({ reference }) => paymentReference === undefined || reference === paymentReference,
  );
  const found = candidates.find((each) => suffices(each.amount, amount));
  if (found) return { reference: found.reference, amount: amount ?? found.amount };
  const most = candidates
    .map((each) => each.amount)
    .sort(compareMoney)
    .at(-1);
  const available = most ? formatMoney(most) : 'nothing';
  const message = `no more than ${available} is left to refund of what is known to be captured`;
  return { problem: { code: 'amount_unavailable', message } };
}

function suffices(left: Money, wanted: Money | undefined): boolean {
  if (!wanted) return isPositive(left);
  return left.currency === wanted.currency && compareMoney(left, wanted) >= 0;
}

function begun(request: RefundRequest, { connectionId }: LockedPayment, choice: Choice): Refund {
  const { refundId, paymentId, description, requestedAt } = request;
  const asked = {
    refundId,
    paymentId,
    connectionId,
    ...(description !== undefined && { description }),
    requestedAt,
  };
  if ('problem' in choice) {
    const { amount } = request;
    const { problem } = choice;
    return { ...asked, ...(amount && { amount }), status: 'rejected', problem, ended: true };
  }
  const { reference: paymentReference, amount } = choice;
  return { ...asked, amount, paymentReference, status: 'reserved', ended: false };
}

/** Of each object: captured, less what went back, less what is set aside to go back. */
async function leftOf(
  trx: Transaction<Tables>,
  { paymentId, asked, facts }: LockedPayment,
): Promise<readonly Left[]> {
  const reserving = await trx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .where('status', 'in', RESERVING_STATUSES)
    .execute();
  return reduceFacts(asked, facts).objects.map((object) => leftOfObject(object, reserving, facts));
}

function leftOfObject(
  object: ObjectAmounts,
  reserving: readonly RefundRow[],
  facts: readonly Fact[],
): Left {
  const { reference, captured } = object;
  const gone = new Set(
    facts.flatMap(({ kind, part }) => (kind === 'refunded' && part !== undefined ? [part] : [])),
  );
  const reserved = reserving
    .filter(({ payment_reference: own }) => own === reference)
    // Known to have gone already, by a report that was quicker than the refund itself.
    .filter(({ provider_reference: part }) => part === null || !gone.has(part))
    .map(({ amount_minor: minor }) => money(minor ?? '0', captured.currency))
    .reduce(addMoney, netRefunded(object));
  const amount = subtractMoney(captured, reserved);
  return { reference, amount: isPositive(amount) ? amount : money(0, captured.currency) };
}

async function recordRefund(
  db: Kysely<Tables>,
  { refund, facts, revision }: RefundRecord,
): Promise<void> {
  await withLockedPayment(db, refund.paymentId, async (trx, payment) => {
    const known = await selectRefund(trx, refund.refundId);
    if (!known) return;
    const isNewer = revision > Number(known.revision);
    const isUnsaid = isPaid(known.status) && !isPaid(refund.status);
    if (isNewer && !isUnsaid) {
      await trx
        .updateTable('refunds')
        .set({ ...toRefundRow(refund), revision })
        .where('refund_id', '=', refund.refundId)
        .execute();
    }
    await payment.settle(facts);
  });
}

function selectRefund(db: Kysely<Tables>, refundId: RefundId): Promise<RefundRow | undefined> {
  return db.selectFrom('refunds').selectAll().where('refund_id', '=', refundId).executeTakeFirst();
}
