import type { PaymentRequest } from '../../domain/payment.js';
import type { Terms } from '../../domain/terms.js';
import type { ConnectionResources } from '../provider.js';
import type { CallApi } from './api.js';
import type { PayconiqSettings } from './config.js';
import type { PayconiqReads } from './reads.js';

/** What every part of a connection's payments works with. */
export interface PaymentsContext {
  readonly settings: PayconiqSettings;
  readonly callApi: CallApi;
  readonly reads: PayconiqReads;
  now(): number;
  /** Epoch milliseconds by which a call that begins now has to be over. */
  deadline(): number;
  notificationUrl: ConnectionResources['notificationUrl'];
  /** The terms of a payment; what of its object is not known yet is absent. */
  terms(request: PaymentRequest, object: KnownObject): Terms;
}

/** What of a payment's object bears on its terms, in Payconiq's words. */
export interface KnownObject {
  readonly createdAt?: string;
  readonly payerDeadline?: string;
  readonly status?: string;
}
