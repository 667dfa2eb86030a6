import type { Balances } from '../domain/ledger.js';

/** The append-only ledger. It is written where facts, refunds and payouts are recorded. */
export interface Ledger {
  /** What all entries of a connection, or of all, come to. */
  balances(connectionId?: string): Promise<Balances>;
}
