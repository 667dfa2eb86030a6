/** What a creation says to Payconiq, and what its answer asks of the payer. Pure. */
import type { NextAction, PaymentRequest } from '../../domain/payment.js';
import { payconiqOptions, type CreateAnswer } from './wire.js';

/** The body of a creation. @see payconiq.txt L917-960, L6540-6600 */
export function buildCreate(
  request: PaymentRequest,
  callbackUrl: string | undefined,
): Record<string, unknown> {
  const options = request.options ? payconiqOptions.parse(request.options) : undefined;
  return {
    amount: Number(request.amount.minor),
    currency: request.amount.currency,
    callbackUrl,
    description: request.description,
    reference: request.merchantReference,
    bulkId: options?.bulkId,
    returnUrl: request.returnUrl,
  };
}

/** The hosted checkout page where a return URL was asked for, else the QR code to be shown. */
export function nextActionOf(
  request: Pick<PaymentRequest, 'returnUrl'>,
  created: Pick<CreateAnswer, 'paymentId' | '_links'> & { readonly payerDeadline: string },
): NextAction {
  const { checkout, deeplink, qrcode } = created._links ?? {};
  const content = deeplink?.href ?? `https://payconiq.com/pay/2/${created.paymentId}`;
  const common = {
    qrCode: { content, ...(qrcode && { imageUrl: qrcode.href }) },
    appLink: content,
    expiresAt: new Date(created.payerDeadline).toISOString(),
  };
  return request.returnUrl !== undefined && checkout
    ? { kind: 'redirect', url: checkout.href, ...common }
    : { kind: 'qr_code', ...common };
}
