import { describe, expect, it, test } from 'vitest';
import { checkPayment } from '../../../src/providers/payconiq/rules.js';
import { requestOf } from './merchant.js';

const options = (more: object) => ({ options: { provider: 'payconiq', ...more } });
const check = (changes: object, voidSupport = true) =>
  checkPayment({ voidSupport }, { ...requestOf(), ...changes });
const cents = (minor: unknown, currency: unknown = 'EUR') => ({ amount: { minor, currency } });

/** Limits of L922-960 and L6560-6600, each on both sides. */
const LIMITS: Readonly<Record<string, { good: readonly object[]; bad: readonly object[] }>> = {
  'amount.minor': { good: [cents('1'), cents('999999')], bad: [cents('0'), cents('1000000')] },
  'amount.currency': { good: [cents('1')], bad: [cents('1', 'USD'), cents('1', 'JPY')] },
  merchantReference: {
    good: [{ merchantReference: 'x'.repeat(35) }],
    bad: [{ merchantReference: 'x'.repeat(36) }],
  },
  description: {
    good: [{ description: 'x'.repeat(140) }],
    bad: [{ description: 'x'.repeat(141) }],
  },
  returnUrl: {
    good: [{ returnUrl: `https://x/${'x'.repeat(2_038)}` }],
    bad: [{ returnUrl: `https://x/${'x'.repeat(2_039)}` }],
  },
  'options.bulkId': {
    good: [options({}), options({ bulkId: 'x' }), options({ bulkId: 'x'.repeat(35) })],
    bad: [options({ bulkId: '' }), options({ bulkId: 'x'.repeat(36) }), options({ bulkId: 7 })],
  },
  'options.provider': { good: [options({})], bad: [{ options: { provider: 'other' } }] },
  'options.bulkid': { good: [options({})], bad: [options({ bulkid: 'x' })] },
};

describe.each(Object.entries(LIMITS))('%s', (field, { good, bad }) => {
  test.each(good)('%# is allowed', (changes) => expect(check(changes)).toEqual([]));
  test.each(bad)('%# is refused', (changes) => {
    expect(check(changes).map((violation) => violation.field)).toEqual([field]);
  });
});

describe('manual capture', () => {
  const manual = { captureMode: 'manual' };
  it('is allowed with void support', () => expect(check(manual)).toEqual([]));
  it('is refused without', () => {
    expect(check(manual, false).map(({ field }) => field)).toEqual(['captureMode']);
  });
});

describe('a request that passed no API', () => {
  // What it throws would be an unknown outcome of a call that was never made.
  test.each<[string, object]>([
    ['an amount that is no integer', cents('12.5')],
    ['an amount that is a number', cents(1250)],
    ['an empty amount', cents('')],
    ['an amount of words', cents('a lot')],
    ['no amount', { amount: undefined }],
    ['null for an amount', { amount: null }],
    ['a text for an amount', { amount: 'EUR 5' }],
    ['a currency that is no text', cents('1', 978)],
    ['a reference that is no text', { merchantReference: 7 }],
    ['null for a description', { description: null }],
    ['a text for options', { options: 'bulk' }],
  ])('with %s is not thrown at', (_name, changes) => {
    expect(Array.isArray(check(changes))).toBe(true);
  });
});

it('every violation names its rule, and shows no more of a value than its length', () => {
  const violations = check({
    merchantReference: 'secret '.repeat(9),
    description: 'x'.repeat(141),
  });
  expect(violations).toEqual([
    {
      field: 'merchantReference',
      rule: 'must be at most 35 characters at Payconiq',
      value: '63 characters',
    },
    {
      field: 'description',
      rule: 'must be at most 140 characters at Payconiq',
      value: '141 characters',
    },
  ]);
});
