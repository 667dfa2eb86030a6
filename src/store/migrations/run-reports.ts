import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** How a run left its breaks and payouts: what its report says, whatever becomes of them later. */
export const createRunReports = migrationOf([
  sql`alter table run_breaks
    add column status text not null default 'open',
    add column ours_minor numeric,
    add column ours_currency text,
    add column theirs_minor numeric,
    add column theirs_currency text,
    add column explanation jsonb,
    add column resolution jsonb`,
  sql`create table run_payouts (
    run bigint not null,
    ordinal bigint generated always as identity,
    payout jsonb not null,
    primary key (run, ordinal)
  )`,
]);
