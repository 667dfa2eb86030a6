import { describe, expect, it, test } from 'vitest';
import { containsCardNumber } from '../../src/domain/luhn.js';

// The card schemes' published test numbers.
const VISA = '4111111111111111';
const VISA_13 = '4222222222222';
const AMEX = '378282246310005';
const DINERS = '30569309025904';
const MAESTRO_19 = '6304000000000000000';

describe('a card number', () => {
  test.each([
    ['of 16 digits', VISA],
    ['of 13 digits', VISA_13],
    ['of 14 digits', DINERS],
    ['of 15 digits', AMEX],
    ['of 19 digits', MAESTRO_19],
    ['in groups', '4111 1111 1111 1111'],
    ['in groups with dashes', '4111-1111-1111-1111'],
    ['in a sentence', `card ${VISA}, thanks`],
    ['between letters', `x${VISA}x`],
    ['after another number', `order 12 ${VISA}`],
    ['before another number', `${VISA} 12/27`],
    ['between two numbers', `12 4111 1111 1111 1111 34`],
    ['after a number of 13 digits', `1000000000000 ${AMEX}`],
  ])('is found %s', (_name, text) => {
    expect(containsCardNumber(text)).toBe(true);
  });

  test.each([
    ['with a wrong check digit', '4111111111111112'],
    ['too short', '424242424242'],
    ['in a number of 20 digits', '41111111111111110000'],
    ['in a UUID', '5ba37c3d-0989-4000-8758-b9d800000000'],
    ['in an id of the provider’s', '5ba37c3d0989e3000758b9d8'],
    ['in dates', '2026-03-01 10:00:00'],
    ['in words', 'Sample description'],
    ['in nothing', ''],
  ])('is not found %s', (_name, text) => {
    expect(containsCardNumber(text)).toBe(false);
  });

  it('is told by its checksum alone: one in ten', () => {
    const found = Array.from({ length: 10 }, (_, digit) => `411111111111111${digit}`).filter(
      containsCardNumber,
    );
    expect(found).toEqual([VISA]);
  });
});
