import type { ResponseSignature } from './authentication.js';
import type { PrintedProduct } from './codes.js';
import type { Product } from './payment.js';
import type { PayoutMode } from './payout-book.js';
import type { DataDelay } from './payouts.js';
import type { RefundCourse } from './refund.js';

export interface PayconiqSandboxOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly apiKey?: string;
  /** Valid keys that lack authority: 403 ACCESS_DENIED. */
  readonly restrictedApiKeys?: readonly string[];
  /** Keys of another merchant, who sees none of this one's payments. */
  readonly otherMerchantApiKeys?: readonly string[];
  /** The profile's product, which decides the life of a payment. Default instore. */
  readonly product?: Product;
  /** In-store payments wait for acknowledgement once confirmed. Default false. */
  readonly voidSupport?: boolean;
  readonly profileId?: string;
  readonly merchantId?: string;
  readonly merchantName?: string;
  readonly merchantIban?: string;
  /**
   * The merchant's published keys, for signed requests: a key set, or the URL of one, which is
   * cached for 12 hours and not fetched earlier for a new key id, as documented.
   */
  readonly merchantKeys?: object | string;
  /** Default when_signed. */
  readonly responseSignature?: ResponseSignature;
  /**
   * Configured in the profile: where callbacks go when nobody named a callbackUrl, so those of
   * printed codes too. Can be changed while running. Default none.
   */
  readonly profileCallbackUrl?: string;
  /** What the profile's printed codes are sold as. Default invoice. */
  readonly printedProduct?: PrintedProduct;
  /**
   * Whether a printed code counts as already paid once a payment of its amount, reference and
   * description was made. Default true; never for a top-up.
   */
  readonly printedPayableOnce?: boolean;
  /** How long after a payment by the bank's app its consumer's IBAN is not available. Default 1 day. */
  readonly bankAppIbanDelayMs?: number;
  /** As in production: callbackUrl must be https. Default false. */
  readonly requireHttpsCallbacks?: boolean;
  /** `all`: IDENTIFIED and AUTHORIZED too. Default documented. */
  readonly callbackStatuses?: 'documented' | 'all';
  /** From the n-th attempt (from 1) to the next. Default 5 s, doubled each time, up to 1 h. */
  readonly callbackRetryIntervalMs?: (attempt: number) => number;
  /** Default 15 s, by the sandbox's clock. */
  readonly callbackAnswerTimeoutMs?: number;
  /** How long a new payment is not yet found by search. Default 0. */
  readonly searchDelayMs?: number;
  /**
   * How far refunds get by themselves: `processing` is paid to the consumer and never collected,
   * `pending` stays. Can be changed while running. Default refunded.
   */
  readonly refundCourse?: RefundCourse;
  /** How long a new refund stays PENDING, by the sandbox's clock. Default 2 s. */
  readonly refundDelayMs?: number;
  /** One payout for each bulk of a day, or one for each payment. Default bulk. */
  readonly payoutMode?: PayoutMode;
  /** Whether days are paid out by themselves, at midnight in Brussels. Default false. */
  readonly payoutsByClock?: boolean;
  /** When the reconciliation API tells of a day. Can be changed while running. Default documented. */
  readonly dataDelay?: DataDelay;
  /** Rows of a page of the reconciliation API. Default 10000, as documented. */
  readonly reconciliationPageSize?: number;
}

const HOUR_MS = 3_600_000;

const DEFAULTS = {
  host: '127.0.0.1',
  port: 0,
  apiKey: '5a2db0c5-0000-4000-8000-7061796d656e',
  restrictedApiKeys: [],
  otherMerchantApiKeys: [],
  product: 'instore',
  voidSupport: false,
  profileId: '5b71369f5832fd22658e0ef4',
  merchantId: '5b71369f5832fd09188e0915',
  merchantName: 'Merchant Name',
  merchantIban: 'NL47FRBK0293409698',
  merchantKeys: undefined,
  responseSignature: 'when_signed',
  profileCallbackUrl: undefined,
  printedProduct: 'invoice',
  printedPayableOnce: undefined,
  bankAppIbanDelayMs: 24 * HOUR_MS,
  requireHttpsCallbacks: false,
  callbackStatuses: 'documented',
  callbackRetryIntervalMs: (attempt: number) => Math.min(5_000 * 2 ** (attempt - 1), HOUR_MS),
  callbackAnswerTimeoutMs: 15_000,
  searchDelayMs: 0,
  refundCourse: 'refunded',
  refundDelayMs: 2_000,
  payoutMode: 'bulk',
  payoutsByClock: false,
  dataDelay: 'documented',
  reconciliationPageSize: 10_000,
} as const satisfies Record<keyof PayconiqSandboxOptions, unknown>;

type Defaultless = 'merchantKeys' | 'profileCallbackUrl' | 'printedPayableOnce';
export type SandboxSettings = Required<Omit<PayconiqSandboxOptions, Defaultless>> & {
  readonly [K in Defaultless]: PayconiqSandboxOptions[K] | undefined;
};

/**
 * @throws RangeError for what the provider does not offer together: void support without in-store
 *   payments, a top-up that is payable once
 */
export function resolveOptions(options: PayconiqSandboxOptions): SandboxSettings {
  const settings = { ...DEFAULTS, ...options };
  if (settings.voidSupport && settings.product !== 'instore') {
    throw new RangeError('void support exists for in-store payments only');
  }
  if (settings.printedPayableOnce === true && settings.printedProduct === 'top_up') {
    throw new RangeError('a top-up code can be paid many times');
  }
  return settings;
}
