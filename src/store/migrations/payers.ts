import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/**
 * One row with a key for each payer, and what is known of the payer of a payment, sealed with it.
 * A payer who was erased keeps the row without its key, so that news of them is not kept again.
 */
export const createPayers = migrationOf([
  sql`create table payers (
    subject text collate "C" primary key,
    key_id text unique,
    sealed_key bytea,
    erased_at timestamptz,
    created_at timestamptz not null default now(),
    check (erased_at is null or sealed_key is null)
  )`,
  // No reference to payments: a notification may come before its payment is recorded.
  sql`create table payer_payments (
    payment_id text collate "C" primary key,
    subject text collate "C" not null references payers,
    ciphertext text,
    updated_at timestamptz not null default now()
  )`,
  sql`create index payer_payments_by_subject on payer_payments (subject)`,
  sql`create index inbox_without_payment
    on inbox (connection_id, provider_reference) where payment_id is null`,
]);
