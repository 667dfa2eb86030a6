import type { Transaction } from 'kysely';
import type { OperationRecord, OperationState } from '../domain/payment.js';
import type { OperationRow, Tables } from './database.js';
import { toOperation } from './payment-rows.js';
import { toJsonOrNull, toTime, toTimeOrNull } from './values.js';

/** An operation as one record stated it. */
export interface StatedOperation {
  readonly record: OperationRecord;
  readonly revision: number;
}

/**
 * `rank` orders states by how much is known. `finality` lifts the provider's own last word above
 * any revision: a run that begins again from an earlier state must not unsay it.
 */
const STANDING = {
  sent: { finality: 0, rank: 0 },
  unknown: { finality: 0, rank: 1 },
  pending: { finality: 0, rank: 2 },
  not_sent: { finality: 0, rank: 3 },
  superseded: { finality: 0, rank: 4 },
  declined: { finality: 1, rank: 5 },
  succeeded: { finality: 2, rank: 6 },
} as const satisfies Record<OperationState, { readonly finality: number; readonly rank: number }>;

/**
 * The one of two statements about the same operation that holds: the more final, else the one of
 * the higher revision, else the one that knows more, else the later one (a workflow task that is
 * done again states the same with a later time). A total order, so the order of writing does not
 * matter. Rank alone would not do: after `not_sent` the same operation goes out again, and may
 * become `unknown`.
 */
export function holdingOperation(known: StatedOperation, news: StatedOperation): StatedOperation {
  const [a, b] = [STANDING[known.record.state], STANDING[news.record.state]];
  const difference =
    b.finality - a.finality ||
    news.revision - known.revision ||
    b.rank - a.rank ||
    settledAtMs(news) - settledAtMs(known);
  return difference > 0 ? news : known;
}

function settledAtMs({ record: { settledAt } }: StatedOperation): number {
  return settledAt === undefined ? 0 : Date.parse(settledAt);
}

/** Writes what holds of both; returns all operations of the payment. Wants its row locked. */
export async function mergeOperations(
  trx: Transaction<Tables>,
  paymentId: string,
  stated: {
    readonly known: readonly StatedOperation[];
    readonly news: readonly StatedOperation[];
  },
): Promise<readonly OperationRecord[]> {
  const byId = new Map(stated.known.map((operation) => [identityOf(operation), operation]));
  for (const operation of stated.news) {
    const id = identityOf(operation);
    const before = byId.get(id);
    byId.set(id, before ? holdingOperation(before, operation) : operation);
  }
  const held = new Set(stated.known);
  const changed = [...byId.values()].filter((operation) => !held.has(operation));
  await upsert(trx, paymentId, changed);
  return [...byId.values()].map(({ record }) => record).sort(byTime);
}

export function toOperationRecords(rows: readonly OperationRow[]): readonly OperationRecord[] {
  return rows.map(toOperation).sort(byTime);
}

export async function selectStatedOperations(
  trx: Transaction<Tables>,
  paymentId: string,
): Promise<readonly StatedOperation[]> {
  const rows = await trx
    .selectFrom('operations')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .execute();
  return rows.map((row) => ({ record: toOperation(row), revision: Number(row.revision) }));
}

async function upsert(
  trx: Transaction<Tables>,
  paymentId: string,
  operations: readonly StatedOperation[],
): Promise<void> {
  if (operations.length === 0) return;
  await trx
    .insertInto('operations')
    .values(operations.map((operation) => toRow(paymentId, operation)))
    .onConflict((conflict) =>
      conflict.columns(['payment_id', 'operation', 'sequence']).doUpdateSet(({ ref }) => ({
        key: ref('excluded.key'),
        state: ref('excluded.state'),
        amount_minor: ref('excluded.amount_minor'),
        amount_currency: ref('excluded.amount_currency'),
        intended_at: ref('excluded.intended_at'),
        settled_at: ref('excluded.settled_at'),
        problem: ref('excluded.problem'),
        revision: ref('excluded.revision'),
      })),
    )
    .execute();
}

function toRow(paymentId: string, { record, revision }: StatedOperation) {
  return {
    payment_id: paymentId,
    operation: record.operation,
    sequence: record.sequence,
    key: record.key,
    state: record.state,
    amount_minor: record.amount?.minor ?? null,
    amount_currency: record.amount?.currency ?? null,
    intended_at: toTime(record.intendedAt),
    settled_at: toTimeOrNull(record.settledAt),
    problem: toJsonOrNull(record.problem),
    revision,
  };
}

function identityOf({ record }: StatedOperation): string {
  return `${record.operation}/${record.sequence}`;
}

function byTime(a: OperationRecord, b: OperationRecord): number {
  return (
    Date.parse(a.intendedAt) - Date.parse(b.intendedAt) ||
    (a.operation < b.operation ? -1 : a.operation > b.operation ? 1 : a.sequence - b.sequence)
  );
}
