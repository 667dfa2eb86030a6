import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type { Tables } from '../database.js';
import { storableText } from '../values.js';
import { classifyFailure } from './failures.js';

/** A database as the store uses it. Nothing outside this folder knows which one it is. */
export interface Database {
  readonly db: Kysely<Tables>;
  /** Lends a database without statement limit, for migrations. */
  withPatience(use: (db: Kysely<Tables>) => Promise<void>): Promise<void>;
  /** Waits for what is running. May be called again. */
  close(): Promise<void>;
}

/** A session lent out by a driver. */
export interface Session {
  query(sql: string, parameters: unknown[]): Promise<unknown>;
  /** `isBroken`: it must not be lent again. */
  release(state: { readonly isBroken: boolean }): void;
}

export function kyselyOver(pool: PostgresPool): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/**
 * A session as Kysely wants it. Driver errors become the store's own. Once the connection is lost
 * every further statement (a rollback) fails at once, instead of waiting for its own timeout.
 */
export function kyselyClient(session: Session): PostgresPoolClient {
  let lostTo: Error | undefined;
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (lostTo !== undefined) throw lostTo;
    try {
      return await session.query(text, parameters.map(storableParameter));
    } catch (cause) {
      const { error, isConnectionLost } = classifyFailure(cause);
      if (isConnectionLost) lostTo = error;
      throw error;
    }
  };
  return {
    query: query as PostgresPoolClient['query'],
    release: () => session.release({ isBroken: lostTo !== undefined }),
  };
}

function storableParameter(parameter: unknown): unknown {
  return typeof parameter === 'string' ? storableText(parameter) : parameter;
}

/** The action, run at the first call only; later calls get the same promise. */
export function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
