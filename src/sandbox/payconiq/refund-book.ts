import { randomToken, sha256Hex } from '../../transport/digest.js';
import type { Scheduler } from './clock.js';
import type { LedgerKind, LedgerWriter } from './ledger.js';
import { SandboxStateError } from './payment-book.js';
import type { PaymentBook } from './payment-book.js';
import type { SandboxPayment } from './payment.js';
import { REFUND_TRANSITIONS } from './refund.js';
import type { RefundCourse, RefundRefusal, RefundStatus, SandboxRefund } from './refund.js';
import { createWaiting } from './waiting.js';

export interface RefundFilter {
  readonly paymentId?: string;
  readonly refundId?: string;
  readonly status?: RefundStatus;
}

/** The refunds of one merchant, and what the provider does with them. */
export interface SandboxRefunds {
  /** Oldest first, as they stand now. */
  list(): readonly SandboxRefund[];
  ofPayment(paymentId: string): readonly SandboxRefund[];
  find(refundId: string): SandboxRefund | undefined;
  /** Resolves with the newest that agrees, as soon as there is one. Rejects at the sandbox's end. */
  waitFor(filter: RefundFilter): Promise<SandboxRefund>;
  /**
   * Moves a refund on, to REFUNDED through PROCESSING.
   *
   * @throws SandboxStateError when there is none, or its status does not lead there
   */
  advance(refundId: string, status: Exclude<RefundStatus, 'PENDING'>): SandboxRefund;
  /**
   * REFUNDED → FAILED: the consumer's bank sent the money back. In no document.
   *
   * @throws SandboxStateError unless it is REFUNDED
   */
  reverse(refundId: string): SandboxRefund;
  /** How far refunds made from now on get by themselves. */
  course(next: RefundCourse): void;
  /** Takes no refund from now on; with a paymentId: none of that payment. */
  refuse(code: RefundRefusal, paymentId?: string): void;
  /** Takes refunds again; with a paymentId: of that payment. */
  accept(paymentId?: string): void;
  /**
   * A refund that nobody asked for through the API. It takes the same course as any other.
   *
   * @throws SandboxStateError where the payment is not SUCCEEDED, or has less left than that
   */
  makeAtPortal(paymentId: string, amount: number): SandboxRefund;
}

