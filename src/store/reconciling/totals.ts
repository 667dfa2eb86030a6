/** What a run comes to. */
import { sql, type Transaction } from 'kysely';
import { addMoney, money, type Money } from '../../domain/money.js';
import {
  BREAK_KINDS,
  type BreakKind,
  type BreakStatus,
  type BreakTally,
  type RunTotals,
  type Tally,
} from '../../domain/reconciliation.js';
import type { Tables } from '../database.js';
import type { Sql } from './break-rows.js';
import type { RunRow } from './tables.js';

const LINES_A_STATEMENT = 100_000;

const NOTHING: Tally = { count: 0, amounts: [] };

export async function totalsOf(trx: Transaction<Tables>, run: RunRow): Promise<RunTotals> {
  const lines = await lineSums(trx, run);
  const payouts = await payoutSums(trx, run);
  const breaks = await breakSums(trx, run);
  const ofKind = (kind: string) => lines.filter((sum) => sum.kind === kind);
  const seenAndMatched = (kind: string) => ({
    seen: tallyOf(ofKind(kind)),
    matched: tallyOf(ofKind(kind).filter(({ state }) => state === 'matched')),
  });
  return {
    payments: seenAndMatched('payment'),
    refunds: seenAndMatched('refund'),
    payouts: {
      seen: tallyOf(payouts),
      succeeded: tallyOf(payouts.filter(({ state }) => state === 'succeeded')),
    },
    breaks: BREAK_KINDS.flatMap((kind) => breakTally(kind, breaks)),
    unexplained: tallyOf(breaks.filter(({ state }) => state === 'open')).amounts,
  };
}

/** A count and a sum of what shares kind, state and currency. */
interface Sum {
  readonly kind: string;
  readonly state: string;
  readonly currency: string;
  readonly count: string;
  readonly minor: string;
}

function tallyOf(sums: readonly Sum[]): Tally {
  return sums.reduce<Tally>(
    ({ count, amounts }, sum) => ({
      count: count + Number(sum.count),
      amounts: withAmount(amounts, money(sum.minor, sum.currency)),
    }),
    NOTHING,
  );
}

function withAmount(amounts: readonly Money[], amount: Money): readonly Money[] {
  const before = amounts.find(({ currency }) => currency === amount.currency);
  if (!before) return [...amounts, amount];
  return amounts.map((each) => (each === before ? addMoney(before, amount) : each));
}

function breakTally(kind: BreakKind, sums: readonly Sum[]): readonly BreakTally[] {
  const ofKind = sums.filter((sum) => sum.kind === kind);
  if (ofKind.length === 0) return [];
  const of = (status: BreakStatus) => tallyOf(ofKind.filter(({ state }) => state === status));
  return [{ kind, open: of('open'), explained: of('explained'), closed: of('closed') }];
}

/** Summed in pieces, each within the limit of a statement. */
async function lineSums(trx: Transaction<Tables>, run: RunRow): Promise<readonly Sum[]> {
  const sums: Sum[] = [];
  for (let after: string | undefined = '0'; after !== undefined;) {
    const page: Sql = sql`select line_id, kind, verdict, currency, amount_minor from report_lines
      where last_run = ${run.ordinal}::bigint and line_id > ${after}::bigint
      order by line_id limit ${LINES_A_STATEMENT}`;
    const { rows }: { readonly rows: (Sum & { readonly last: string })[] } = await sql<
      Sum & { readonly last: string }
    >`
      select kind, verdict as state, currency, count(*) as count, sum(amount_minor)::text as minor,
        max(line_id) as last
      from (${page}) page group by kind, verdict, currency`.execute(trx);
    sums.push(...rows);
    const last = rows.map((row) => BigInt(row.last)).reduce((a, b) => (a > b ? a : b), 0n);
    after = last === 0n ? undefined : String(last);
  }
  return sums;
}

async function payoutSums(trx: Transaction<Tables>, run: RunRow): Promise<readonly Sum[]> {
  const { rows } = await sql<Sum>`
    select 'payout' as kind, status as state, currency, count(*) as count,
      sum(amount_minor)::text as minor
    from payouts where last_run = ${run.ordinal}::bigint group by status, currency`.execute(trx);
  return rows;
}

async function breakSums(trx: Transaction<Tables>, run: RunRow): Promise<readonly Sum[]> {
  const { rows } = await sql<Sum>`
    select b.kind, found.status as state,
      coalesce(found.theirs_currency, found.ours_currency) as currency, count(*) as count,
      sum(case when found.theirs_currency <> found.ours_currency then found.theirs_minor
        else abs(coalesce(found.theirs_minor, 0) - coalesce(found.ours_minor, 0)) end)::text as minor
    from run_breaks found join breaks b using (break_id) where found.run = ${run.ordinal}::bigint
    group by b.kind, found.status, coalesce(found.theirs_currency, found.ours_currency)`.execute(
    trx,
  );
  return rows;
}
