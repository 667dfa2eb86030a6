import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** Payments that providers registered at a loyalty scheme of ours. */
export const createLoyalty = migrationOf([
  sql`create table loyalty_registrations (
    id bigint generated always as identity primary key,
    connection_id text not null,
    provider_reference text not null,
    member_hash text not null,
    payment_id text,
    amount_minor text not null,
    amount_currency text not null,
    content bytea not null,
    state text not null default 'open',
    result bytea,
    received_at timestamptz not null,
    done_at timestamptz,
    recorded_at timestamptz not null default now(),
    unique (connection_id, provider_reference, member_hash)
  )`,
  sql`create index loyalty_open on loyalty_registrations (id) where state = 'open'`,
  sql`create index loyalty_by_payment on loyalty_registrations (payment_id)
    where payment_id is not null`,
]);
