import type { Money } from './money.js';
import type { Problem } from './problem.js';

/**
 * Something that happened to a payment. "Is now pending" and "not found" are no facts.
 *
 * - `expected`: we gave out a code that the payer may use; the provider knows nothing of it yet.
 * - `created`: the provider knows an object that the payer can pay.
 * - `processing`: the payer acted on it; no money is held yet.
 * - `authorized`: money is held for us. `captured`: it is ours. `voided`: the hold was released.
 * - `refunded`: captured money went back; the payer has it. `refund_reversed`: it returned to us.
 * - `declined`, `expired`, `canceled`: the object ended without money.
 * - `verified`: ended as asked, without money being involved.
 * - `rejected`, `not_started`: proof that nothing happened at the provider, and why.
 */
export const FACT_KINDS = [
  'expected',
  'created',
  'processing',
  'authorized',
  'captured',
  'voided',
  'refunded',
  'refund_reversed',
  'declined',
  'expired',
  'canceled',
  'verified',
  'rejected',
  'not_started',
] as const;

export type FactKind = (typeof FACT_KINDS)[number];

/** What a person can have evidence of. The rest is Holdfast's own to say. */
export const STATABLE_FACT_KINDS = [
  'authorized',
  'captured',
  'voided',
  'refunded',
  'refund_reversed',
  'declined',
  'expired',
  'canceled',
] as const satisfies readonly FactKind[];

export type StatableFactKind = (typeof STATABLE_FACT_KINDS)[number];

/** Where we learned a fact. It explains; it never decides. */
export type FactSource = 'answer' | 'notification' | 'query' | 'report' | 'person' | 'holdfast';

export interface Fact {
  /** Identity of what is stated: equal ids state the same. Made by {@link fact}. */
  readonly id: string;
  readonly kind: FactKind;
  /** The provider's id of the object it is about; for our own proofs the operation's key. */
  readonly object: string;
  /** The provider's id of one movement on that object (a capture, a refund), where it has one. */
  readonly part?: string;
  readonly amount?: Money;
  /** Of `amount`, what the payer added on top. */
  readonly tip?: Money;
  readonly problem?: Problem;
  /** When it happened, as well as known. ISO 8601, UTC. */
  readonly occurredAt: string;
  readonly source: FactSource;
}

/**
 * Builds a fact with its identity: kind, object, part and what is stated of the amount. Source and
 * time stay out of it, so that one event learned in several ways is one fact.
 */
export function fact(stated: Omit<Fact, 'id'>): Fact {
  const { kind, object, part = '', amount, tip } = stated;
  const money = amount ? `${amount.minor}${amount.currency}` : '';
  const tipCurrency = tip?.currency === amount?.currency ? '' : tip?.currency;
  const extra = tip && tip.minor !== '0' ? `+${tip.minor}${tipCurrency}` : '';
  const named = [object, part].map((name) => name.replace(/[%|]/g, encodeURIComponent));
  return { id: [kind, ...named, `${money}${extra}`].join('|'), ...stated };
}

/** The union of both lists, each fact once, in the order of first sight. */
export function mergeFacts(known: readonly Fact[], news: readonly Fact[]): readonly Fact[] {
  const ids = new Set(known.map(({ id }) => id));
  const added = news.filter(({ id }) => !ids.has(id) && ids.add(id));
  return added.length === 0 ? known : [...known, ...added];
}
