import { groupBy } from './collections.js';
import type { Fact, FactKind } from './facts.js';
import { addMoney, compareMoney, isPositive, money, subtractMoney, type Money } from './money.js';
import type { Problem } from './problem.js';

export const PAYMENT_STATUSES = [
  'created',
  'requires_action',
  'processing',
  'authorized',
  'captured',
  'voided',
  'expired',
  'canceled',
  'declined',
  'rejected',
  'not_started',
  'verified',
] as const;

export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** Sums over all objects of the payment, in the payment's currency. */
export interface Amounts {
  /** Absent while the payer chooses the amount. */
  readonly requested?: Money;
  readonly authorized: Money;
  readonly captured: Money;
  readonly voided: Money;
  /** Less what came back of it. */
  readonly refunded: Money;
}

/** What one object of the provider's holds and moved, in the payment's currency. */
export interface ObjectAmounts {
  readonly reference: string;
  readonly authorized: Money;
  readonly captured: Money;
  readonly voided: Money;
  /** All that went back to the payer. */
  readonly refunded: Money;
  /** Of `refunded`, what returned to us. */
  readonly reversed: Money;
}

/** What does not add up. Each needs a person's eye; none changes what was counted. */
export type Flag =
  /** An object is said to have ended both with and without money, or more went than was held. */
  | 'contradiction'
  /** One event was reported with different amounts. The larger one is counted. */
  | 'amount_conflict'
  /** The payer authorized something else than we asked for, not explained by a tip. */
  | 'amount_differs'
  /** Money in another currency than the payment's. It is not counted. */
  | 'currency_differs'
  /** More than one object of this payment carries money. */
  | 'paid_twice'
  /** More went back to the payer than was captured. */
  | 'over_refunded';

/** What a set of facts amounts to. */
export interface PaymentView {
  readonly status: PaymentStatus;
  readonly amounts: Amounts;
  readonly flags: readonly Flag[];
  /** Why the payment ended without money. */
  readonly problem?: Problem;
  /** The provider's ids of this payment's objects: those with money first, then by name. */
  readonly providerReferences: readonly string[];
  /** Those of them that have not ended and hold no money, by name. */
  readonly openReferences: readonly string[];
  /** The amounts of those with money, in the order of `providerReferences`. */
  readonly objects: readonly ObjectAmounts[];
}

interface ObjectState extends ObjectAmounts {
  readonly kinds: ReadonlySet<FactKind>;
  readonly tip: Money;
}

/**
 * Derives status and amounts from facts. Pure, idempotent and commutative: the same set of facts
 * gives the same view however often and in whatever order they came.
 *
 * @param asked the payment's currency, and its amount unless the payer chooses it.
 */
export function reduceFacts(
  asked: { readonly currency: string; readonly amount?: Money | undefined },
  facts: readonly Fact[],
): PaymentView {
  const { currency } = asked;
  const counted = countedFacts(currency, facts);
  const objects = objectStates(counted, currency);
  const amounts = sumAmounts(objects, currency, asked.amount);
  const status = deriveStatus(objects, amounts);
  const problem = endingProblem(status, counted);
  const atProvider = objects.filter(isAtProvider).sort(byMoneyThenName);
  return {
    status,
    amounts,
    flags: deriveFlags({ facts, counted, objects, requested: asked.amount }),
    ...(problem && { problem }),
    providerReferences: atProvider.map(({ reference }) => reference),
    openReferences: objects
      .filter((object) => isAtProvider(object) && isLive(object) && !isPositive(object.authorized))
      .map(({ reference }) => reference)
      .sort(),
    objects: atProvider.filter(({ authorized }) => isPositive(authorized)).map(amountsOf),
  };
}

/** The facts that count: those in the payment's currency. */
export function countedFacts(currency: string, facts: readonly Fact[]): readonly Fact[] {
  return facts.filter((each) => isIn(currency, each.amount) && isIn(currency, positive(each.tip)));
}

function amountsOf({ kinds: _kinds, tip: _tip, ...amounts }: ObjectState): ObjectAmounts {
  return amounts;
}

/** What has gone back to the payer and stayed there. */
export function netRefunded({ refunded, reversed }: ObjectAmounts): Money {
  return compareMoney(reversed, refunded) > 0
    ? money(0, refunded.currency)
    : subtractMoney(refunded, reversed);
}

function isIn(currency: string, amount: Money | undefined): boolean {
  return !amount || amount.currency === currency;
}

/** No tip is none in any currency. */
function positive(tip: Money | undefined): Money | undefined {
  return tip && isPositive(tip) ? tip : undefined;
}

function objectStates(facts: readonly Fact[], currency: string): ObjectState[] {
  const byObject = groupBy(facts, ({ object }) => object);
  return [...byObject].map(([reference, own]) => objectState(reference, own, currency));
}

function objectState(reference: string, facts: readonly Fact[], currency: string): ObjectState {
  const sum = (kind: FactKind) => sumOfParts(facts, kind, currency);
  const captured = sum('captured');
  const voided = sum('voided');
  return {
    reference,
    kinds: new Set(facts.map(({ kind }) => kind)),
    authorized: largest([sum('authorized'), captured, voided], currency),
    captured,
    voided,
    refunded: sum('refunded'),
    reversed: sum('refund_reversed'),
    tip: largest(
      facts.flatMap(({ tip }) => positive(tip) ?? []),
      currency,
    ),
  };
}

function sumOfParts(facts: readonly Fact[], kind: FactKind, currency: string): Money {
  return [...amountsByPart(facts, kind, currency).values()].reduce(addMoney, money(0, currency));
}

