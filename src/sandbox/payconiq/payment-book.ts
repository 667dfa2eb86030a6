import { randomToken, sha256Hex } from '../../transport/digest.js';
import type { Scheduler } from './clock.js';
import type { LedgerKind, LedgerWriter } from './ledger.js';
import { ACKNOWLEDGE_WITHIN_MS, LIFE_MS, TRANSITIONS } from './payment.js';
import type {
  ConsumerApp,
  Debtor,
  PaymentRequest,
  PaymentStatus,
  Product,
  SandboxPayment,
} from './payment.js';

const MAX_AMOUNT = 999_999;

/** The asked act is impossible in the payment's present status, or there is no such payment. */
export class SandboxStateError extends Error {
  override readonly name = 'SandboxStateError';
}

export interface ScanOptions {
  /** Who the consumer is; as much of it as is given. Always the same person, unless named. */
  readonly debtor?: Debtor;
}

export interface ConfirmOptions {
  /** Euro cents, added to the amount. */
  readonly tip?: number;
  /** The consumer's words to the merchant. */
  readonly message?: string;
  /** `bank`: stop at AUTHORIZED, until `settleAtBank` or `failAtBank`. */
  readonly stopAt?: 'bank';
  /** Of the consumer. The bank's app makes the IBAN known a day or two later. Default payconiq. */
  readonly app?: ConsumerApp;
}

/** What the person with the app does. Each act throws SandboxStateError where it is impossible. */
export interface SandboxConsumer {
  /** PENDING → IDENTIFIED. */
  scan(paymentId: string, options?: ScanOptions): SandboxPayment;
  /** Scans the newest open payment of a printed sticker. */
  scanSticker(posId: string): SandboxPayment;
  /** IDENTIFIED → AUTHORIZED → SUCCEEDED, or PENDING_MERCHANT_ACKNOWLEDGEMENT with void support. */
  confirm(paymentId: string, options?: ConfirmOptions): SandboxPayment;
  /** Scan and confirm. */
  pay(paymentId: string, options?: ScanOptions & ConfirmOptions): SandboxPayment;
  /** PENDING or IDENTIFIED → CANCELLED. */
  cancel(paymentId: string): SandboxPayment;
  /** Ends what `confirm` left at AUTHORIZED. */
  settleAtBank(paymentId: string): SandboxPayment;
  /** The bank refuses: → AUTHORIZATION_FAILED. */
  failAtBank(paymentId: string): SandboxPayment;
  /** Consumer or merchant is wrongly set up: → FAILED. */
  fail(paymentId: string): SandboxPayment;
}

export interface NewPayment {
  readonly owner: string;
  readonly product: Product;
  readonly request: PaymentRequest;
  /** Of a payment that began with the scan of a printed code. */
  readonly printedCode?: string;
}

export interface PaymentBook {
  create(payment: NewPayment): SandboxPayment;
  find(paymentId: string): SandboxPayment | undefined;
  /** Oldest first. */
  list(): readonly SandboxPayment[];
  /** @throws SandboxStateError when the payment's status does not lead there */
  move(paymentId: string, status: PaymentStatus): SandboxPayment;
  /** Called after a creation and after each change of status. */
  onChange(listener: (payment: SandboxPayment) => void | Promise<void>): () => void;
  readonly consumer: SandboxConsumer;
}

export interface PaymentBookOptions {
  readonly clock: Scheduler;
  readonly ledger: LedgerWriter;
  readonly voidSupport: boolean;
}

const MOVEMENTS: Partial<Record<PaymentStatus, LedgerKind>> = {
  SUCCEEDED: 'paid_out',
  VOIDED: 'credited_back',
};
/** @see payconiq.txt L448-451 */
const SAMPLE_DEBTOR: Debtor = { name: 'John', iban: '*************12636' };
const CONFIRMED: readonly PaymentStatus[] = ['SUCCEEDED', 'PENDING_MERCHANT_ACKNOWLEDGEMENT'];

