import { describe, expect, it } from 'vitest';
import { fact, type FactKind } from '../../src/domain/facts.js';
import { money } from '../../src/domain/money.js';
import { paymentOf } from '../../src/domain/payment-view.js';
import type { PaymentRecord } from '../../src/domain/record.js';

const said = (kind: FactKind, minor?: number) =>
  fact({
    kind,
    object: 'obj-1',
    ...(minor !== undefined && { amount: money(minor, 'EUR') }),
    occurredAt: '2026-03-01T10:00:00.000Z',
    source: 'answer',
  });
const RECORD: PaymentRecord = {
  request: {
    paymentId: 'order-1',
    connectionId: 'shop',
    amount: money(100, 'EUR'),
    captureMode: 'manual',
    merchantReference: 'order 1',
    requestedAt: '2026-03-01T10:00:00.000Z',
  },
  particulars: {
    providerReference: 'obj-0',
    nextAction: { kind: 'qr_code' },
    terms: { payerDeadline: '2026-03-01T10:02:00.000Z', recoveries: {}, partialCapture: false },
  },
  facts: [said('created')],
  operations: [],
  progress: { revision: 1, ended: false },
};
const view = (changes: Partial<PaymentRecord> = {}) => paymentOf({ ...RECORD, ...changes });

describe('the view of a payment', () => {
  it('derives status, amounts and flags from the facts alone', () => {
    const payment = view({ facts: [said('authorized', 110), said('captured', 110)] });
    expect(payment).toMatchObject({
      status: 'captured',
      flags: ['amount_differs'],
      amounts: { requested: { minor: '100' }, captured: { minor: '110' } },
    });
  });

  it('tells the payer’s next action while the payer has one', () => {
    expect(view().nextAction).toEqual({ kind: 'qr_code' });
    expect(view({ facts: [said('authorized', 100)] })).not.toHaveProperty('nextAction');
  });

  it('names the object that carries money, else the one made last, whose link the payer has', () => {
    expect(view({ facts: [said('authorized', 100)] }).providerReference).toBe('obj-1');
    expect(view().providerReference).toBe('obj-0');
    expect(view({ particulars: {} }).providerReference).toBe('obj-1');
    expect(view({ facts: [] }).providerReference).toBe('obj-0');
    expect(view({ facts: [], particulars: {} })).not.toHaveProperty('providerReference');
  });

  it('carries what the workflow noted of its progress', () => {
    const progress = {
      revision: 7,
      ended: true,
      captureBefore: '2026-03-07T10:00:00.000Z',
      attention: { reason: 'outcome_unknown', since: '2026-03-01T10:20:00.000Z' },
      unknownSince: '2026-03-01T10:05:00.000Z',
    } as const;
    const { revision: _revision, ...shown } = progress;
    expect(view({ progress })).toMatchObject(shown);
  });

  it('leaves out what is not known, and is plain JSON', () => {
    const payment = view({ particulars: {} });
    expect(JSON.parse(JSON.stringify(payment))).toEqual(payment);
    for (const name of ['description', 'payerDeadline', 'captureBefore', 'problem', 'attention']) {
      expect(payment).not.toHaveProperty(name);
    }
  });
});
