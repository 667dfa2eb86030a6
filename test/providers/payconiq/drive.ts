import { expect } from 'vitest';
import type { Fact } from '../../../src/domain/facts.js';
import type { Outcome } from '../../../src/domain/outcome.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import type { Evidence, Intent, Operation } from '../../../src/providers/provider.js';
import type { PaymentStatus } from '../../../src/sandbox/payconiq/payment.js';
import { intentOf, requestOf, type Merchant } from './merchant.js';

const WINDOW_MS = 168 * 3_600_000;

type Bring = (merchant: Merchant, id: string) => unknown;

/** How a payment comes into each of the provider's statuses. */
const BRING: Record<PaymentStatus, Bring> = {
  PENDING: () => undefined,
  IDENTIFIED: ({ sandbox }, id) => sandbox.consumer.scan(id),
  AUTHORIZED: ({ sandbox }, id) => sandbox.consumer.pay(id, { stopAt: 'bank' }),
  PENDING_MERCHANT_ACKNOWLEDGEMENT: ({ sandbox }, id) => sandbox.consumer.pay(id),
  SUCCEEDED: async ({ sandbox, payments }, id) => {
    sandbox.consumer.pay(id);
    const intent = intentOf('capture', requestOf(), { providerReference: id });
    await payments.operations.capture!.send(intent);
  },
  VOIDED: async ({ sandbox }, id) => {
    sandbox.consumer.pay(id);
    await sandbox.clock.advance(WINDOW_MS);
  },
  CANCELLED: ({ sandbox }, id) => sandbox.consumer.cancel(id),
  EXPIRED: ({ sandbox }) => sandbox.clock.advance(120_000),
  AUTHORIZATION_FAILED: ({ sandbox }, id) => sandbox.consumer.failAtBank(id),
  FAILED: ({ sandbox }, id) => sandbox.consumer.fail(id),
};

/** Brings a payment into a status, as it comes about at the provider. */
export async function bring(merchant: Merchant, id: string, status: PaymentStatus): Promise<void> {
  await BRING[status](merchant, id);
  expect(merchant.sandbox.payment(id)?.status).toBe(status);
}

/** A new payment in a status. */
export async function paymentIn(
  merchant: Merchant,
  status: PaymentStatus,
): Promise<{ request: PaymentRequest; providerReference: string }> {
  const { request, opened } = await merchant.create();
  await bring(merchant, opened.providerReference, status);
  return { request, providerReference: opened.providerReference };
}

/** The bodies of one operation's requests, as they arrived. */
export function bodies({ sandbox }: Merchant, operation: string): Record<string, unknown>[] {
  return sandbox
    .requests()
    .filter((sent) => sent.operation === operation)
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
}

/** Each fact in short: `captured 1250`. */
export function told(facts: readonly Fact[]): string[] {
  return facts.map(({ kind, amount }) => (amount ? `${kind} ${amount.minor}` : kind));
}

export function factsOf(outcome: Outcome<unknown>): string[] {
  return 'facts' in outcome ? told(outcome.facts) : [];
}

/** @throws Error where the operation is settled otherwise */
export async function findBy<Value>(
  operation: Operation<Value>,
  intent: Intent,
): Promise<Evidence<Value>> {
  if (!('find' in operation)) throw new Error('the operation has nothing to find with');
  return operation.find(intent);
}