export function createPaymentBook(options: PaymentBookOptions): PaymentBook {
  const { clock, ledger } = options;
  const payments = new Map<string, SandboxPayment>();
  const listeners = new Set<(payment: SandboxPayment) => void | Promise<void>>();

  const announce = async (payment: SandboxPayment): Promise<void> => {
    await Promise.all([...listeners].map(async (listener) => listener(payment)));
  };

  const mustFind = (paymentId: string): SandboxPayment => {
    const payment = payments.get(paymentId);
    if (payment === undefined) throw new SandboxStateError(`no payment ${paymentId}`);
    return payment;
  };

  const change = (payment: SandboxPayment, changes: Partial<SandboxPayment>): SandboxPayment => {
    const changed = { ...payment, ...changes };
    payments.set(payment.paymentId, changed);
    return changed;
  };

  const record = (payment: SandboxPayment, kind: LedgerKind): void => {
    const { paymentId, reference, totalAmount: amountMinor } = payment;
    ledger.append({ at: clock.now(), kind, paymentId, reference, amountMinor });
  };

  const enter = (before: SandboxPayment, status: PaymentStatus): Promise<void> => {
    const at = clock.now();
    const after = change(before, {
      status,
      history: [...before.history, { at, status }],
      ...(status === 'SUCCEEDED' ? { succeededAt: at } : {}),
    });
    if (before.status === 'AUTHORIZED' && CONFIRMED.includes(status)) record(after, 'debited');
    const movement = MOVEMENTS[status];
    if (movement !== undefined) record(after, movement);
    if (status === 'PENDING_MERCHANT_ACKNOWLEDGEMENT') scheduleVoid(after);
    return announce(after);
  };

  const leadsTo = (payment: SandboxPayment, status: PaymentStatus): boolean =>
    (TRANSITIONS[payment.status] as readonly PaymentStatus[]).includes(status);

  const move = (paymentId: string, status: PaymentStatus): SandboxPayment => {
    const payment = mustFind(paymentId);
    if (!leadsTo(payment, status)) {
      throw new SandboxStateError(`payment ${paymentId} is ${payment.status}, not to be ${status}`);
    }
    void enter(payment, status);
    return mustFind(paymentId);
  };

  const moveWhenDue = (paymentId: string, status: PaymentStatus): Promise<void> | void => {
    const payment = mustFind(paymentId);
    if (leadsTo(payment, status)) return enter(payment, status);
  };

  const scheduleVoid = ({ paymentId, createdAt }: SandboxPayment): void => {
    const dueAt = createdAt + ACKNOWLEDGE_WITHIN_MS;
    clock.at(dueAt, () => moveWhenDue(paymentId, 'VOIDED'));
  };

  const create = ({ owner, product, request, printedCode }: NewPayment): SandboxPayment => {
    const createdAt = clock.now();
    const payment: SandboxPayment = {
      paymentId: sha256Hex(randomToken(16)).slice(0, 24),
      owner,
      product,
      request,
      status: 'PENDING',
      createdAt,
      expiresAt: createdAt + LIFE_MS[product],
      amount: request.amount,
      tippingAmount: 0,
      totalAmount: request.amount,
      ...(request.reference === undefined ? {} : { reference: request.reference }),
      ...(printedCode === undefined ? {} : { printedCode }),
      history: [{ at: createdAt, status: 'PENDING' }],
    };
    payments.set(payment.paymentId, payment);
    clock.at(payment.expiresAt, () => moveWhenDue(payment.paymentId, 'EXPIRED'));
    void announce(payment);
    return payment;
  };

  const act = <T extends unknown[]>(
    perform: (paymentId: string, ...rest: T) => SandboxPayment,
  ): ((paymentId: string, ...rest: T) => SandboxPayment) => {
    return (paymentId, ...rest) => {
      clock.settle();
      return perform(paymentId, ...rest);
    };
  };

  const scan = act((paymentId, { debtor = SAMPLE_DEBTOR }: ScanOptions = {}) => {
    const payment = mustFind(paymentId);
    if (payment.status === 'PENDING') change(payment, { debtor });
    return move(paymentId, 'IDENTIFIED');
  });

  const scanSticker = (posId: string): SandboxPayment => {
    clock.settle();
    const open = [...payments.values()].findLast(
      ({ request, status }) => request.posId === posId && status === 'PENDING',
    );
    if (open === undefined) throw new SandboxStateError(`no open payment at ${posId}`);
    return scan(open.paymentId);
  };

  const settleAtBank = act((paymentId) => {
    const isVoidable = options.voidSupport && mustFind(paymentId).product === 'instore';
    return move(paymentId, isVoidable ? 'PENDING_MERCHANT_ACKNOWLEDGEMENT' : 'SUCCEEDED');
  });

  const confirm = act((paymentId, { tip = 0, message, stopAt, app }: ConfirmOptions = {}) => {
    const payment = mustFind(paymentId);
    const totalAmount = payment.amount + tip;
    if (!Number.isInteger(tip) || tip < 0 || totalAmount > MAX_AMOUNT) {
      throw new SandboxStateError(`a tip of ${tip} is not possible`);
    }
    if (leadsTo(payment, 'AUTHORIZED')) {
      change(payment, {
        tippingAmount: tip,
        totalAmount,
        ...(message === undefined ? {} : { message }),
        ...(app === undefined ? {} : { app }),
      });
    }
    const authorized = move(paymentId, 'AUTHORIZED');
    return stopAt === 'bank' ? authorized : settleAtBank(paymentId);
  });

  const pay = act((paymentId, options: ScanOptions & ConfirmOptions = {}) => {
    scan(paymentId, options);
    return confirm(paymentId, options);
  });

  const failWith = (status: 'AUTHORIZATION_FAILED' | 'FAILED') =>
    act((paymentId) => {
      if (mustFind(paymentId).status === 'PENDING') scan(paymentId);
      return move(paymentId, status);
    });

  return {
    create,
    find: (paymentId) => payments.get(paymentId),
    list: () => [...payments.values()],
    move,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    consumer: {
      scan,
      scanSticker,
      confirm,
      pay,
      cancel: act((paymentId) => move(paymentId, 'CANCELLED')),
      settleAtBank,
      failAtBank: failWith('AUTHORIZATION_FAILED'),
      fail: failWith('FAILED'),
    },
  };
}
