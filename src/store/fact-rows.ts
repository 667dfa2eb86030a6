import type { Kysely, Transaction } from 'kysely';
import type { Fact } from '../domain/facts.js';
import type { Tables } from './database.js';
import { toFact } from './payment-rows.js';
import { toJsonOrNull, toTime } from './values.js';

/** A payment's facts in the order they were recorded. */
export async function selectFacts(db: Kysely<Tables>, paymentId: string): Promise<readonly Fact[]> {
  const rows = await db
    .selectFrom('facts')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .orderBy('ordinal')
    .execute();
  return rows.map(toFact);
}

/** Writes facts; one that is there stays as first reported. */
export async function insertFacts(
  trx: Transaction<Tables>,
  paymentId: string,
  facts: readonly Fact[],
): Promise<void> {
  if (facts.length === 0) return;
  await trx
    .insertInto('facts')
    .values(facts.map((fact) => toRow(paymentId, fact)))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Whether all of these facts are recorded. */
export async function hasFacts(
  db: Kysely<Tables>,
  paymentId: string,
  factIds: readonly string[],
): Promise<boolean> {
  const wanted = [...new Set(factIds)];
  if (wanted.length === 0) return true;
  const { count } = await db
    .selectFrom('facts')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('payment_id', '=', paymentId)
    .where('fact_id', 'in', wanted)
    .executeTakeFirstOrThrow();
  return Number(count) === wanted.length;
}

function toRow(paymentId: string, fact: Fact) {
  return {
    payment_id: paymentId,
    fact_id: fact.id,
    kind: fact.kind,
    object: fact.object,
    part: fact.part ?? null,
    amount_minor: fact.amount?.minor ?? null,
    amount_currency: fact.amount?.currency ?? null,
    tip_minor: fact.tip?.minor ?? null,
    tip_currency: fact.tip?.currency ?? null,
    problem: toJsonOrNull(fact.problem),
    occurred_at: toTime(fact.occurredAt),
    source: fact.source,
  };
}
