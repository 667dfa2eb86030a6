import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { buildOgm, formatOgm, parseOgm } from '../../../../src/providers/payconiq/formats/ogm.js';
import { jsonVector } from '../vectors.js';
import { brokenFields, valueOf } from './outcome.js';
import { anyText } from './texts.js';

const samples = await jsonVector<readonly { readonly digits: string }[]>('ogm');

describe('a structured communication', () => {
  test.each(samples)(
    'PCQ-25: $digits of the document ($lines) has the check digits we make',
    ({ digits }) => {
      expect(valueOf(buildOgm(digits.slice(0, 10)))).toBe(digits);
      expect(parseOgm(digits)).toBe(digits);
    },
  );

  test.each([
    ['0', '000000000097'],
    ['97', '000000009797'],
    ['1', '000000000101'],
    ['96', '000000009696'],
    ['1234567890', '123456789002'],
  ])('PCQ-25: of %s is %s: 97 stands for no remainder, zeros fill up', (number, ogm) => {
    expect(valueOf(buildOgm(number))).toBe(ogm);
  });

  test.each(['', '12345678901', '-1', '1.5', '12 34', '１２'])(
    'PCQ-25: of "%s" is refused',
    (number) => {
      expect(brokenFields(buildOgm(number))).toEqual(['number']);
    },
  );

  it('PCQ-25: is printed for people, and read in each of its forms', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{10}$/), (number) => {
        const ogm = valueOf(buildOgm(number));
        expect(formatOgm(ogm)).toMatch(/^\+{3}\d{3}\/\d{4}\/\d{5}\+{3}$/);
        expect(parseOgm(formatOgm(ogm))).toBe(ogm);
        expect(parseOgm(formatOgm(ogm).replaceAll('+', '*'))).toBe(ogm);
        expect(parseOgm(ogm)).toBe(ogm);
      }),
    );
  });

  it('PCQ-25: no single wrong digit goes unseen', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^\d{10}$/),
        fc.nat(11),
        fc.integer({ min: 1, max: 9 }),
        (number, at, by) => {
          const ogm = valueOf(buildOgm(number));
          const wrong = (Number(ogm[at]) + by) % 10;
          const text = `${ogm.slice(0, at)}${wrong}${ogm.slice(at + 1)}`;
          expect(parseOgm(text)).toBeUndefined();
        },
      ),
    );
  });

  test.each([
    '',
    '123456789012',
    '+++123/4567/89012+++',
    '+++123/4567/89002',
    '++123/4567/89002++',
    '123/4567/89002',
    '1234567890 02',
    '000000000000',
    '123456789002\n',
  ])('PCQ-25: is not read from "%s"', (text) => {
    expect(parseOgm(text)).toBeUndefined();
  });

  it('PCQ-25: is read from no text by accident, and never throws', () => {
    const candidates = fc.oneof(anyText(30), fc.stringMatching(/^[\d+*/]{0,20}$/));
    fc.assert(
      fc.property(candidates, (text) => {
        const ogm = parseOgm(text);
        if (ogm !== undefined) expect(valueOf(buildOgm(ogm.slice(0, 10)))).toBe(ogm);
      }),
    );
  });
});
