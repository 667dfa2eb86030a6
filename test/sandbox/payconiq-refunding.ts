import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import { paid, sandbox } from './payconiq-harness.js';
import type { Reply } from './payconiq-harness.js';
import { signed, startSigned } from './payconiq-signed.js';

/** Longer than any test of this file takes. */
export const DELAY_MS = 600_000;

interface Refund {
  readonly refundId: string;
  readonly status: string;
}
interface Asked {
  readonly key?: string;
  readonly body?: unknown;
}
export const begin = (options: PayconiqSandboxOptions = {}): Promise<void> =>
  startSigned({ refundDelayMs: DELAY_MS, ...options });
export const askRefund = (id: string, { key = 'key-1', body = { amount: 50 } }: Asked = {}) =>
  signed(`/v3/payments/${id}/refunds`, {
    method: 'POST',
    body,
    headers: { 'idempotency-key': key },
  });
export const getRefund = (id: string, refundId: string): Promise<Reply> =>
  signed(`/v3/payments/${id}/refunds/${refundId}`);
export const refundOf = ({ json }: Reply): Refund => json as unknown as Refund;
export const amounts = (id: string): number[] =>
  sandbox.refunds.ofPayment(id).map(({ amount }) => amount);
/** A refund of 50 of a payment of 122. */
export const refunded = async (): Promise<{ readonly id: string; readonly refundId: string }> => {
  const id = await paid();
  const { refundId } = refundOf(await askRefund(id));
  return { id, refundId };
};
