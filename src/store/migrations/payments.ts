import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** Payments with their facts and operations, and the index from provider objects to payments. */
export const createPayments = migrationOf([
  sql`create table payments (
    payment_id text collate "C" primary key,
    connection_id text not null,
    merchant_reference text not null,
    capture_mode text not null,
    currency text not null,
    requested_minor numeric not null check (requested_minor = trunc(requested_minor)),
    description text,
    return_url text,
    requested_capture_before timestamptz,
    options jsonb,
    requested_at timestamptz not null,
    status text not null default 'created',
    authorized_minor numeric not null default 0,
    captured_minor numeric not null default 0,
    voided_minor numeric not null default 0,
    refunded_minor numeric not null default 0,
    flags jsonb not null default '[]',
    problem jsonb,
    provider_reference text,
    needs_attention boolean not null default false,
    revision bigint not null default -1,
    ended boolean not null default false,
    next_action jsonb,
    terms jsonb,
    capture_before timestamptz,
    attention jsonb,
    unknown_since timestamptz,
    stated_reference text,
    stated_reference_revision bigint not null default -1,
    recorded_at timestamptz not null default now()
  )`,
  sql`create index payments_by_time on payments (requested_at desc, payment_id desc)`,
  sql`create index payments_by_connection
    on payments (connection_id, requested_at desc, payment_id desc)`,
  sql`create index payments_by_merchant_reference
    on payments (merchant_reference, requested_at desc, payment_id desc)`,
  sql`create index payments_by_status on payments (status, requested_at desc, payment_id desc)`,
  sql`create index payments_needing_attention
    on payments (requested_at desc, payment_id desc) where needs_attention`,
  sql`create table facts (
    payment_id text collate "C" not null references payments,
    fact_id text not null,
    ordinal bigint generated always as identity,
    kind text not null,
    object text not null,
    part text,
    amount_minor numeric check (amount_minor = trunc(amount_minor)),
    amount_currency text,
    tip_minor numeric check (tip_minor = trunc(tip_minor)),
    tip_currency text,
    problem jsonb,
    occurred_at timestamptz not null,
    source text not null,
    recorded_at timestamptz not null default now(),
    primary key (payment_id, fact_id)
  )`,
  sql`create table operations (
    payment_id text collate "C" not null references payments,
    operation text collate "C" not null,
    sequence integer not null,
    key text not null,
    state text not null,
    amount_minor numeric check (amount_minor = trunc(amount_minor)),
    amount_currency text,
    intended_at timestamptz not null,
    settled_at timestamptz,
    problem jsonb,
    revision bigint not null,
    primary key (payment_id, operation, sequence)
  )`,
  sql`create table provider_objects (
    connection_id text not null,
    provider_reference text not null,
    payment_id text collate "C" not null references payments,
    ordinal bigint generated always as identity,
    primary key (connection_id, provider_reference, payment_id)
  )`,
]);
