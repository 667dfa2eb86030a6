/** Which entries the ledger lacks of one payment. */
import { groupBy } from './collections.js';
import type { Fact, FactKind } from './facts.js';
import type { PaymentId } from './ids.js';
import type { Account, LedgerEntry, LedgerPhase } from './ledger.js';
import { addMoney, minorOf, money } from './money.js';
import { amountsByPart, countedFacts } from './reducer.js';
import type { RefundStatus } from './refund.js';

/** Kinds of facts that move money. */
const MOVING: readonly FactKind[] = [
  'authorized',
  'captured',
  'voided',
  'refunded',
  'refund_reversed',
];

export function movesMoney({ kind }: Fact): boolean {
  return MOVING.includes(kind);
}

/** A refund of ours, as far as the ledger wants it. */
export interface BookableRefund {
  readonly refundId: string;
  readonly status: RefundStatus;
  readonly amountMinor: string;
  readonly currency: string;
  /** The provider's ids of the refund and of the object refunded. */
  readonly providerReference?: string;
  readonly paymentReference?: string;
}

/** What the ledger has already: a sum of entries of one slot, phase and hold. */
export interface BookedSum {
  readonly slot: string;
  readonly phase: LedgerPhase;
  readonly hold?: string;
  readonly minor: string;
}

export interface Bookable {
  readonly paymentId: PaymentId;
  readonly currency: string;
  readonly facts: readonly Fact[];
  readonly refunds: readonly BookableRefund[];
  readonly booked: readonly BookedSum[];
}

/**
 * The entries that bring the ledger to what a payment's facts and refunds say. Pure; in whatever
 * order and batches those came, the balances are the same in the end.
 *
 * What is authorized is held until it is captured or voided; a refund of ours from when its amount
 * is set aside until the provider says that it went out, or it ended without. More may be captured
 * and voided than was held, when news contradict: then the hold is as large.
 */
export function planEntries({
  paymentId,
  currency,
  facts,
  refunds,
  booked,
}: Bookable): readonly LedgerEntry[] {
  const book = createBook({ paymentId, currency, booked });
  const ours = refunds.filter((refund) => refund.currency === currency);
  const byObject = groupBy(countedFacts(currency, facts), ({ object }) => object);
  const moved = [...byObject].map(([object, own]) => ({ object, facts: own, currency }));
  for (const object of moved) bookPaid(book, object);
  const gone = moved.flatMap((object) => bookRefunded(book, object, ours));
  for (const refund of ours) {
    if (gone.includes(refund) || hasEndedWithoutMoney(refund)) book.release(holdOf(refund));
    else if (isSetAside(refund)) book.hold(holdOf(refund), BigInt(refund.amountMinor));
  }
  return book.entries;
}

/** What is known of one object of the provider's. */
interface Moved {
  readonly object: string;
  readonly facts: readonly Fact[];
  readonly currency: string;
}

interface Sides {
  readonly debit: Account;
  readonly credit: Account;
}

const PAYMENT: Sides = { debit: 'payer', credit: 'provider_pending' };
const REFUND: Sides = { debit: 'provider_pending', credit: 'refunds' };
const REVERSAL: Sides = { debit: 'refunds', credit: 'provider_pending' };

interface Hold extends Sides {
  readonly hold: string;
}

/** A movement, with all that there is of it by now. */
interface Movement extends Sides {
  readonly slot: string;
  readonly total: bigint;
}

function bookPaid(book: Book, { object, facts, currency }: Moved): void {
  const sum = (kind: FactKind) =>
    minorOf(
      [...amountsByPart(facts, kind, currency).values()].reduce(addMoney, money(0, currency)),
    );
  const [authorized, captured, voided] = [sum('authorized'), sum('captured'), sum('voided')];
  const hold = { hold: slotOf('payment', object), ...PAYMENT };
  const consumed = captured + voided;
  book.holdInAll(hold, authorized > consumed ? authorized : consumed);
  book.postFrom(hold, { slot: slotOf('captured', object), ...PAYMENT, total: captured });
  book.releaseInAll(hold, voided);
}

