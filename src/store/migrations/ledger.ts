import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** A name within a slot, as `planEntries` writes it. */
const OBJECT = sql`replace(replace(object, '%', '%25'), '|', '%7C')`;
const PART = sql`replace(replace(part, '%', '%25'), '|', '%7C')`;

/**
 * What `planEntries` makes of payments that were recorded before there was a ledger, when no
 * refunds of ours were.
 */
export const bookEarlierFacts = sql`
  with counted as (
    select payment_id, p.connection_id, p.currency, f.kind, f.object, coalesce(f.part, '') as part,
      max(f.amount_minor) as minor
    from facts f join payments p using (payment_id)
    where f.kind in ('authorized', 'captured', 'voided', 'refunded', 'refund_reversed')
      and f.amount_minor > 0 and f.amount_currency = p.currency
      and (coalesce(f.tip_minor, 0) <= 0 or f.tip_currency = p.currency)
    group by payment_id, p.connection_id, p.currency, f.kind, f.object, coalesce(f.part, '')
  ), sums as (
    select payment_id, connection_id, currency, object,
      coalesce(sum(minor) filter (where kind = 'authorized'), 0) as authorized,
      coalesce(sum(minor) filter (where kind = 'captured'), 0) as captured,
      coalesce(sum(minor) filter (where kind = 'voided'), 0) as voided
    from counted group by payment_id, connection_id, currency, object
  ), movements as (
    select payment_id, connection_id, currency, 'pending' as phase, 'payer' as debit,
      'provider_pending' as credit, greatest(authorized, captured + voided) as minor,
      'payment|' || ${OBJECT} as hold, 'held|payment|' || ${OBJECT} as slot
    from sums
    union all
    select payment_id, connection_id, currency, 'post', 'payer', 'provider_pending', captured,
      'payment|' || ${OBJECT}, 'captured|' || ${OBJECT}
    from sums
    union all
    select payment_id, connection_id, currency, 'void', 'payer', 'provider_pending', voided,
      'payment|' || ${OBJECT}, 'released|payment|' || ${OBJECT}
    from sums
    union all
    select payment_id, connection_id, currency, 'post',
      case kind when 'refunded' then 'provider_pending' else 'refunds' end,
      case kind when 'refunded' then 'refunds' else 'provider_pending' end, minor,
      null, kind || '|' || ${OBJECT} || '|' || ${PART}
    from counted where kind in ('refunded', 'refund_reversed')
  )
  insert into ledger_entries (entry_id, connection_id, phase, debit, credit, amount_minor, currency,
    hold, slot, payment_id)
  select payment_id || '|' || slot || '|' || minor, connection_id, phase, debit, credit, minor,
    currency, hold, slot, payment_id
  from movements where minor > 0`;

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
  bookEarlierFacts,
  sql`create function refuse_change_of_ledger() returns trigger language plpgsql as $$
    begin
      raise exception 'ledger entries are only ever added';
    end
  $$`,
  sql`create trigger ledger_is_append_only
    before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change_of_ledger()`,
]);
