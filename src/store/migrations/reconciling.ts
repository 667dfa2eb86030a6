import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/**
 * What providers report, run by run, and how it differs from ours. `first_run` and `last_run` are
 * ordinals of runs.
 */
export const createReconciling = migrationOf([
  sql`create table reconciliations (
    run_id text collate "C" primary key,
    ordinal bigint generated always as identity unique,
    connection_id text not null,
    scope jsonb not null,
    time_zone text not null,
    has_payouts boolean not null,
    requested_at timestamptz not null,
    status text not null default 'running',
    match_phase text,
    match_after text,
    totals jsonb,
    problem jsonb,
    finished_at timestamptz,
    recorded_at timestamptz not null default now()
  )`,
  sql`create index reconciliations_by_connection on reconciliations (connection_id, ordinal desc)`,
  sql`create table report_listings (
    run_id text collate "C" not null references reconciliations,
    listing text collate "C" not null,
    ordinal bigint generated always as identity,
    kind text not null,
    scope jsonb not null,
    cursor text,
    pages integer not null default 0,
    rows bigint not null default 0,
    is_complete boolean not null default false,
    primary key (run_id, listing)
  )`,
  sql`create table report_lines (
    line_id bigint generated always as identity primary key,
    connection_id text not null,
    kind text not null,
    reference text not null,
    provider_reference text not null,
    refund_reference text,
    payout_reference text,
    amount_minor numeric not null check (amount_minor = trunc(amount_minor)),
    currency text not null,
    occurred_at timestamptz not null,
    business_day date not null,
    merchant_reference text,
    description text,
    payouts jsonb not null default '[]',
    earlier jsonb not null default '[]',
    listing text not null,
    listing_count integer not null default 1,
    repeats integer not null default 0,
    repeated_in text,
    verdict text not null default 'unmatched',
    payment_id text collate "C",
    refund_id text collate "C",
    ours_minor numeric,
    ours_currency text,
    first_run bigint not null,
    last_run bigint not null,
    unique (connection_id, kind, reference)
  )`,
  sql`create index report_lines_by_run on report_lines (last_run, line_id)`,
  sql`create index report_lines_unknown on report_lines (last_run, line_id)
    where verdict in ('missing_here', 'status_differs')`,
  sql`create index report_lines_by_payout on report_lines (connection_id, payout_reference, line_id)
    where payout_reference is not null`,
  sql`create index report_lines_without_payout on report_lines (connection_id, line_id)
    where payout_reference is null`,
  sql`create index report_lines_in_several_payouts on report_lines (connection_id, line_id)
    where jsonb_array_length(payouts) > 1`,
  sql`create table payouts (
    payout_id bigint generated always as identity primary key,
    connection_id text not null,
    payout_reference text not null,
    status text not null,
    paid_at timestamptz,
    gathered_by text,
    account text,
    payments_count bigint not null,
    payments_minor numeric not null,
    refunds_count bigint not null,
    refunds_minor numeric not null,
    amount_minor numeric not null,
    currency text not null,
    payments_listed boolean not null default false,
    refunds_listed boolean not null default false,
    is_listed boolean not null default false,
    payment_lines bigint not null default 0,
    payment_lines_minor numeric not null default 0,
    refund_lines bigint not null default 0,
    refund_lines_minor numeric not null default 0,
    counting_run bigint,
    first_run bigint not null,
    last_run bigint not null,
    unique (connection_id, payout_reference)
  )`,
  sql`create index payouts_by_run on payouts (last_run, payout_id)`,
  sql`create index payouts_counting on payouts (counting_run, payout_id)
    where counting_run is not null`,
  sql`create table breaks (
    break_id text collate "C" primary key,
    ordinal bigint generated always as identity unique,
    connection_id text not null,
    kind text not null,
    subject text not null,
    reference text not null,
    status text not null,
    payment_id text collate "C",
    refund_id text collate "C",
    provider_reference text,
    refund_reference text,
    payout_reference text,
    ours_minor numeric,
    ours_currency text,
    theirs_minor numeric,
    theirs_currency text,
    business_day date not null,
    explanation jsonb,
    resolution jsonb,
    history jsonb not null,
    first_run bigint not null,
    last_run bigint not null
  )`,
  sql`create index breaks_by_connection on breaks (connection_id, ordinal desc)`,
  sql`create index breaks_by_status on breaks (status, ordinal desc)`,
  sql`create index breaks_by_day on breaks (business_day, ordinal desc)`,
  sql`create index breaks_open on breaks (connection_id, subject, reference)
    where status = 'open'`,
  sql`create table run_breaks (
    run bigint not null,
    break_id text collate "C" not null references breaks,
    primary key (run, break_id)
  )`,
  sql`create index facts_moved_by_time on facts (occurred_at, payment_id, fact_id)
    where kind in ('captured', 'refunded')`,
]);
