import { describe, expect, it, test } from 'vitest';
import type { FactKind } from '../../../src/domain/facts.js';
import {
  ERRORS,
  PAYCONIQ_STATUSES,
  amountsOf,
  errorMeaning,
  factsOf,
  statusMeaning,
  type PayconiqStatus,
} from '../../../src/providers/payconiq/mapping.js';
import type { Statement } from '../../../src/providers/payconiq/wire.js';

const AT_MS = Date.parse('2026-03-02T00:00:00Z');
const statement = (changes: Partial<Statement> = {}): Statement => ({
  paymentId: '5ba37c3d0989e3000758b9d8',
  createdAt: '2026-03-01T10:00:00.000Z',
  expireAt: '2026-03-01T10:02:00.000Z',
  status: 'SUCCEEDED',
  amount: 122,
  ...changes,
});
const factsFor = (changes: Partial<Statement>) =>
  factsOf(statement(changes), { source: 'query', atMs: AT_MS });

/** The document's list, L689-701 and L11985-12012, with what each proves and whether it is final. */
const DOCUMENTED = {
  PENDING: [['created'], 'intermediary'],
  IDENTIFIED: [['processing'], 'intermediary'],
  AUTHORIZED: [['processing'], 'intermediary'],
  PENDING_MERCHANT_ACKNOWLEDGEMENT: [['authorized'], 'intermediary'],
  SUCCEEDED: [['authorized', 'captured'], 'final'],
  VOIDED: [['authorized', 'voided'], 'final'],
  AUTHORIZATION_FAILED: [['declined'], 'final'],
  FAILED: [['declined'], 'final'],
  CANCELLED: [['canceled'], 'final'],
  EXPIRED: [['expired'], 'final'],
} as const satisfies Record<
  PayconiqStatus,
  readonly [readonly FactKind[], 'final' | 'intermediary']
>;

describe('statuses', () => {
  it('are those of the document, all of them', () => {
    expect([...PAYCONIQ_STATUSES].sort()).toEqual(Object.keys(DOCUMENTED).sort());
  });

  test.each(Object.entries(DOCUMENTED))('%s proves what it says', (status, [kinds, stage]) => {
    expect(factsFor({ status })?.map(({ kind }) => kind)).toEqual(kinds);
    expect(statusMeaning(status)?.isFinal).toBe(stage === 'final');
  });

  test.each(Object.keys(DOCUMENTED))('%s carries money only where money moved', (status) => {
    const withMoney = ['PENDING_MERCHANT_ACKNOWLEDGEMENT', 'SUCCEEDED', 'VOIDED'].includes(status);
    for (const { amount } of factsFor({ status }) ?? []) {
      expect(amount).toEqual(withMoney ? { minor: '122', currency: 'EUR' } : undefined);
    }
  });

  test.each(['PENDING', 'IDENTIFIED', 'PENDING_MERCHANT_ACKNOWLEDGEMENT'])(
    '%s alone leaves something for DELETE to do',
    (status) => expect(statusMeaning(status)?.isReleasable).toBe(true),
  );

  it('leave nothing for DELETE to do otherwise', () => {
    const releasable = PAYCONIQ_STATUSES.filter((status) => statusMeaning(status)?.isReleasable);
    expect(releasable).toHaveLength(3);
  });

  test.each(['PAID', 'succeeded', '', 'toString', '__proto__'])('%j is not known', (status) => {
    expect(statusMeaning(status)).toBeUndefined();
    expect(factsFor({ status })).toBeUndefined();
  });

  test.each(['AUTHORIZATION_FAILED', 'FAILED'])('%s says why', (status) => {
    expect(factsFor({ status })?.[0]?.problem).toMatchObject({ providerCode: status });
  });
});

describe('amounts', () => {
  test.each<[string, Partial<Statement>, readonly [string, string, string]]>([
    ['without a tip', { totalAmount: 122, tippingAmount: 0 }, ['122', '0', '122']],
    ['with a tip', { totalAmount: 172, tippingAmount: 50 }, ['122', '50', '172']],
    ['with a tip and no total', { tippingAmount: 50 }, ['122', '50', '172']],
    ['with an amount alone', {}, ['122', '0', '122']],
    ['with a total that nothing explains', { totalAmount: 120 }, ['122', '0', '120']],
  ])('%s', (_name, changes, expected) => {
    const { amount, tip, total } = amountsOf(statement(changes));
    expect([amount.minor, tip.minor, total.minor]).toEqual(expected);
  });

  it('of facts are what the payer paid, with the tip beside', () => {
    const [, captured] = factsFor({ totalAmount: 172, tippingAmount: 50 }) ?? [];
    expect(captured).toMatchObject({ amount: { minor: '172' }, tip: { minor: '50' } });
  });

  it('are in the currency that is told, euros if none is', () => {
    expect(amountsOf(statement({ currency: 'CHF' })).total.currency).toBe('CHF');
    expect(amountsOf(statement()).total.currency).toBe('EUR');
  });
});

describe('the time of a fact', () => {
  const succeededAt = '2026-03-01T11:01:00.000+01:00';
  test.each<[PayconiqStatus, string]>([
    ['PENDING', '2026-03-01T10:00:00.000Z'],
    ['SUCCEEDED', '2026-03-01T10:01:00.000Z'],
  ])('of %s is the one that Payconiq tells, in UTC', (status, occurredAt) => {
    expect(factsFor({ status, succeededAt })?.[0]?.occurredAt).toBe(occurredAt);
  });

  it('is when it was learned where Payconiq tells none', () => {
    expect(factsFor({ status: 'EXPIRED' })?.[0]?.occurredAt).toBe('2026-03-02T00:00:00.000Z');
  });

  it('does not change its identity', () => {
    const early = factsOf(statement(), { source: 'notification', atMs: 0 });
    expect(early?.map(({ id }) => id)).toEqual(factsFor({ succeededAt })?.map(({ id }) => id));
  });
});

describe('error codes', () => {
  /** L711-722 and the tables of create, get, search, acknowledge and DELETE. */
  const documented =
    'UNAUTHORIZED ACCESS_DENIED PAYMENT_NOT_FOUND CALLER_NOT_ALLOWED_TO_CANCEL PAYMENT_NOT_PENDING ' +
    'PAYMENT_CONFLICT BODY_MISSING FIELD_REQUIRED FIELD_IS_REQUIRED FIELD_IS_INVALID ' +
    'QR_NO_LONGER_IN_USE UNABLE_TO_PAY_CREDITOR TRY_AGAIN_LATER MERCHANT_PROFILE_NOT_FOUND ' +
    'PAYMENT_VOIDED';

  it('are those of the document, all of them', () => {
    expect(Object.keys(ERRORS).sort()).toEqual(documented.split(' ').sort());
  });

  it('leave a technical error to its status: whatever happened is unknown', () => {
    expect(errorMeaning('TECHNICAL_ERROR')).toBeUndefined();
  });

  test.each(['toString', '__proto__', 'unauthorized', ''])('do not include %j', (code) => {
    expect(errorMeaning(code)).toBeUndefined();
  });
});
