/** What the provider says of an object besides facts: how the payment it belongs to is found. */
import type { Money } from './money.js';

export interface Subject {
  /** The merchant's reference that the object carries. */
  readonly reference?: string;
  readonly description?: string;
  /** As asked of the payer, without a tip. */
  readonly amount: Money;
  /** When the provider made it. ISO 8601, UTC. */
  readonly createdAt: string;
  /** Where the provider reports on it, as far as it says. */
  readonly notificationUrl?: string;
}

/**
 * A payment that is to begin at the provider without us: by somebody who scans a printed code. What
 * is absent may be anything. Reference, description and amount together are used once.
 */
export interface Expectation {
  readonly reference?: string;
  readonly description?: string;
  readonly amount?: Money;
}
