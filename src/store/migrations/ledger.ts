import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/**
 * The ledger. A row is a movement with both its sides, so that none can be out of balance; it is
 * never changed.
 */
export const createLedger = migrationOf([
  // No reference to payments: entries are never deleted, and nor is what they are about.
  sql`create table ledger_entries (
    entry_id text collate "C" primary key,
    ordinal bigint generated always as identity unique,
    connection_id text not null,
    phase text not null check (phase in ('pending', 'post', 'void')),
    debit text not null check (debit in
      ('payer', 'provider_pending', 'provider_balance', 'refunds', 'fees', 'merchant_bank')),
    credit text not null check (credit in
      ('payer', 'provider_pending', 'provider_balance', 'refunds', 'fees', 'merchant_bank')),
    amount_minor numeric not null check (amount_minor > 0 and amount_minor = trunc(amount_minor)),
    currency text not null,
    hold text collate "C",
    slot text collate "C",
    payment_id text collate "C",
    payout_reference text,
    recorded_at timestamptz not null default now(),
    check (debit <> credit),
    check (phase = 'post' or hold is not null)
  )`,
  sql`create index ledger_entries_by_payment on ledger_entries (payment_id)
    where slot is not null`,
  sql`create function refuse_change_of_ledger() returns trigger language plpgsql as $$
    begin
      raise exception 'ledger entries are only ever added';
    end
  $$`,
  sql`create trigger ledger_is_append_only
    before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change_of_ledger()`,
]);
