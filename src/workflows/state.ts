/** The state of one payment within its workflow. Views are derived; nothing is stored twice. */
import { mergeFacts, type Fact } from '../domain/facts.js';
import { operationKey, type OperationName } from '../domain/ids.js';
import type { Money } from '../domain/money.js';
import { isPositive, minorOf, money } from '../domain/money.js';
import type {
  Attention,
  DeadlinePolicy,
  OperationRecord,
  Payment,
  PaymentRequest,
  RepairRecord,
} from '../domain/payment.js';
import type { Outcome } from '../domain/outcome.js';
import type { Problem } from '../domain/problem.js';
import type { Particulars, PaymentRecord } from '../domain/record.js';
import { isDismissed } from '../domain/repairs.js';
import { reduceFacts, type PaymentStatus, type PaymentView } from '../domain/reducer.js';
import { askedOf, carryingReference, paymentOf } from '../domain/payment-view.js';
import { captureBeforeMs, planNext, type Situation, type Step } from './plan.js';
import type { CarriedPayment, OpenedValue, Wishes } from './contract.js';
import { nextRevision } from './revision.js';

export type Command = Exclude<OperationName, 'create'>;

export class PaymentState {
  readonly request: PaymentRequest;
  facts: readonly Fact[];
  operations: OperationRecord[];
  particulars: Particulars;
  wishes: Wishes;
  revision: number;
  refused: ReadonlySet<Command>;
  attention: Attention | undefined;
  unknownSince: string | undefined;
  hasEnded = false;
  hasAskedAtDeadline: boolean;
  knowsHoldTerms: boolean;
  repairs: readonly RepairRecord[];
  /** Money is or was held that nobody had asked for; whatever else came up since. */
  isUnexpected: boolean;
  /** Somebody said that there is news without proving it. */
  isHinted = false;
  readonly #marginMs: number;
  readonly #firstRevision: number;
  #viewed: { readonly facts: readonly Fact[]; readonly view: PaymentView } | undefined;

  constructor(carried: CarriedPayment, marginMs: number) {
    this.request = carried.request;
    this.facts = carried.facts;
    this.operations = [...carried.operations];
    this.particulars = carried.particulars;
    this.wishes = carried.wishes;
    this.revision = carried.revision;
    this.#firstRevision = carried.revision;
    this.refused = new Set(carried.refused);
    this.attention = carried.attention;
    this.unknownSince = carried.unknownSince;
    this.hasAskedAtDeadline = carried.hasAskedAtDeadline ?? false;
    this.knowsHoldTerms = carried.knowsHoldTerms ?? false;
    this.repairs = carried.repairs ?? [];
    this.isUnexpected =
      carried.isUnexpected ?? carried.attention?.reason === 'unexpected_authorization';
    this.#marginMs = marginMs;
  }

  /** Derived once for each set of facts: predicates ask for it at every turn. */
  get view(): PaymentView {
    if (this.#viewed?.facts !== this.facts) {
      const view = reduceFacts(askedOf(this.request), this.facts);
      this.#viewed = { facts: this.facts, view };
    }
    return this.#viewed.view;
  }

  get providerReference(): string | undefined {
    return carryingReference(this.view, this.particulars);
  }

  /** How it came into being; see `Situation`. */
  get origin(): Situation['origin'] {
    if (this.request.origin === 'adopted') return 'adopted';
    return this.facts.some(({ kind }) => kind === 'expected') ? 'expected' : 'asked';
  }

  /** The object to ask about: of a code that payers use again, the one that is in use. */
  get askedReference(): string | undefined {
    const hasMoney = isPositive(this.view.amounts.authorized);
    if (this.origin !== 'expected' || hasMoney) return this.providerReference;
    return this.view.openReferences[0];
  }

  /** A person has seen it as it is. */
  get wasDismissed(): boolean {
    return isDismissed(this.repairs, this.facts.length);
  }

