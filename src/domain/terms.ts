import type { OperationName } from './ids.js';
import type { DeadlinePolicy } from './payment.js';

/** How a lost answer to an operation is settled. Explained in the providers' contract. */
export type Recovery = 'repeat' | 'fetch' | 'wait' | 'reissue';

/**
 * What a workflow has to know of the provider: its limits in time and what its connection can do.
 * Comes from the adapter with the first answer, so that workflow code knows no provider.
 */
export interface Terms {
  /** After it the payer can no longer act. ISO 8601. */
  readonly payerDeadline?: string;
  /** The provider's own limit for capture and void; past it, it releases the money. ISO 8601. */
  readonly captureDeadline?: string;
  /** The operations this connection offers. */
  readonly recoveries: Partial<Record<OperationName, Recovery>>;
  /** Whether a capture may take less than was authorized. */
  readonly partialCapture: boolean;
  /** What becomes of money that is held though nobody asked for it. `void` if absent. */
  readonly unexpectedAuthorization?: DeadlinePolicy;
}
