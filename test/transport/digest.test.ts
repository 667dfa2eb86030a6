import { describe, expect, it, test } from 'vitest';
import { fittingKey, sha256Hex } from '../../src/transport/digest.js';

describe('a key for a provider', () => {
  test.each(['r-1/refund/1', 'A_b-9./', 'x'.repeat(64)])('stays as it is: %s', (key) => {
    expect(fittingKey(key, 64)).toBe(key);
  });

  test.each([
    ['too long', 'x'.repeat(65)],
    ['with a space', 'refund 1'],
    ['with a line break', 'refund\r\nx: y'],
    ['beyond ASCII', 'rückzahlung'],
    ['empty', ''],
  ])('is a digest where it does not fit: %s', (_name, key) => {
    expect(fittingKey(key, 64)).toBe(sha256Hex(key));
    expect(fittingKey(key, 40)).toBe(sha256Hex(key).slice(0, 40));
  });

  it('is another for another, though they begin the same', () => {
    const long = 'x'.repeat(64);
    expect(fittingKey(`${long}/refund/1`, 64)).not.toBe(fittingKey(`${long}/refund/2`, 64));
  });

  it('is the same in every version of Holdfast', () => {
    expect(fittingKey(`${'x'.repeat(64)}/refund/1`, 64)).toBe(
      '0a7218e055ab10a647011de16a213a330e34790963de8e664ba0ba96bc7b7437',
    );
  });

  test.each([31, 0, -1, 40.5, Number.NaN])('is not cut to %s, where two could meet', (length) => {
    expect(() => fittingKey('k', length)).toThrow(RangeError);
  });
});
