/** The state of one refund within its workflow: the refund as everybody sees it, and its changes. */
import { fact, type Fact, type FactSource } from '../domain/facts.js';
import { refundKey } from '../domain/ids.js';
import type { OperationRecord } from '../domain/payment.js';
import { isDefinitive, type Outcome } from '../domain/outcome.js';
import type { Problem } from '../domain/problem.js';
import {
  isPaid,
  type Refund,
  type RefundAttentionReason,
  type RefundRecord,
  type RefundRepair,
  type RefundRepairCommand,
  type RefundRequest,
  type RefundStanding,
  type RefundTerms,
} from '../domain/refund.js';
import type { RefundOpenedValue, StoredRefund } from './contract.js';
import { nextRevision } from './revision.js';

type Attempt = OperationRecord<'refund'>;

/** How far it has come at the provider; an earlier standing told later changes nothing. */
const PROGRESS = { pending: 1, processing: 2, succeeded: 3, failed: 4 } as const satisfies Record<
  RefundStanding,
  number
>;

const FAILED_AT_PROVIDER: Problem = {
  code: 'declined_by_provider',
  message: 'the provider could not carry the refund out; no money has moved',
};

export class RefundState {
  request: RefundRequest;
  refund: Refund;
  terms: RefundTerms | undefined;
  revision: number;
  /** It is not wanted any more, if nothing has been sent. */
  isCancelled = false;
  /** Somebody said that there is news. */
  isHinted = false;
  #firstRevision: number;
  #source: FactSource = 'query';

  constructor({ request, refund, terms, revision }: StoredRefund) {
    this.request = request;
    this.refund = refund;
    this.terms = terms;
    this.revision = revision;
    this.#firstRevision = revision;
  }

  /**
   * Goes on from what the store has of it: an earlier run, which this history knows nothing of, may
   * have asked for it in other words, sent it, and recorded it.
   */
  goOnFrom({ request, refund, terms, revision }: StoredRefund): void {
    this.request = request;
    this.terms = terms;
    this.revision = Math.max(revision, this.revision);
    this.#firstRevision = revision;
    this.change(refund);
  }

  /** Set aside, and nobody knows yet that the provider has taken or refused it. */
  get isToBeSent(): boolean {
    const { status } = this.refund;
    return status === 'reserved' || status === 'unknown';
  }

  change(changes: Partial<Refund>): void {
    this.refund = { ...this.refund, ...changes };
    this.revision = nextRevision(this.revision, this.#firstRevision);
  }

  intend(sequence: number): Attempt {
    const intent: Attempt = {
      operation: 'refund',
      sequence,
      key: refundKey(this.request.refundId, sequence),
      state: 'sent',
      ...(this.refund.amount && { amount: this.refund.amount }),
      intendedAt: new Date().toISOString(),
    };
    this.change({ operation: intent, status: 'unknown' });
    return intent;
  }

  /** Takes in what an attempt came to. `unknown` starts the clock that ends in attention. */
  note(intent: Attempt, outcome: Outcome<RefundOpenedValue>): void {
    const isSettled = outcome.kind !== 'unknown' && outcome.kind !== 'not_sent';
    const problem = 'problem' in outcome ? outcome.problem : undefined;
    const operation: Attempt = {
      ...intent,
      state: outcome.kind,
      ...(isSettled && { settledAt: new Date().toISOString() }),
      ...(problem && { problem }),
    };
    this.change({ operation });
    if ('value' in outcome) this.#opened(outcome.value);
    // A person has said meanwhile how it stands: only the provider's own word is better.
    else if (!this.isToBeSent) return;
    else if (outcome.kind === 'unknown') this.#becomeUnknown(intent);
    else if (isDefinitive('refund', outcome)) this.fail(outcome.problem);
    else this.#becomeUnsent(outcome.problem);
  }

  #becomeUnknown({ intendedAt }: Attempt): void {
    this.change({ status: 'unknown', unknownSince: this.refund.unknownSince ?? intendedAt });
  }

  /** Proven not to have been sent, so the amount is only set aside. */
  #becomeUnsent(problem: Problem): void {
    this.refund = without(this.refund, 'unknownSince');
    this.change({ status: 'reserved', problem });
  }

  #opened({ providerReference, standing }: RefundOpenedValue): void {
    this.refund = without(this.refund, 'unknownSince', 'problem');
    this.change({ providerReference, status: 'pending' });
    this.stand(standing);
  }

  /** An attempt that was proven to have done nothing. */
  supersede(intent: Attempt): void {
    this.refund = without(this.refund, 'unknownSince');
    const settledAt = new Date().toISOString();
    this.change({ operation: { ...intent, state: 'superseded', settledAt }, status: 'reserved' });
  }

  /** No money has moved, and none will. */
  fail(problem: Problem): void {
    this.refund = without(this.refund, 'unknownSince');
    this.change({ status: 'failed', problem });
  }

  /** Takes in how it stands at the provider. What the payer had, and has no more, came back. */
  stand(standing: RefundStanding): void {
    const { status } = this.refund;
    if (status === 'reversed') return;
    if (isPaid(status) && standing === 'failed') {
      this.change({ status: 'reversed' });
      return;
    }
    const known = status in PROGRESS ? PROGRESS[status as RefundStanding] : 0;
    if (PROGRESS[standing] <= known) return;
    if (standing === 'failed') this.fail(FAILED_AT_PROVIDER);
    else this.change({ status: standing });
  }

  /** How it stands by a person's evidence, whatever was known before. */
  state(stated: Extract<RefundRepair, { kind: 'state' }>): void {
    const { status, providerReference } = stated;
    this.refund = without(this.refund, 'unknownSince', 'problem');
    this.#source = 'person';
    this.change({ status, ...(providerReference !== undefined && { providerReference }) });
  }

  /** True when the reason is new. */
  needAttention(reason: RefundAttentionReason): boolean {
    if (this.refund.attention?.reason === reason) return false;
    this.change({ attention: { reason, since: new Date().toISOString() } });
    return true;
  }

  clearAttention(): void {
    this.refund = without(this.refund, 'attention');
    this.change({});
  }

  repaired(command: RefundRepairCommand): void {
    const { repairs = [] } = this.refund;
    this.change({ repairs: [...repairs, { ...command, at: new Date().toISOString() }] });
  }

  record(): RefundRecord {
    return { refund: this.refund, facts: this.#facts(), revision: this.revision };
  }

  /** What it says of its payment: once the payer has the money, captured money has gone back. */
  #facts(): readonly Fact[] {
    const { status, paymentReference: object, providerReference: part, amount } = this.refund;
    if (!isPaid(status) || object === undefined || part === undefined || !amount) return [];
    const stated = { object, part, amount, occurredAt: new Date().toISOString() } as const;
    const source = this.#source;
    const gone = fact({ kind: 'refunded', ...stated, source });
    return status === 'reversed'
      ? [gone, fact({ kind: 'refund_reversed', ...stated, source })]
      : [gone];
  }
}

function without<Name extends keyof Refund>(refund: Refund, ...names: readonly Name[]): Refund {
  const kept = Object.entries(refund).filter(([name]) => !names.includes(name as Name));
  return Object.fromEntries(kept) as unknown as Refund;
}
