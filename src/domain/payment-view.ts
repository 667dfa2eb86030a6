import type { Payment } from './payment.js';
import type { PaymentRequest } from './payment.js';
import { askedMoney, isPositive, type Money } from './money.js';
import type { Particulars, PaymentRecord } from './record.js';
import { reduceFacts, type PaymentView } from './reducer.js';

/**
 * The provider's object that carries a payment: where there is money, else the one that was made
 * last, whose link the payer has; a lost creation made again leaves an orphan beside it.
 */
export function carryingReference(view: PaymentView, particulars: Particulars): string | undefined {
  const [first] = view.providerReferences;
  return isPositive(view.amounts.authorized) ? first : (particulars.providerReference ?? first);
}

/** What was asked for, as the reducer wants it. */
export function askedOf({ amount }: Pick<PaymentRequest, 'amount'>): {
  readonly currency: string;
  readonly amount: Money | undefined;
} {
  return { currency: amount.currency, amount: askedMoney(amount) };
}

/** The payment as everybody sees it, derived from its record. */
export function paymentOf(record: PaymentRecord): Payment {
  const { request, particulars, facts, operations, progress } = record;
  const view = reduceFacts(askedOf(request), facts);
  const providerReference = carryingReference(view, particulars);
  const isWaitingForPayer = view.status === 'requires_action';
  const { payerDeadline } = particulars.terms ?? {};
  return {
    paymentId: request.paymentId,
    connectionId: request.connectionId,
    merchantReference: request.merchantReference,
    ...(request.description !== undefined && { description: request.description }),
    captureMode: request.captureMode,
    status: view.status,
    amounts: view.amounts,
    ...(providerReference !== undefined && { providerReference }),
    ...(isWaitingForPayer && particulars.nextAction && { nextAction: particulars.nextAction }),
    ...(payerDeadline !== undefined && { payerDeadline }),
    ...(progress.captureBefore !== undefined && { captureBefore: progress.captureBefore }),
    ...(view.problem && { problem: view.problem }),
    flags: view.flags,
    ...(progress.attention && { attention: progress.attention }),
    ...(progress.unknownSince !== undefined && { unknownSince: progress.unknownSince }),
    operations,
    ...(progress.repairs && { repairs: progress.repairs }),
    ...(request.origin && { origin: request.origin }),
    ended: progress.ended,
    requestedAt: request.requestedAt,
  };
}