/**
 * The movements of one kind on one object, by their part (`''` where it has none). One that was
 * reported with several amounts counts the largest.
 */
export function amountsByPart(
  facts: readonly Fact[],
  kind: FactKind,
  currency: string,
): ReadonlyMap<string, Money> {
  const ofKind = facts.filter((candidate) => candidate.kind === kind);
  const byPart = groupBy(ofKind, ({ part }) => part ?? '');
  return new Map(
    [...byPart].map(([part, reports]) => {
      const amounts = reports.flatMap(({ amount }) => amount ?? []);
      return [part, largest(amounts, currency)];
    }),
  );
}

function largest(amounts: readonly Money[], currency: string): Money {
  return amounts.reduce((a, b) => (compareMoney(a, b) >= 0 ? a : b), money(0, currency));
}

function sumAmounts(
  objects: readonly ObjectState[],
  currency: string,
  requested: Money | undefined,
): Amounts {
  const total = (pick: (object: ObjectState) => Money) =>
    objects.map(pick).reduce(addMoney, money(0, currency));
  return {
    ...(requested && { requested }),
    authorized: total(({ authorized }) => authorized),
    captured: total(({ captured }) => captured),
    voided: total(({ voided }) => voided),
    refunded: total(netRefunded),
  };
}

const ENDINGS = ['declined', 'canceled', 'expired', 'rejected', 'not_started'] as const;

function deriveStatus(objects: readonly ObjectState[], amounts: Amounts): PaymentStatus {
  if (isPositive(amounts.captured)) return 'captured';
  if (compareMoney(amounts.authorized, amounts.voided) > 0) return 'authorized';
  // What was expected has come once there was money, though it may have been given back.
  const isAwaited = !isPositive(amounts.authorized);
  const live = objects.filter((each) => isLive(each) && (isAwaited || !isExpected(each)));
  if (live.some(({ kinds }) => kinds.has('processing'))) return 'processing';
  if (live.length > 0) return 'requires_action';
  const has = (kind: FactKind) => objects.some(({ kinds }) => kinds.has(kind));
  if (has('verified')) return 'verified';
  if (isPositive(amounts.voided)) return 'voided';
  return ENDINGS.find(has) ?? 'created';
}

/** Known at the provider, or awaited there, and not known to have ended. */
function isLive({ kinds, voided }: ObjectState): boolean {
  const isKnown = kinds.has('expected') || kinds.has('created') || kinds.has('processing');
  const hasEnded =
    ENDINGS.some((ending) => kinds.has(ending)) || kinds.has('verified') || isPositive(voided);
  return isKnown && !hasEnded;
}

/** Stands for what the provider does not know yet. */
function isExpected({ kinds }: ObjectState): boolean {
  return kinds.has('expected');
}

function isAtProvider(object: ObjectState): boolean {
  const { kinds } = object;
  if (isExpected(object)) return false;
  return [...kinds].some((kind) => kind !== 'rejected' && kind !== 'not_started');
}

function byMoneyThenName(a: ObjectState, b: ObjectState): number {
  return compareMoney(b.authorized, a.authorized) || (a.reference < b.reference ? -1 : 1);
}

function endingProblem(status: PaymentStatus, facts: readonly Fact[]): Problem | undefined {
  // One fact may be told in several words: the same are chosen whichever came first.
  return facts
    .flatMap(({ kind, id, problem }) =>
      kind === status && problem ? [{ problem, order: `${id} ${JSON.stringify(problem)}` }] : [],
    )
    .sort((a, b) => (a.order < b.order ? -1 : 1))[0]?.problem;
}

function deriveFlags(from: {
  facts: readonly Fact[];
  counted: readonly Fact[];
  objects: readonly ObjectState[];
  requested: Money | undefined;
}): readonly Flag[] {
  const { facts, counted, objects, requested } = from;
  const withMoney = objects.filter(({ authorized }) => isPositive(authorized));
  const flags: readonly (readonly [Flag, boolean])[] = [
    ['contradiction', objects.some(isContradictory)],
    ['amount_conflict', hasAmountConflict(counted)],
    ['amount_differs', withMoney.some((object) => differsFrom(requested, object))],
    ['currency_differs', facts.length > counted.length],
    ['paid_twice', withMoney.filter(isStillHeldOrTaken).length > 1],
    ['over_refunded', objects.some((each) => compareMoney(netRefunded(each), each.captured) > 0)],
  ];
  return flags.filter(([, holds]) => holds).map(([flag]) => flag);
}

function isContradictory({ kinds, authorized, captured, voided }: ObjectState): boolean {
  const endedWithoutMoney = ENDINGS.some((ending) => kinds.has(ending));
  const movedTooMuch = compareMoney(addMoney(captured, voided), authorized) > 0;
  return movedTooMuch || (isPositive(authorized) && endedWithoutMoney);
}

function isStillHeldOrTaken({ authorized, voided }: ObjectState): boolean {
  return compareMoney(authorized, voided) > 0;
}

function hasAmountConflict(facts: readonly Fact[]): boolean {
  const sameEvent = groupBy(
    facts.filter(({ amount }) => amount),
    ({ kind, object, part = '' }) => JSON.stringify([kind, object, part]),
  );
  return [...sameEvent.values()].some(
    (reports) => new Set(reports.map(({ amount }) => amount?.minor)).size > 1,
  );
}

function differsFrom(requested: Money | undefined, { authorized, tip }: ObjectState): boolean {
  return requested !== undefined && compareMoney(subtractMoney(authorized, tip), requested) !== 0;
}
