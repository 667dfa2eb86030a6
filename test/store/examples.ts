import { randomUUID } from 'node:crypto';
import { fact, type Fact } from '../../src/domain/facts.js';
import type { OperationRecord, PaymentRequest } from '../../src/domain/payment.js';
import type { PaymentRecord, Progress } from '../../src/domain/record.js';
import type { NewNotification } from '../../src/store/inbox.js';

export const AT = '2026-03-04T05:06:07.089Z';

export function uniqueId(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

export function eur(minor: number | string) {
  return { minor: String(minor), currency: 'EUR' };
}

export function aRequest(overrides: Partial<PaymentRequest> = {}): PaymentRequest {
  return {
    paymentId: uniqueId('pay'),
    connectionId: 'shop',
    amount: eur(1250),
    captureMode: 'automatic',
    merchantReference: 'order-1',
    requestedAt: AT,
    ...overrides,
  };
}

export function aRecord(
  overrides: Partial<Omit<PaymentRecord, 'progress'>> & { progress?: Partial<Progress> } = {},
): PaymentRecord {
  return {
    request: aRequest(),
    particulars: {},
    facts: [],
    operations: [],
    ...overrides,
    progress: { revision: 1, ended: false, ...overrides.progress },
  };
}

export function aFact(stated: Pick<Fact, 'kind'> & Partial<Fact>): Fact {
  return fact({ object: 'obj-1', occurredAt: AT, source: 'notification', ...stated });
}

export function anOperation(overrides: Partial<OperationRecord> = {}): OperationRecord {
  const { operation = 'create', sequence = 1 } = overrides;
  return {
    operation,
    sequence,
    key: `key/${operation}/${sequence}`,
    state: 'sent',
    intendedAt: AT,
    ...overrides,
  };
}

export function aNotification(overrides: Partial<NewNotification> = {}): NewNotification {
  return {
    connectionId: uniqueId('shop'),
    eventId: uniqueId('event'),
    verdict: 'facts',
    facts: [aFact({ kind: 'authorized', amount: eur(1250) })],
    body: new Uint8Array([0, 1, 127, 128, 255]),
    headers: { 'content-type': 'application/json' },
    receivedAt: AT,
    ...overrides,
  };
}
