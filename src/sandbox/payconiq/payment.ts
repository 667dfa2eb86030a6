/** @see payconiq.txt L689-701, L11985-12012 */
export const PAYMENT_STATUSES = [
  'PENDING',
  'IDENTIFIED',
  'AUTHORIZED',
  'AUTHORIZATION_FAILED',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'PENDING_MERCHANT_ACKNOWLEDGEMENT',
  'VOIDED',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** How a payer meets the payment; it decides its life and whether it can be voided. */
export type Product = 'instore' | 'online';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** @see payconiq.txt L881, L6499 */
export const LIFE_MS = {
  instore: 120 * SECOND_MS,
  online: 1_200 * SECOND_MS,
} as const satisfies Record<Product, number>;

/** From creation, not from confirmation. @see payconiq.txt L12205-12216 */
export const ACKNOWLEDGE_WITHIN_MS = 168 * HOUR_MS;

/** Where each status can go; a final one goes nowhere. */
export const TRANSITIONS = {
  PENDING: ['IDENTIFIED', 'CANCELLED', 'EXPIRED'],
  IDENTIFIED: ['AUTHORIZED', 'CANCELLED', 'EXPIRED', 'AUTHORIZATION_FAILED', 'FAILED'],
  AUTHORIZED: ['SUCCEEDED', 'PENDING_MERCHANT_ACKNOWLEDGEMENT', 'AUTHORIZATION_FAILED', 'FAILED'],
  PENDING_MERCHANT_ACKNOWLEDGEMENT: ['SUCCEEDED', 'VOIDED'],
  AUTHORIZATION_FAILED: [],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
  EXPIRED: [],
  VOIDED: [],
} as const satisfies Record<PaymentStatus, readonly PaymentStatus[]>;

export function isFinal(status: PaymentStatus): boolean {
  return TRANSITIONS[status].length === 0;
}

/** Payconiq's own, or Payconiq by Bancontact, the banks'. */
export type ConsumerApp = 'payconiq' | 'bancontact';

export interface Debtor {
  readonly name?: string;
  /** Masked but for the last five characters. */
  readonly iban?: string;
}

/** What a creation asks for, read and found in order. Lengths and limits hold. */
export interface PaymentRequest {
  readonly amount: number;
  readonly callbackUrl?: string;
  readonly currency?: string;
  readonly description?: string;
  readonly reference?: string;
  readonly bulkId?: string;
  readonly returnUrl?: string;
  readonly posId?: string;
  readonly shopId?: string;
  readonly shopName?: string;
  readonly country?: string;
  readonly paymentChannel?: string;
  readonly subMerchant?: Readonly<Record<string, string>>;
}

/** One payment at the provider's, as it stands. Times are milliseconds by the sandbox's clock. */
export interface SandboxPayment {
  readonly paymentId: string;
  /** The merchant that created it. */
  readonly owner: string;
  readonly product: Product;
  readonly request: PaymentRequest;
  readonly status: PaymentStatus;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly succeededAt?: number;
  /** Euro cents. */
  readonly amount: number;
  readonly tippingAmount: number;
  readonly totalAmount: number;
  readonly reference?: string;
  readonly debtor?: Debtor;
  /** What the printed code said that it began with. */
  readonly printedCode?: string;
  /** With which it was confirmed, where not Payconiq's own. */
  readonly app?: ConsumerApp;
  /** The consumer's words to the merchant. */
  readonly message?: string;
  readonly history: readonly { readonly at: number; readonly status: PaymentStatus }[];
}