  get #deadlinePolicy(): DeadlinePolicy {
    const { terms } = this.particulars;
    const policy =
      this.origin === 'adopted' ? terms?.unexpectedAuthorization : this.request.atDeadline;
    return policy ?? 'void';
  }

  get captureBeforeMs(): number | undefined {
    return captureBeforeMs({
      asked: this.request.captureBefore,
      providerLimit: this.particulars.terms?.captureDeadline,
      marginMs: this.#marginMs,
    });
  }

  nextStep(): Step {
    return planNext({
      view: this.view,
      captureMode: this.request.captureMode,
      origin: this.origin,
      deadlinePolicy: this.#deadlinePolicy,
      knowsHoldTerms: this.knowsHoldTerms,
      wishes: this.wishes,
      terms: this.particulars.terms,
      refused: this.refused,
      captureBeforeMs: this.captureBeforeMs,
      hasAskedAtDeadline: this.hasAskedAtDeadline,
      nowMs: Date.now(),
    });
  }

  /** The tip within what is authorized. */
  get tip(): Money | undefined {
    const tips = this.facts.flatMap(({ kind, tip }) => (kind === 'authorized' && tip ? [tip] : []));
    const total = tips.reduce((sum, tip) => sum + minorOf(tip), 0n);
    return total > 0n ? money(total, this.request.amount.currency) : undefined;
  }

  advance(): void {
    this.revision = nextRevision(this.revision, this.#firstRevision);
  }

  /** Takes in facts; says whether any was new. */
  learn(news: readonly Fact[]): boolean {
    const merged = mergeFacts(this.facts, news);
    const hasNews = merged !== this.facts;
    this.facts = merged;
    if (hasNews) this.advance();
    return hasNews;
  }

  learnOpened(value: OpenedValue): void {
    this.particulars = { ...this.particulars, ...value };
    this.advance();
  }

  lastOf(operation: OperationName): OperationRecord | undefined {
    return this.operations.findLast((each) => each.operation === operation);
  }

  /** The last attempt at an operation, if nobody knows yet what became of it. */
  unsettledOf(operation: OperationName): OperationRecord | undefined {
    const last = this.lastOf(operation);
    return last?.state === 'unknown' || last?.state === 'sent' ? last : undefined;
  }

  /** Writes the intent down: the operation and its key, before anything is sent. */
  intend(operation: OperationName, sequence: number, amount?: Money): OperationRecord {
    const { paymentId } = this.request;
    const intent: OperationRecord = {
      operation,
      sequence,
      key: operationKey({ paymentId, operation, sequence }),
      state: 'sent',
      ...(amount && { amount }),
      intendedAt: new Date().toISOString(),
    };
    this.#put(intent);
    return intent;
  }

  /** Notes what an attempt came to. `unknown` starts the clock that ends in attention. */
  note(intent: OperationRecord, outcome: Outcome<unknown>): void {
    const isSettled = outcome.kind !== 'unknown' && outcome.kind !== 'not_sent';
    const problem: Problem | undefined = 'problem' in outcome ? outcome.problem : undefined;
    this.#put({
      ...intent,
      state: outcome.kind,
      ...(isSettled && { settledAt: new Date().toISOString() }),
      ...(problem && { problem }),
    });
    this.unknownSince =
      outcome.kind === 'unknown' ? (this.unknownSince ?? intent.intendedAt) : undefined;
    if ('facts' in outcome) this.learn(outcome.facts);
  }

  /** An attempt that was proven to have done nothing, or that cannot be paid. */
  supersede(intent: OperationRecord): void {
    this.#put({ ...intent, state: 'superseded', settledAt: new Date().toISOString() });
    this.unknownSince = undefined;
  }

  /** An attempt whose own answer never came, when what has happened since tells what it did. */
  settleByFacts(operation: OperationName): void {
    const last = this.lastOf(operation);
    const proven = provenBy(this.view.status, operation);
    if (last?.state !== 'unknown' || !proven) return;
    const { problem: _answered, ...intent } = last;
    this.#put({ ...intent, state: proven, settledAt: new Date().toISOString() });
    this.unknownSince = undefined;
  }

  #put(record: OperationRecord): void {
    const at = this.operations.findIndex(
      ({ operation, sequence }) => operation === record.operation && sequence === record.sequence,
    );
    this.operations.splice(at < 0 ? this.operations.length : at, at < 0 ? 0 : 1, record);
    this.advance();
  }

  record(): PaymentRecord {
    const before = this.captureBeforeMs;
    return {
      request: this.request,
      particulars: this.particulars,
      facts: this.facts,
      operations: this.operations,
      progress: {
        revision: this.revision,
        ended: this.hasEnded,
        ...(before !== undefined && { captureBefore: new Date(before).toISOString() }),
        ...(this.attention && { attention: this.attention }),
        ...(this.unknownSince !== undefined && { unknownSince: this.unknownSince }),
        ...(this.repairs.length > 0 && { repairs: this.repairs }),
      },
    };
  }

  payment(): Payment {
    return paymentOf(this.record());
  }

  carried(): CarriedPayment {
    const { request, facts, operations, particulars, wishes, revision } = this;
    const { attention, unknownSince, hasAskedAtDeadline, knowsHoldTerms, repairs } = this;
    const { isUnexpected } = this;
    return {
      ...{ request, facts, operations, particulars, wishes, revision, hasAskedAtDeadline },
      ...{ knowsHoldTerms, repairs, isUnexpected },
      refused: [...this.refused],
      ...(attention && { attention }),
      ...(unknownSince !== undefined && { unknownSince }),
    };
  }
}

const RELEASED: readonly PaymentStatus[] = ['voided', 'canceled'];
const AIMS: Readonly<Record<Command, readonly PaymentStatus[]>> = {
  capture: ['captured'],
  void: RELEASED,
  cancel: RELEASED,
};
const UNPROVEN: Readonly<Record<Command, readonly PaymentStatus[]>> = {
  capture: ['authorized'],
  void: ['authorized'],
  cancel: ['created', 'requires_action', 'processing'],
};

/** What a payment's status proves of an operation that was sent; undefined where it proves nothing. */
function provenBy(
  status: PaymentStatus,
  operation: OperationName,
): 'succeeded' | 'superseded' | undefined {
  if (operation === 'create') return status === 'created' ? undefined : 'succeeded';
  if (UNPROVEN[operation].includes(status)) return undefined;
  return AIMS[operation].includes(status) ? 'succeeded' : 'superseded';
}
