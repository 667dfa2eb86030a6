import { describe, expect, it, test } from 'vitest';
import type { PaymentRequest } from '../../src/domain/payment.js';
import { checkRequest } from '../../src/domain/request-rules.js';

const REQUEST: PaymentRequest = {
  paymentId: 'order-1',
  connectionId: 'shop',
  amount: { minor: '1250', currency: 'EUR' },
  captureMode: 'automatic',
  merchantReference: 'order 1',
  requestedAt: '2026-03-01T10:00:00.000Z',
};
const withChanges = (changes: Record<string, unknown>): PaymentRequest => ({
  ...REQUEST,
  ...changes,
});
const fieldsOf = (changes: Record<string, unknown>): string[] =>
  checkRequest(withChanges(changes)).map(({ field }) => field);
const MANUAL = { captureMode: 'manual' };

/** Every field with values that are fine, and values that are not, of every type JSON has. */
const FIELDS: Readonly<Record<string, { good: readonly object[]; bad: readonly object[] }>> = {
  paymentId: {
    good: ['a', '7', 'A_b-c', 'x'.repeat(64)].map((paymentId) => ({ paymentId })),
    bad: [
      '',
      '-a',
      '_a',
      'a b',
      'a/b',
      'a.b',
      'é',
      'x'.repeat(65),
      'a\n',
      7,
      null,
      undefined,
      {},
    ].map((paymentId) => ({ paymentId })),
  },
  connectionId: {
    good: [{ connectionId: 'x' }],
    bad: ['', 7, null, undefined].map((connectionId) => ({ connectionId })),
  },
  'amount.minor': {
    good: ['1', '9'.repeat(30), undefined].map((minor) => ({ amount: { minor, currency: 'EUR' } })),
    bad: ['0', '-1', '1.5', '01', '', ' 1', '1\n', '1e3', '9'.repeat(31), 1250, null].map(
      (minor) => ({ amount: { minor, currency: 'EUR' } }),
    ),
  },
  'amount.currency': {
    good: ['EUR', 'JPY'].map((currency) => ({ amount: { minor: '1', currency } })),
    bad: ['eur', 'EURO', 'XAU', '', 978, null, undefined].map((currency) => ({
      amount: { minor: '1', currency },
    })),
  },
  captureMode: {
    good: [{ captureMode: 'automatic' }, MANUAL],
    bad: ['auto', '', true, null, undefined].map((captureMode) => ({ captureMode })),
  },
  merchantReference: {
    good: ['x', 'x'.repeat(256)].map((merchantReference) => ({ merchantReference })),
    bad: ['', 'x'.repeat(257), 7, null, undefined, 'card 4111 1111 1111 1111'].map(
      (merchantReference) => ({ merchantReference }),
    ),
  },
  description: {
    good: [{ description: undefined }, { description: 'x'.repeat(512) }],
    bad: ['', 'x'.repeat(513), 7, null, 'card 4111111111111111'].map((description) => ({
      description,
    })),
  },
  returnUrl: {
    good: ['https://shop.example', 'http://localhost:1/back?a=b#c', undefined].map((returnUrl) => ({
      returnUrl,
    })),
    bad: [
      '',
      'shop.example',
      '//shop',
      'https://',
      'https:///x',
      'ftp://x',
      'javascript:alert(1)',
      'https://shop.example/a b',
      'https://shop.example\n',
      7,
      null,
    ].map((returnUrl) => ({ returnUrl })),
  },
  captureBefore: {
    good: ['2026-03-01T10:00:00.001Z', '2026-03-02T00:00:00+01:00'].map((captureBefore) => ({
      ...MANUAL,
      captureBefore,
    })),
    bad: [
      ...['2026-03-02', '2026-03-02T10:00:00', 'tomorrow', '', '2026-13-02T10:00:00Z', 7, null].map(
        (captureBefore) => ({ ...MANUAL, captureBefore }),
      ),
      { ...MANUAL, captureBefore: REQUEST.requestedAt },
      { ...MANUAL, captureBefore: '2026-03-01T10:30:00+01:00' },
      { captureBefore: '2026-03-02T10:00:00Z' },
    ],
  },
  atDeadline: {
    good: ['void', 'capture'].map((atDeadline) => ({ ...MANUAL, atDeadline })),
    bad: [...['refund', '', 7, null].map((atDeadline) => ({ ...MANUAL, atDeadline }))].concat([
      { ...MANUAL, captureMode: 'automatic', atDeadline: 'void' },
    ]),
  },
  origin: {
    good: [{ origin: undefined }],
    bad: ['adopted', 7, null].map((origin) => ({ origin })),
  },
  requestedAt: {
    good: ['2026-03-01T10:00Z', '2026-03-01T10:00:00.123456+02:00'].map((requestedAt) => ({
      requestedAt,
    })),
    bad: [
      '2026-03-01',
      '2026-03-01T10:00:00',
      '1 March 2026',
      '',
      1772359200000,
      null,
      undefined,
    ].map((requestedAt) => ({ requestedAt })),
  },
};

describe.each(Object.entries(FIELDS))('%s', (field, { good, bad }) => {
  test.each(good.map((changes) => [JSON.stringify(changes), changes] as const))(
    'may be %s',
    (_text, changes) => expect(checkRequest(withChanges({ ...changes }))).toEqual([]),
  );

  test.each(bad.map((changes) => [JSON.stringify(changes), changes] as const))(
    'may not be %s',
    (_text, changes) => expect(fieldsOf({ ...changes })).toEqual([field]),
  );
});

describe('a request', () => {
  it('has a rule, or is left to the provider, in every field', () => {
    const ruled = new Set(Object.keys(FIELDS).map((field) => field.split('.')[0]));
    const all: Record<keyof Required<PaymentRequest>, true> = {
      ...{ paymentId: true, connectionId: true, amount: true, captureMode: true },
      ...{ merchantReference: true, description: true, returnUrl: true, captureBefore: true },
      ...{ requestedAt: true, options: true, atDeadline: true, origin: true },
    };
    expect(Object.keys(all).filter((field) => !ruled.has(field))).toEqual(['options']);
  });

  it('that is wrong in many fields is told all of them, each with its rule', () => {
    const violations = checkRequest({} as PaymentRequest);
    expect(violations.map(({ field }) => field)).toEqual([
      'paymentId',
      'connectionId',
      'amount.minor',
      'amount.currency',
      'captureMode',
      'merchantReference',
      'requestedAt',
    ]);
    for (const { rule } of violations) expect(rule).toMatch(/^must /);
  });

  test.each([null, 'EUR 5', 7, []])('with the amount %j is refused, not thrown at', (amount) => {
    expect(fieldsOf({ amount })).toEqual(['amount.minor', 'amount.currency']);
  });

  it('never repeats a card number in what it says', () => {
    const said = JSON.stringify(
      checkRequest(withChanges({ merchantReference: '4111111111111111' })),
    );
    expect(said).toContain('must not contain a card number');
    expect(said).not.toContain('4111');
  });
});
