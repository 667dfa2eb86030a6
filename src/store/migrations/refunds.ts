import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** Refunds, each of one payment. What is not reserved has no amount and no provider's object yet. */
export const createRefunds = migrationOf([
  sql`create table refunds (
    refund_id text collate "C" primary key,
    payment_id text collate "C" not null references payments,
    connection_id text,
    payment_reference text,
    amount_minor numeric check (amount_minor = trunc(amount_minor) and amount_minor > 0),
    amount_currency text,
    description text,
    status text not null,
    provider_reference text,
    problem jsonb,
    attention jsonb,
    unknown_since timestamptz,
    operation jsonb,
    repairs jsonb,
    ended boolean not null default false,
    revision bigint not null default -1,
    requested_at timestamptz not null,
    recorded_at timestamptz not null default now()
  )`,
  sql`create index refunds_by_payment on refunds (payment_id, requested_at)`,
  sql`create index refunds_by_time on refunds (requested_at desc, refund_id desc)`,
  sql`create index refunds_by_connection
    on refunds (connection_id, requested_at desc, refund_id desc)`,
  sql`create index refunds_by_provider_reference on refunds (connection_id, provider_reference)
    where provider_reference is not null`,
]);
