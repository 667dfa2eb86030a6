import { describe, expect, it, test } from 'vitest';
import { currencyExponent, knownCurrencies } from '../../src/domain/currencies.js';

/** ISO 4217, list one, "Mnr unt" other than 2. */
const OTHER_THAN_TWO: Readonly<Record<string, number>> = {
  ...{ BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0 },
  ...{ UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0 },
  ...{ BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3 },
  ...{ CLF: 4, UYW: 4 },
};

describe('the table of currencies', () => {
  it('has the exponent 2 for all but those of the standard', () => {
    const others = knownCurrencies().filter((code) => currencyExponent(code) !== 2);
    expect(Object.fromEntries(others.map((code) => [code, currencyExponent(code)]))).toEqual(
      OTHER_THAN_TWO,
    );
  });

  // What displays show, and what ISO 4217 says, differ for these: they would be scaled wrongly.
  test.each(['HUF', 'IDR', 'COP', 'IRR', 'LAK', 'LBP', 'MGA', 'MMK', 'MRU', 'PKR', 'RSD', 'TWD'])(
    'has two decimals for %s',
    (code) => expect(currencyExponent(code)).toBe(2),
  );

  test.each(['XCG', 'SLE', 'VED', 'VES', 'ZWG', 'STN', 'MRU', 'BYN', 'SSP', 'XAD'])(
    'knows the newer %s',
    (code) => expect(currencyExponent(code)).toBeDefined(),
  );

  test.each(['XAU', 'XAG', 'XPT', 'XPD', 'XDR', 'XSU', 'XUA', 'XBA', 'XBB', 'XBC', 'XBD', 'XTS'])(
    'leaves out %s, which has no minor unit',
    (code) => expect(currencyExponent(code)).toBeUndefined(),
  );

  test.each(['DEM', 'ANG', 'HRK', 'CUC', 'SLL', 'ZWL', 'MRO', 'STD', 'BYR', 'VEF', 'XXX', 'LTL'])(
    'leaves out %s, which is no currency any more',
    (code) => expect(currencyExponent(code)).toBeUndefined(),
  );

  test.each(['eur', 'Eur', ' EUR', 'EU', '', 'toString', '__proto__', 'constructor'])(
    'does not know %j',
    (code) => expect(currencyExponent(code)).toBeUndefined(),
  );

  it('has no code that Unicode never heard of, save those of funds and of late years', () => {
    const funds = ['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'UYI', 'UYW'];
    const late = ['SLE', 'VED', 'XAD', 'XCG', 'ZWG'];
    const heardOf = new Set([...Intl.supportedValuesOf('currency'), ...funds, ...late]);
    expect(knownCurrencies().filter((code) => !heardOf.has(code))).toEqual([]);
  });

  it('lacks none of the currencies that much of the world is paid in', () => {
    const used =
      'AED ARS AUD BDT BGN BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GHS HKD HUF IDR ILS INR ' +
      'ISK JPY KES KRW KWD KZT LKR MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK ' +
      'SGD THB TND TRY TWD TZS UAH UGX USD UYU UZS VND XAF XCD XOF XPF ZAR ZMW';
    expect(used.split(' ').filter((code) => currencyExponent(code) === undefined)).toEqual([]);
  });

  it('is sorted, each once, three capitals', () => {
    const codes = knownCurrencies();
    expect(codes).toEqual([...new Set(codes)].sort());
    expect(codes.filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
  });
});
