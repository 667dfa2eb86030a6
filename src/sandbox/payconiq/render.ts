import { sha256Hex } from '../../transport/digest.js';
import type { PaymentStatus, SandboxPayment } from './payment.js';

/** What the merchant's profile adds to every payment. */
export interface MerchantProfile {
  readonly profileId: string;
  readonly merchantId: string;
  readonly name: string;
  readonly iban: string;
}

export interface RenderContext {
  /** The sandbox's own base URL, without a trailing slash. */
  readonly baseUrl: string;
  readonly profile: MerchantProfile;
}

const CANCELLABLE: readonly PaymentStatus[] = ['PENDING', 'IDENTIFIED'];

/** @see payconiq.txt L986-1017 */
export function renderCreated(payment: SandboxPayment, context: RenderContext): object {
  const { request } = payment;
  return {
    paymentId: payment.paymentId,
    status: 'PENDING',
    createdAt: iso(payment.createdAt),
    expiresAt: iso(payment.expiresAt),
    description: request.description,
    reference: request.reference,
    amount: payment.amount,
    currency: 'EUR',
    creditor: creditorOf(payment, context),
    _links: { ...linksOf(payment, context), ...checkoutOf(payment) },
  };
}

/** @see payconiq.txt L1440-1480 */
export function renderDetails(payment: SandboxPayment, context: RenderContext): object {
  return {
    paymentId: payment.paymentId,
    ...timesOf(payment),
    currency: 'EUR',
    status: payment.status,
    creditor: creditorOf(payment, context),
    debtor: payment.debtor,
    ...amountsOf(payment),
    description: payment.request.description,
    message: payment.message,
    reference: payment.request.reference,
    bulkId: payment.request.bulkId,
    ...(payment.status === 'SUCCEEDED' && { endToEndId: endToEndId(payment) }),
    _links: linksOf(payment, context),
  };
}

/** As on the merchant's bank statement. @see payconiq.txt L15028-15032 */
export function endToEndId({ paymentId }: SandboxPayment): string {
  return sha256Hex(`end to end ${paymentId}`).slice(0, 24);
}

/** @see payconiq.txt L437-454 */
export function renderCallback(payment: SandboxPayment): object {
  const { amount, transferAmount, tippingAmount, totalAmount } = amountsOf(payment);
  return {
    paymentId: payment.paymentId,
    transferAmount,
    tippingAmount,
    amount,
    totalAmount,
    description: payment.request.description,
    ...timesOf(payment),
    status: payment.status,
    debtor: payment.debtor,
    currency: 'EUR',
    reference: payment.request.reference,
  };
}

/** Of every message that the provider posts. @see payconiq.txt L437-442, L738-746 */
export function callbackHeaders(signature: string | undefined): Record<string, string> {
  return {
    ...(signature === undefined ? {} : { signature }),
    'content-type': 'application/json',
    'user-agent': 'Payconiq Payments/v3',
  };
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

function timesOf({ createdAt, expiresAt, succeededAt }: SandboxPayment): object {
  return {
    createdAt: iso(createdAt),
    expireAt: iso(expiresAt),
    ...(succeededAt === undefined ? {} : { succeededAt: iso(succeededAt) }),
  };
}

/** transferAmount is what the consumer is charged: with a tip, both together. */
function amountsOf(payment: SandboxPayment) {
  const { amount, tippingAmount, totalAmount } = payment;
  return { amount, transferAmount: totalAmount, tippingAmount, totalAmount };
}

function creditorOf({ request }: SandboxPayment, { profile }: RenderContext): object {
  return { ...profile, callbackUrl: request.callbackUrl };
}

type Links = Readonly<Record<string, { readonly href: string }>>;

function linksOf(payment: SandboxPayment, { baseUrl }: RenderContext): Links {
  const self = `${baseUrl}/v3/payments/${payment.paymentId}`;
  const deeplink = `https://payconiq.com/pay/2/${payment.paymentId}`;
  const isCancellable = CANCELLABLE.includes(payment.status);
  return {
    self: { href: self },
    deeplink: { href: deeplink },
    qrcode: { href: `${baseUrl}/qrcode?c=${encodeURIComponent(deeplink)}` },
    ...(isCancellable ? { cancel: { href: self } } : {}),
    ...(payment.status === 'SUCCEEDED' ? { refund: { href: `${self}/debtor/refundIban` } } : {}),
  };
}

/** Only with a returnUrl. @see payconiq.txt L6587, L6640 */
function checkoutOf({ paymentId, product, request: { returnUrl } }: SandboxPayment): Links {
  if (product !== 'online' || returnUrl === undefined) return {};
  const token = sha256Hex(`checkout ${paymentId}`);
  const query = `token=${token}&returnUrl=${encodeURIComponent(returnUrl)}`;
  return { checkout: { href: `https://payconiq.com/pay/2/${paymentId}?${query}` } };
}
