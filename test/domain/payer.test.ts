import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { PAYER_FIELDS, payerData } from '../../src/domain/payer.js';

describe('what is told of a payer', () => {
  it('is kept as it is, in any script', () => {
    const told = { name: 'Zoë Müller 王', iban: '*************12636', message: 'Merci 👩‍🍳!' };
    expect(payerData(told)).toEqual(told);
  });

  test.each([
    ['nothing', {}],
    ['what is absent', { name: undefined, iban: undefined }],
    ['what is empty', { name: '', iban: '  ', message: '\n\u0000' }],
  ])('is nothing where there is only %s', (_what, told) => {
    expect(payerData(told)).toBeUndefined();
  });

  it('is of one line, without what changes how a text shows', () => {
    expect(payerData({ message: ' one\r\n\ttwo\u001b[31m\u202ethree\u2028four\ud800 ' })).toEqual({
      message: 'one two [31m three four',
    });
  });

  it('is cut where it is too long, never within a character', () => {
    const { name } = payerData({ name: '😀'.repeat(500) })!;
    expect(name).toBe('😀'.repeat(PAYER_FIELDS.name));
  });

  it('is the same when it is told again as it was kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (message) => {
        const kept = payerData({ message });
        expect(kept && payerData(kept)).toEqual(kept);
        expect(kept?.message ?? '').not.toMatch(/\p{Cc}|\p{Surrogate}/u);
        expect(Array.from(kept?.message ?? '').length).toBeLessThanOrEqual(PAYER_FIELDS.message);
      }),
    );
  });
});
