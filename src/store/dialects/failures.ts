import { StoreUnavailable } from '../errors.js';

/**
 * SQLSTATEs that say "not now": connection trouble, resources, operator's intervention, a standby
 * that takes no writes. The rest are faults of a statement.
 * @see https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
const UNAVAILABLE = /^(08...|53...|57P0[1-5]|57014|58...|25006|55P03|25P03)$/;

/** Of these, the ones after which the connection is of no use. */
const CONNECTION_LOST = /^(08...|57P0[1-5]|25P03)$/;

/** A failed statement, told apart. */
export interface Failure {
  readonly error: Error;
  readonly isConnectionLost: boolean;
}

/** Drivers' connection errors carry no SQLSTATE; wrong arguments are TypeError or RangeError. */
export function classifyFailure(cause: unknown): Failure {
  if (!(cause instanceof Error)) return { error: unavailable(cause), isConnectionLost: true };
  const state = sqlStateOf(cause);
  if (state !== undefined) {
    const error = UNAVAILABLE.test(state) ? unavailable(cause) : cause;
    return { error, isConnectionLost: CONNECTION_LOST.test(state) };
  }
  if (cause instanceof TypeError || cause instanceof RangeError) {
    return { error: cause, isConnectionLost: false };
  }
  return { error: unavailable(cause), isConnectionLost: true };
}

/** The cause's message stays in `cause`: it can name hosts and users. */
export function unavailable(cause: unknown): StoreUnavailable {
  if (cause instanceof StoreUnavailable) return cause;
  return new StoreUnavailable('the database cannot serve now', { cause });
}

const SQL_STATE = /^[0-9A-Z]{5}$/;

function sqlStateOf(error: Error): string | undefined {
  if (!('severity' in error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && SQL_STATE.test(code) ? code : undefined;
}
