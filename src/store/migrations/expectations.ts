import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** Payments that begin at the provider without us: expected ones, and those nobody asked for. */
export const createExpectations = migrationOf([
  // Absent while the payer chooses the amount.
  sql`alter table payments alter column requested_minor drop not null`,
  sql`alter table payments
    add column origin text, add column at_deadline text, add column repairs jsonb`,
  sql`alter table inbox add column subject jsonb`,
  // Texts that are absent are kept as '', so that the uniqueness counts them as equal.
  sql`create table expectations (
    connection_id text not null,
    reference text collate "C" not null,
    description text collate "C" not null,
    amount_minor text not null,
    amount_currency text not null,
    payment_id text collate "C" not null,
    ordinal bigint generated always as identity,
    recorded_at timestamptz not null default now(),
    primary key (connection_id, reference, description, amount_minor, amount_currency)
  )`,
  sql`create table sweeps (
    connection_id text primary key,
    swept_until timestamptz not null
  )`,
  sql`create index expectations_by_description on expectations (connection_id, description)`,
]);
