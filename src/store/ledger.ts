import { sql, type Kysely, type Transaction } from 'kysely';
import { planEntries, type BookableRefund, type BookedSum } from '../domain/booking.js';
import type { Fact } from '../domain/facts.js';
import type { Account, AccountBalance, Balances, LedgerPhase } from '../domain/ledger.js';
import { addMoney, money, subtractMoney, type Money } from '../domain/money.js';
import type { RefundStatus } from '../domain/refund.js';
import type { PaymentRow, Tables } from './database.js';
import { selectFacts } from './fact-rows.js';
import { present } from './values.js';

/** The append-only ledger. It is written where facts, refunds and payouts are recorded. */
export interface Ledger {
  /** What all entries of a connection, or of all, come to at one moment. */
  balances(connectionId?: string): Promise<Balances>;
}

export function createLedger(db: Kysely<Tables>): Ledger {
  return { balances: (connectionId) => balances(db, connectionId) };
}

/**
 * Adds to the ledger what it lacks of a payment's facts and refunds; nothing when it lacks nothing.
 * To be called in the transaction that changed either, with the payment's row locked.
 *
 * @param facts all of the payment's; read where absent
 */
export async function bookPayment(
  trx: Transaction<Tables>,
  { payment_id: paymentId, connection_id: connectionId, currency }: PaymentRow,
  facts?: readonly Fact[],
): Promise<void> {
  const known = await selectBooked(trx, paymentId);
  const entries = planEntries({
    paymentId,
    currency,
    facts: facts ?? (await selectFacts(trx, paymentId)),
    ...known,
  });
  if (entries.length === 0) return;
  await trx
    .insertInto('ledger_entries')
    .values(
      entries.map((entry) => ({
        entry_id: entry.entryId,
        connection_id: connectionId,
        phase: entry.phase,
        debit: entry.debit,
        credit: entry.credit,
        amount_minor: entry.amount.minor,
        currency: entry.amount.currency,
        hold: entry.hold ?? null,
        slot: entry.slot,
        payment_id: paymentId,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

interface KnownRow {
  readonly slot: string | null;
  readonly hold: string | null;
  readonly phase: LedgerPhase | null;
  readonly minor: string;
  readonly refund_id: string;
  readonly status: RefundStatus;
  readonly currency: string;
  readonly provider_reference: string | null;
  readonly payment_reference: string | null;
}

/** What the ledger has, and the refunds with an amount: one read for both. */
async function selectBooked(
  trx: Transaction<Tables>,
  paymentId: string,
): Promise<{ readonly booked: readonly BookedSum[]; readonly refunds: readonly BookableRefund[] }> {
  const { rows } = await sql<KnownRow>`
    select slot, hold, phase, sum(amount_minor)::text as minor, null as refund_id, null as status,
      null as currency, null as provider_reference, null as payment_reference
    from ledger_entries where payment_id = ${paymentId} and slot is not null
    group by slot, hold, phase
    union all
    (select null, null, null, amount_minor::text, refund_id, status, amount_currency,
      provider_reference, payment_reference
    from refunds where payment_id = ${paymentId} and amount_minor is not null
    order by requested_at, refund_id)`.execute(trx);
  return {
    booked: rows.flatMap((row) => (row.slot === null ? [] : [toBooked(row)])),
    refunds: rows.flatMap((row) => (row.slot === null ? [toRefund(row)] : [])),
  };
}

function toBooked({ slot, hold, phase, minor }: KnownRow): BookedSum {
  return { slot: slot ?? '', phase: phase ?? 'post', minor, ...present('hold', hold) };
}

function toRefund(row: KnownRow): BookableRefund {
  return {
    refundId: row.refund_id,
    status: row.status,
    amountMinor: row.minor,
    currency: row.currency,
    ...present('providerReference', row.provider_reference),
    ...present('paymentReference', row.payment_reference),
  };
}

/** A sum of entries that share connection, currency and both sides. */
interface Flow {
  readonly connection_id: string;
  readonly currency: string;
  readonly debit: Account;
  readonly credit: Account;
  readonly posted: string;
  readonly pending: string;
}

/** So many at once are summed within the limit of a statement. */
const ENTRIES_A_STATEMENT = 250_000n;

function balances(db: Kysely<Tables>, connectionId: string | undefined): Promise<Balances> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const accounts = new Map<string, AccountBalance>();
      const last = await lastOrdinal(trx);
      for (let after = 0n; after < last; after += ENTRIES_A_STATEMENT) {
        const range = { after, until: after + ENTRIES_A_STATEMENT, connectionId };
        for (const flow of await selectFlows(trx, range)) addFlow(accounts, flow);
      }
      const sorted = [...accounts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
      return { accounts: sorted, trial: trialOf(sorted) };
    });
}

async function lastOrdinal(trx: Transaction<Tables>): Promise<bigint> {
  const { last } = await trx
    .selectFrom('ledger_entries')
    .select(({ fn }) => fn.max('ordinal').as('last'))
    .executeTakeFirstOrThrow();
  return BigInt(last ?? 0);
}

async function selectFlows(
  trx: Transaction<Tables>,
  range: {
    readonly after: bigint;
    readonly until: bigint;
    readonly connectionId: string | undefined;
  },
): Promise<readonly Flow[]> {
  const ofOne =
    range.connectionId === undefined ? sql`` : sql`and connection_id = ${range.connectionId}`;
  const { rows } = await sql<Flow>`
    select connection_id, currency, debit, credit,
      coalesce(sum(amount_minor) filter (where phase = 'post'), 0)::text as posted,
      coalesce(sum(case phase when 'pending' then amount_minor else -amount_minor end)
        filter (where hold is not null), 0)::text as pending
    from ledger_entries
    where ordinal > ${String(range.after)}::bigint and ordinal <= ${String(range.until)}::bigint
      ${ofOne}
    group by connection_id, currency, debit, credit`.execute(trx);
  return rows;
}

function addFlow(accounts: Map<string, AccountBalance>, flow: Flow): void {
  const posted = money(flow.posted, flow.currency);
  const pending = money(flow.pending, flow.currency);
  const debited = accountOf(accounts, flow, flow.debit);
  accounts.set(keyOf(debited), {
    ...debited,
    postedDebits: addMoney(debited.postedDebits, posted),
    pendingDebits: addMoney(debited.pendingDebits, pending),
  });
  const credited = accountOf(accounts, flow, flow.credit);
  accounts.set(keyOf(credited), {
    ...credited,
    postedCredits: addMoney(credited.postedCredits, posted),
    pendingCredits: addMoney(credited.pendingCredits, pending),
  });
}

function accountOf(
  accounts: ReadonlyMap<string, AccountBalance>,
  { connection_id: connectionId, currency }: Flow,
  account: Account,
): AccountBalance {
  const none = money(0, currency);
  const empty: AccountBalance = {
    connectionId,
    account,
    postedDebits: none,
    postedCredits: none,
    pendingDebits: none,
    pendingCredits: none,
  };
  return accounts.get(keyOf(empty)) ?? empty;
}

function keyOf({ connectionId, account, postedDebits }: AccountBalance): string {
  return JSON.stringify([connectionId, postedDebits.currency, account]);
}

function trialOf(accounts: readonly AccountBalance[]): readonly Money[] {
  const sums = new Map<string, Money>();
  for (const { postedDebits, postedCredits, pendingDebits, pendingCredits } of accounts) {
    const { currency } = postedDebits;
    const posted = subtractMoney(postedDebits, postedCredits);
    const pending = subtractMoney(pendingDebits, pendingCredits);
    const before = sums.get(currency) ?? money(0, currency);
    sums.set(currency, addMoney(before, addMoney(posted, pending)));
  }
  return [...sums.values()];
}
