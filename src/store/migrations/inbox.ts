import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** Raw notifications, and daily counts of those refused at the door. */
export const createInbox = migrationOf([
  sql`create table inbox (
    id bigint generated always as identity primary key,
    connection_id text not null,
    event_id text not null,
    payment_id text,
    provider_reference text,
    verdict text not null,
    facts jsonb not null,
    headers jsonb not null,
    body bytea not null,
    received_at timestamptz not null,
    last_received_at timestamptz not null,
    deliveries integer not null default 1,
    state text not null default 'undelivered',
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_reason text,
    recorded_at timestamptz not null default now(),
    unique (connection_id, event_id)
  )`,
  sql`create index inbox_due on inbox (next_attempt_at, id) where state = 'undelivered'`,
  sql`create index inbox_unmatched on inbox (id) where state = 'unmatched'`,
  sql`create index inbox_by_payment on inbox (payment_id, id) where payment_id is not null`,
  sql`create index inbox_by_connection on inbox (connection_id, id)`,
  sql`create table refusals (
    connection_id text not null,
    reason text not null,
    day date not null,
    count bigint not null,
    primary key (connection_id, reason, day)
  )`,
]);
