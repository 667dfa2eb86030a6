import { ApiError } from './answer.js';
import type { Answer } from './answer.js';
import { subjectOf } from './api.js';
import type { Api, ApiRequest } from './api.js';
import type { Caller } from './authentication.js';
import type { Guard } from './guard.js';
import type { PaymentBook } from './payment-book.js';
import type { SandboxPayment } from './payment.js';
import type { RefundBook } from './refund-book.js';
import type { RefundStatus, SandboxRefund } from './refund.js';
import { iso } from './render.js';
import { readRefund } from './validation.js';
import type { RefundRequest } from './validation.js';

export interface RefundsApiOptions {
  readonly payments: Pick<PaymentBook, 'find'>;
  readonly refunds: RefundBook;
  readonly guard: Guard;
  readonly now: () => number;
  /** How long after a payment by the bank's app the consumer's IBAN is not available. */
  readonly bankAppIbanDelayMs: number;
}

/**
 * The Payment Refund Service, for signed requests.
 *
 * A key that made a refund is asked for before all else about the payment; a refused request leaves
 * its key unused. "Payment not found" is documented twice: creation answers the 422 that is its own,
 * the read the 404. What is not SUCCEEDED, or has been refunded whole, is REFUND_NOT_POSSIBLE.
 *
 * @see payconiq.txt L11199-11494, L14636-14931
 */
export function createRefundsApi(options: RefundsApiOptions): Api {
  const { payments, refunds } = options;
  /** By merchant and key, which a refund keeps for ever. */
  const made = new Map<string, string>();

  const repeated = (slot: string, asked: Asked): SandboxRefund | undefined => {
    const before = refunds.find(made.get(slot) ?? '');
    if (before === undefined || isSame(before, asked)) return before;
    const message = 'The request id is already used by a refund with different parameters';
    throw new ApiError('REFUND_REQUEST_CONFLICT', message);
  };

  const create = ({ owner }: Caller, request: ApiRequest, paymentId: string): Answer => {
    const asked = { ...readRefund(request), paymentId };
    const slot = JSON.stringify([owner, asked.idempotencyKey]);
    const before = repeated(slot, asked);
    if (before !== undefined) return { status: 201, body: render(before, 'PENDING') };
    const payment = payments.find(paymentId);
    if (payment?.owner !== owner) {
      throw new ApiError('PAYMENT_FOR_REFUND_NOT_FOUND', `Payment not found '${paymentId}'`);
    }
    checkRefundable(options, payment, asked.amount);
    const { amount, currency, description, idempotencyKey } = asked;
    const refund = refunds.create({ payment, amount, currency, description, idempotencyKey });
    made.set(slot, refund.refundId);
    return { status: 201, body: render(refund, 'PENDING') };
  };

  const get = ({ owner }: Caller, paymentId: string, refundId: string): Answer => {
    if (payments.find(paymentId)?.owner !== owner) {
      throw new ApiError('PAYMENT_NOT_FOUND', `Payment not found '${paymentId}'`);
    }
    const refund = refunds.find(refundId);
    if (refund?.paymentId === paymentId) {
      return { status: 200, body: render(refund, refund.status) };
    }
    throw new ApiError('REFUND_NOT_FOUND', `Refund not found '${refundId}'`);
  };

  return {
    route: (request) => {
      const [, paymentId, refundId] =
        /^\/v3\/payments\/([^/]+)\/refunds(?:\/([^/]+))?$/.exec(request.path) ?? [];
      if (paymentId === undefined) return undefined;
      const subject = subjectOf(payments.find(paymentId));
      const signed = { subject, request, isSignedOnly: true } as const;
      const asks = `${request.method} ${refundId === undefined ? 'refunds' : 'refund'}`;
      if (asks === 'POST refunds') {
        const handle = (caller: Caller): Answer => create(caller, request, paymentId);
        return options.guard({ ...signed, operation: 'refund', handle });
      }
      if (asks !== 'GET refund') return undefined;
      const handle = (caller: Caller): Answer => get(caller, paymentId, refundId ?? '');
      return options.guard({ ...signed, operation: 'get_refund', handle });
    },
  };
}

type Asked = RefundRequest & { readonly paymentId: string };

function isSame(refund: SandboxRefund, asked: Asked): boolean {
  const parameters = ['paymentId', 'amount', 'currency', 'description'] as const;
  return parameters.every((name) => refund[name] === asked[name]);
}

/** @throws ApiError with the code of what stands in the way */
function checkRefundable(
  { refunds, now, bankAppIbanDelayMs }: RefundsApiOptions,
  payment: SandboxPayment,
  amount: number,
): void {
  const { paymentId, succeededAt, status, app } = payment;
  const refusal = refunds.refusalOf(paymentId);
  if (refusal !== undefined) throw new ApiError(refusal, `No refund of payment '${paymentId}'`);
  const left = refunds.leftOf(payment);
  if (status !== 'SUCCEEDED' || succeededAt === undefined || left === 0) {
    throw new ApiError('REFUND_NOT_POSSIBLE', `No refund of payment '${paymentId}' is possible`);
  }
  if (app === 'bancontact' && now() < succeededAt + bankAppIbanDelayMs) {
    throw new ApiError('DEBTOR_IBAN_NOT_AVAILABLE', 'The IBAN of the debtor is not available yet');
  }
  if (amount > left) throw new ApiError('INVALID_REFUND_AMOUNT', 'The refund amount is too high');
}

/** @see payconiq.txt L11297-11307 */
function render(refund: SandboxRefund, status: RefundStatus): object {
  const { refundId, paymentId, amount, currency, description, createdAt } = refund;
  return {
    refundId,
    paymentId,
    amount,
    currency,
    status,
    description,
    creationDate: iso(createdAt),
  };
}
