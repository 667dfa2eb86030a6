/** The same payments in our record: what rows.ts reports, written without living through them. */
import pg from 'pg';

export async function seedPayments(
  url: string,
  { connectionId, count }: { readonly connectionId: string; readonly count: number },
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of STATEMENTS) await client.query(statement, [connectionId, count]);
    await client.query('analyze');
  } finally {
    await client.end();
  }
}

const STATEMENTS = [
  `insert into payments (payment_id, connection_id, merchant_reference, capture_mode, currency,
     requested_minor, requested_at, status, authorized_minor, captured_minor, ended)
   select 'pay-' || n, $1::text, 'order-' || n, 'automatic', 'EUR', 100 + n % 900,
     timestamptz '2026-03-04T09:00:00Z', 'captured', 100 + n % 900, 100 + n % 900, true
   from generate_series(0, $2::bigint - 1) n`,
  `insert into facts (payment_id, fact_id, kind, object, amount_minor, amount_currency,
     occurred_at, source)
   select 'pay-' || n, kind || '|' || object || '||' || (100 + n % 900) || 'EUR', kind, object,
     100 + n % 900, 'EUR', timestamptz '2026-03-04T09:00:00Z', 'notification'
   from generate_series(0, $2::bigint - 1) n,
     lateral (select lpad(to_hex(n), 24, '0') as object) o,
     unnest(array['authorized', 'captured']) kind
   where $1::text is not null`,
  `insert into provider_objects (connection_id, provider_reference, payment_id)
   select $1::text, lpad(to_hex(n), 24, '0'), 'pay-' || n from generate_series(0, $2::bigint - 1) n`,
];
