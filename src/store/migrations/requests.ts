import { sql } from 'kysely';
import { migrationOf } from './statements.js';

/** API requests under their idempotency keys. `status` is null while one is running. */
export const createRequests = migrationOf([
  sql`create table api_requests (
    client text not null,
    key text not null,
    fingerprint text not null,
    token text not null,
    lease_until timestamptz not null,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamptz not null default now(),
    primary key (client, key)
  )`,
  sql`create index api_requests_by_age on api_requests (created_at)`,
]);
