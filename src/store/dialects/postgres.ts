import pg from 'pg';
import type { PostgresPool } from 'kysely';
import { kyselyClient, kyselyOver, once, type Database } from './dialect.js';
import { unavailable } from './failures.js';

export interface PostgresSettings {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** Default 10. */
  readonly maxConnections?: number;
}

const LIMITS = {
  connectTimeoutMs: 2_000,
  statementTimeoutMs: 5_000,
  /** The client's own clock, for a server that no longer answers at all. */
  answerTimeoutMs: 6_000,
  /** A stopped process must not keep a payment's row locked. */
  idleInTransactionTimeoutMs: 10_000,
} as const;

/** A PostgreSQL server. Connects when first used, so that opening works while it is down. */
export function openPostgres({ url, maxConnections = 10 }: PostgresSettings): Database {
  const pool = poolOf({
    connectionString: url,
    max: maxConnections,
    statement_timeout: LIMITS.statementTimeoutMs,
    query_timeout: LIMITS.answerTimeoutMs,
  });
  const db = kyselyOver(pool);
  return {
    db,
    async withPatience(use) {
      const patient = kyselyOver(poolOf({ connectionString: url, max: 2 }));
      try {
        await use(patient);
      } finally {
        await patient.destroy();
      }
    },
    close: () => pool.end(),
  };
}

function poolOf(config: pg.PoolConfig): PostgresPool {
  const pool = new pg.Pool({
    connectionTimeoutMillis: LIMITS.connectTimeoutMs,
    idle_in_transaction_session_timeout: LIMITS.idleInTransactionTimeoutMs,
    keepAlive: true,
    application_name: 'holdfast',
    ...config,
  });
  // A server that goes away emits on idle and on lent clients alike; unheard, it ends the process.
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return { connect: () => connect(pool), end: once(() => pool.end()) };
}

async function connect(pool: pg.Pool): ReturnType<PostgresPool['connect']> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw unavailable(cause);
  });
  return kyselyClient({
    query: (text, parameters) => client.query(text, parameters),
    release: ({ isBroken }) => client.release(isBroken),
  });
}

function ignore(): void {
  // The statement that meets the lost connection reports it.
}