export interface NewRefund {
  readonly payment: SandboxPayment;
  readonly amount: number;
  readonly currency: string;
  readonly description: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface RefundBook extends SandboxRefunds {
  create(refund: NewRefund): SandboxRefund;
  /** Euro cents that are neither refunded nor on their way. */
  leftOf(payment: SandboxPayment): number;
  /** Why the provider takes no refund of this payment, where it does not. */
  refusalOf(paymentId: string): RefundRefusal | undefined;
  /** Called after a creation and after each change of status. */
  onChange(listener: (refund: SandboxRefund) => void): () => void;
  close(): void;
}

export interface RefundBookOptions {
  readonly clock: Scheduler;
  readonly ledger: LedgerWriter;
  readonly payments: Pick<PaymentBook, 'find'>;
  readonly course: RefundCourse;
  readonly delayMs: number;
}

/** What each course ends in; a pending refund stays where it is. */
const END_OF_COURSE = {
  refunded: 'REFUNDED',
  processing: 'PROCESSING',
  failed: 'FAILED',
  pending: undefined,
} as const satisfies Record<RefundCourse, RefundStatus | undefined>;

/** What moves when a refund enters a status. A failure of one that is PENDING moves nothing. */
const MOVEMENTS: Partial<Record<RefundStatus, LedgerKind>> = {
  PROCESSING: 'refunded',
  REFUNDED: 'refund_collected',
};

const EVERY_PAYMENT = '';

export function createRefundBook(options: RefundBookOptions): RefundBook {
  const { clock, ledger, payments } = options;
  const refunds = new Map<string, SandboxRefund>();
  const idsOfPayment = new Map<string, readonly string[]>();
  const listeners = new Set<(refund: SandboxRefund) => void>();
  const refusals = new Map<string, RefundRefusal>();
  let courseOfNew = options.course;

  const list = (): readonly SandboxRefund[] => [...refunds.values()];
  const ofPayment = (paymentId: string): readonly SandboxRefund[] =>
    (idsOfPayment.get(paymentId) ?? []).map(mustFind);
  const onChange: RefundBook['onChange'] = (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const waiting = createWaiting({ list, onChange });

  const mustFind = (refundId: string): SandboxRefund => {
    const refund = refunds.get(refundId);
    if (refund === undefined) throw new SandboxStateError(`no refund ${refundId}`);
    return refund;
  };

  const save = (refund: SandboxRefund): SandboxRefund => {
    refunds.set(refund.refundId, refund);
    listeners.forEach((listener) => listener(refund));
    return refund;
  };

  const record = (refund: SandboxRefund, kind: LedgerKind): void => {
    const { paymentId, reference, refundId, amount: amountMinor } = refund;
    ledger.append({ at: clock.now(), kind, paymentId, reference, refundId, amountMinor });
  };

  const enter = (before: SandboxRefund, status: RefundStatus): SandboxRefund => {
    const at = clock.now();
    const kind = before.status === 'REFUNDED' ? 'refund_reversed' : MOVEMENTS[status];
    if (kind !== undefined) record(before, kind);
    return save({
      ...before,
      status,
      history: [...before.history, { at, status }],
      ...(status === 'REFUNDED' && { refundedAt: at }),
    });
  };

  const advance: RefundBook['advance'] = (refundId, status) => {
    const refund = mustFind(refundId);
    if (refund.status === 'PENDING' && status === 'REFUNDED') enter(refund, 'PROCESSING');
    const before = mustFind(refundId);
    if (before.status === 'REFUNDED' || !leadsTo(before, status)) {
      throw new SandboxStateError(`refund ${refundId} is ${before.status}, not to be ${status}`);
    }
    return enter(before, status);
  };

  const advanceWhenDue = (refundId: string, status: 'PROCESSING' | 'REFUNDED' | 'FAILED'): void => {
    const { status: present } = mustFind(refundId);
    if (present === 'PENDING' || (present === 'PROCESSING' && status === 'REFUNDED')) {
      advance(refundId, status);
    }
  };

  const create = ({ payment, ...asked }: NewRefund): SandboxRefund => {
    const createdAt = clock.now();
    const { paymentId, reference } = payment;
    const refundId = sha256Hex(randomToken(16)).slice(0, 24);
    idsOfPayment.set(paymentId, [...(idsOfPayment.get(paymentId) ?? []), refundId]);
    const refund = save({
      refundId,
      paymentId,
      reference,
      ...asked,
      status: 'PENDING',
      createdAt,
      history: [{ at: createdAt, status: 'PENDING' }],
    });
    const end = END_OF_COURSE[courseOfNew];
    if (end !== undefined) {
      clock.at(createdAt + options.delayMs, () => advanceWhenDue(refundId, end));
    }
    return refund;
  };

  const leftOf = ({ paymentId, totalAmount }: SandboxPayment): number =>
    ofPayment(paymentId)
      .filter(({ status }) => status !== 'FAILED')
      .reduce((left, { amount }) => left - amount, totalAmount);

  const makeAtPortal = (paymentId: string, amount: number): SandboxRefund => {
    const payment = payments.find(paymentId);
    if (payment?.status !== 'SUCCEEDED') throw new SandboxStateError(`${paymentId} is not paid`);
    if (!Number.isInteger(amount) || amount < 1 || amount > leftOf(payment)) {
      throw new SandboxStateError(`a refund of ${amount} is not possible`);
    }
    const nobody = { description: undefined, idempotencyKey: undefined };
    return create({ payment, amount, currency: 'EUR', ...nobody });
  };

  /** What a test asks for is done with all that is due by now. */
  const settled =
    <T extends unknown[], R>(act: (...rest: T) => R): ((...rest: T) => R) =>
    (...rest) => {
      clock.settle();
      return act(...rest);
    };

  return {
    list: settled(list),
    ofPayment: settled(ofPayment),
    find: settled((refundId: string) => refunds.get(refundId)),
    waitFor: (filter) => waiting.wait((refund) => agrees(filter, refund)),
    advance: settled(advance),
    reverse: settled((refundId: string) => {
      const refund = mustFind(refundId);
      if (refund.status === 'REFUNDED') return enter(refund, 'FAILED');
      throw new SandboxStateError(`refund ${refundId} is ${refund.status}, not to be sent back`);
    }),
    course: (next) => void (courseOfNew = next),
    refuse: (code, paymentId = EVERY_PAYMENT) => void refusals.set(paymentId, code),
    accept: (paymentId = EVERY_PAYMENT) => void refusals.delete(paymentId),
    makeAtPortal: settled(makeAtPortal),
    create,
    leftOf,
    refusalOf: (paymentId) => refusals.get(EVERY_PAYMENT) ?? refusals.get(paymentId),
    onChange,
    close: waiting.close,
  };
}

function leadsTo({ status: present }: SandboxRefund, status: RefundStatus): boolean {
  return (REFUND_TRANSITIONS[present] as readonly RefundStatus[]).includes(status);
}

function agrees(filter: RefundFilter, refund: SandboxRefund): boolean {
  const names = Object.keys(filter) as (keyof RefundFilter)[];
  return names.every((name) => filter[name] === undefined || filter[name] === refund[name]);
}
