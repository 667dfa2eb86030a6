import type { Payment } from './payment.js';
import type { PaymentRecord } from './record.js';
import { reduceFacts } from './reducer.js';

/** The payment as everybody sees it, derived from its record. */
export function paymentOf(record: PaymentRecord): Payment {
  const { request, particulars, facts, operations, progress } = record;
  const { amount } = request;
  const view = reduceFacts({ currency: amount.currency, amount }, facts);
  const providerReference = view.providerReferences[0] ?? particulars.providerReference;
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
    ended: progress.ended,
    requestedAt: request.requestedAt,
  };
}
