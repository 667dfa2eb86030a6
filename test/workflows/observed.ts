import type { PaymentStatus } from '../../src/sandbox/payconiq/payment.js';
import type { PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';

/** What was asked of the provider about one payment, reads left out. */
export function sent(sandbox: PayconiqSandbox, reference: string): readonly string[] {
  const ids = sandbox.payments({ reference }).map(({ paymentId }) => paymentId);
  return sandbox
    .requests()
    .filter((each) => each.reference === reference || ids.includes(each.paymentId ?? ''))
    .flatMap(({ operation }) => operation ?? [])
    .filter((operation) => operation !== 'get' && operation !== 'search');
}

/** What really moved at the provider, e.g. `debited 1250`. */
export function movements(sandbox: PayconiqSandbox, reference: string): readonly string[] {
  return sandbox.ledger
    .ofReference(reference)
    .map(({ kind, amountMinor }) => `${kind} ${amountMinor}`);
}

/** From now on no notification about this payment (in this status) leaves the provider. */
export function loseCallbacks(
  sandbox: PayconiqSandbox,
  reference: string,
  status?: PaymentStatus,
): void {
  sandbox.faults.always('callback', { kind: 'lose' }, { where: { reference, status } });
}

export const TAKEN = ['debited 1250', 'paid_out 1250'];
export const RELEASED = ['debited 1250', 'credited_back 1250'];