/** Answers which of our refunds went out. */
function bookRefunded(
  book: Book,
  { object, facts, currency }: Moved,
  ours: readonly BookableRefund[],
): readonly BookableRefund[] {
  for (const [part, amount] of amountsByPart(facts, 'refund_reversed', currency)) {
    const slot = slotOf('refund_reversed', object, part);
    book.post({ slot, ...REVERSAL, total: minorOf(amount) });
  }
  return [...amountsByPart(facts, 'refunded', currency)].flatMap(([part, amount]) => {
    const slot = slotOf('refunded', object, part);
    const movement = { slot, ...REFUND, total: minorOf(amount) };
    const refund = ours.find((each) => isRefund(each, { object, part }));
    if (refund) book.postFrom(holdOf(refund), movement);
    else book.post(movement);
    return refund && movement.total > 0n ? [refund] : [];
  });
}

function holdOf({ refundId }: BookableRefund): Hold {
  return { hold: slotOf('refund', refundId), ...REFUND };
}

const UNRESERVED: readonly RefundStatus[] = ['requested', 'rejected'];

function isSetAside({ status }: BookableRefund): boolean {
  return !UNRESERVED.includes(status);
}

function hasEndedWithoutMoney({ status }: BookableRefund): boolean {
  return status === 'failed' || status === 'rejected';
}

function isRefund(
  { providerReference, paymentReference }: BookableRefund,
  { object, part }: { readonly object: string; readonly part: string },
): boolean {
  const isOfObject = paymentReference === undefined || paymentReference === object;
  return isOfObject && providerReference === part;
}

function slotOf(...names: readonly string[]): string {
  return names.map((name) => name.replace(/[%|]/g, encodeURIComponent)).join('|');
}

interface Book {
  readonly entries: readonly LedgerEntry[];
  /** Raises what was ever held to a total. */
  holdInAll(hold: Hold, total: bigint): void;
  /** Raises what is held now to an amount. */
  hold(hold: Hold, amount: bigint): void;
  /** Raises a movement to its total, out of a hold as far as that goes. */
  postFrom(hold: Hold, movement: Movement): void;
  post(movement: Movement): void;
  /** Raises what was ever released to a total. */
  releaseInAll(hold: Hold, total: bigint): void;
  /** Releases what is held now. */
  release(hold: Hold): void;
}

function createBook(of: Pick<Bookable, 'paymentId' | 'currency' | 'booked'>): Book {
  const entries: LedgerEntry[] = [];
  const bySlot = new Map<string, bigint>();
  const byHold = new Map<string, bigint>();
  const count = ({ slot, phase, hold, minor }: BookedSum) => {
    bySlot.set(slot, (bySlot.get(slot) ?? 0n) + BigInt(minor));
    if (hold === undefined) return;
    const change = phase === 'pending' ? BigInt(minor) : -BigInt(minor);
    byHold.set(hold, (byHold.get(hold) ?? 0n) + change);
  };
  of.booked.forEach(count);
  const summed = (slot: string) => bySlot.get(slot) ?? 0n;
  const held = ({ hold }: Hold) => byHold.get(hold) ?? 0n;
  const raise = (phase: LedgerPhase, movement: Movement & Partial<Hold>) => {
    const { slot, total, ...sides } = movement;
    const missing = total - summed(slot);
    if (missing <= 0n) return;
    const entryId = `${of.paymentId}|${slot}|${total}`;
    entries.push({ entryId, phase, slot, amount: money(missing, of.currency), ...sides });
    count({ slot, phase, minor: String(missing), ...pick(sides) });
  };
  const heldSlot = ({ hold }: Hold) => `held|${hold}`;
  const releasedSlot = ({ hold }: Hold) => `released|${hold}`;
  const holdInAll = (hold: Hold, total: bigint) =>
    raise('pending', { slot: heldSlot(hold), total, ...hold });
  const releaseInAll = (hold: Hold, total: bigint) =>
    raise('void', { slot: releasedSlot(hold), total, ...hold });
  return {
    entries,
    holdInAll,
    releaseInAll,
    hold: (hold, amount) => holdInAll(hold, summed(heldSlot(hold)) + amount - held(hold)),
    release: (hold) => releaseInAll(hold, summed(releasedSlot(hold)) + held(hold)),
    post: (movement) => raise('post', movement),
    postFrom(hold, movement) {
      const within = summed(movement.slot) + held(hold);
      const total = within < movement.total ? within : movement.total;
      raise('post', { ...movement, ...hold, total });
      raise('post', movement);
    },
  };
}

function pick({ hold }: { readonly hold?: string }): { readonly hold?: string } {
  return hold === undefined ? {} : { hold };
}
