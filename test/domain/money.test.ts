import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { currencyExponent, knownCurrencies } from '../../src/domain/currencies.js';
import {
  addMoney,
  compareMoney,
  formatDecimal,
  formatMoney,
  isPositive,
  minorOf,
  money,
  parseMoney,
  subtractMoney,
} from '../../src/domain/money.js';

const EUR = (minor: bigint | number | string) => money(minor, 'EUR');
const minorUnits = fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n });

describe('money', () => {
  test.each([
    ['a fraction', 12.5],
    ['a number beyond 2^53', 2 ** 53],
    ['a number in exponent form', 1e21],
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['a decimal text', '12.50'],
    ['leading zeros', '007'],
    ['a plus sign', '+1'],
    ['a space', ' 1'],
    ['nothing', ''],
    ['a line break', '1\n'],
    ['hexadecimal', '0x10'],
    ['digits of another script', '١٢'],
  ])('refuses %s', (_name, minor) => {
    expect(() => EUR(minor)).toThrow(RangeError);
  });

  test.each([
    ['0', 0, '0'],
    ['minus zero', -0, '0'],
    ['minus zero as text', '-0', '0'],
    ['the largest safe number', 2 ** 53 - 1, '9007199254740991'],
    ['a bigint of 27 digits', 10n ** 27n, '1000000000000000000000000000'],
    ['a negative text', '-1250', '-1250'],
  ])('keeps %s', (_name, minor, expected) => {
    expect(EUR(minor)).toEqual({ minor: expected, currency: 'EUR' });
  });

  it('survives JSON unchanged', () => {
    const amount = EUR(10n ** 27n);
    expect(JSON.parse(JSON.stringify(amount))).toEqual(amount);
  });

  it('adds, subtracts and compares as integers do', () => {
    fc.assert(
      fc.property(minorUnits, minorUnits, (a, b) => {
        expect(minorOf(addMoney(EUR(a), EUR(b)))).toBe(a + b);
        expect(minorOf(subtractMoney(EUR(a), EUR(b)))).toBe(a - b);
        expect(Math.sign(compareMoney(EUR(a), EUR(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(isPositive(EUR(a))).toBe(a > 0n);
      }),
    );
  });

  test.each([
    ['adding', addMoney],
    ['subtracting', subtractMoney],
    ['comparing', compareMoney],
  ])('refuses %s two currencies', (_name, combine) => {
    expect(() => combine(EUR(1), money(1, 'USD'))).toThrow('cannot combine EUR with USD');
  });
});

describe('parseMoney and formatDecimal', () => {
  test.each(knownCurrencies())('are each other’s reverse in %s', (currency) => {
    fc.assert(
      fc.property(minorUnits, (minor) => {
        const amount = money(minor, currency);
        expect(parseMoney(formatDecimal(amount), currency)).toEqual(amount);
      }),
      { numRuns: 25 },
    );
  });

  it('are each other’s reverse with an exponent of the provider’s own', () => {
    fc.assert(
      fc.property(minorUnits, fc.integer({ min: 0, max: 18 }), (minor, exponent) => {
        const amount = money(minor, 'BTC');
        expect(parseMoney(formatDecimal(amount, exponent), 'BTC', exponent)).toEqual(amount);
      }),
    );
  });

  it('write as many decimals as the currency has, for every currency', () => {
    for (const currency of knownCurrencies()) {
      const decimals = formatDecimal(money(1, currency)).split('.')[1] ?? '';
      expect([currency, decimals.length]).toEqual([currency, currencyExponent(currency)]);
    }
  });

  test.each([
    ['12.50', 'EUR', '1250'],
    ['12.5', 'EUR', '1250'],
    ['12', 'EUR', '1200'],
    ['-0.01', 'EUR', '-1'],
    ['-0.00', 'EUR', '0'],
    ['0012.50', 'EUR', '1250'],
    ['12.500', 'EUR', '1250'],
    ['125', 'JPY', '125'],
    ['125.0', 'JPY', '125'],
    ['1.234', 'BHD', '1234'],
    ['1.2345', 'CLF', '12345'],
  ])('read %s %s', (decimal, currency, minor) => {
    expect(parseMoney(decimal, currency)).toEqual({ minor, currency });
  });

  test.each([
    ['12.505', 'EUR', 'more than 2 decimals'],
    ['0.1', 'JPY', 'more than 0 decimals'],
    ['12.', 'EUR', 'not a decimal'],
    ['.5', 'EUR', 'not a decimal'],
    ['1e3', 'EUR', 'not a decimal'],
    ['1,5', 'EUR', 'not a decimal'],
    ['1 000', 'EUR', 'not a decimal'],
    ['--1', 'EUR', 'not a decimal'],
    ['', 'EUR', 'not a decimal'],
    ['1', 'EURO', 'no ISO 4217 currency'],
    ['1', 'eur', 'no ISO 4217 currency'],
  ])('refuse to read %j %s', (decimal, currency, reason) => {
    expect(() => parseMoney(decimal, currency)).toThrow(reason);
  });

  test.each([
    ['5', 'EUR', '0.05'],
    ['-5', 'EUR', '-0.05'],
    ['0', 'EUR', '0.00'],
    ['5', 'JPY', '5'],
    ['1', 'KWD', '0.001'],
    ['12345', 'UYW', '1.2345'],
  ])('write %s of %s as %s', (minor, currency, decimal) => {
    expect(formatDecimal({ minor, currency })).toBe(decimal);
  });

  it('write for people, an unknown currency in minor units', () => {
    expect(formatMoney(EUR(1250))).toBe('EUR 12.50');
    expect(formatMoney(money(1250, 'BTC'))).toBe('BTC 1250 minor units');
  });
});
