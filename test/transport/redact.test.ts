import { describe, expect, it, test } from 'vitest';
import { redactText } from '../../src/transport/redact.js';

const JWS = 'eyJ0eXAiOiJqb3NlK2pzb24ifQ..LoBPG9T00c-0urv5FXrTWmumUJBTpTaqG5F0Hci_Ygi0';

describe('what is masked', () => {
  test.each([
    [
      'an API key',
      'Authorization: Bearer 5a2db0c5-0000-4000-8000-7061796d656e!',
      'Authorization: Bearer [redacted]!',
    ],
    [
      'an API key by itself',
      'key 5A2DB0C5-0000-4000-8000-7061796D656E is wrong',
      'key [uuid] is wrong',
    ],
    ['basic credentials', 'basic dXNlcjpwYXNz=', 'basic [redacted]'],
    ['a long token', `token ${'aB3_'.repeat(10)} is wrong`, 'token [token] is wrong'],
    ['a detached signature', `signature ${JWS} is wrong`, 'signature [signature] is wrong'],
    ['an attached signature', 'got eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln', 'got [signature]'],
    ['a Dutch account', 'to NL47FRBK0293409698.', 'to [iban].'],
    ['a Belgian account in groups', 'to BE68 5390 0754 7034.', 'to [iban].'],
    ['a Belgian account with dashes', 'to BE68-5390-0754-7034.', 'to [iban].'],
    ['a Norwegian account', 'to NO9386011117947.', 'to [iban].'],
    ['a Maltese account', 'to MT84MALT011000012345MTLCAST001S.', 'to [iban].'],
    ['a card number', 'card 4111111111111111 refused', 'card [number] refused'],
    ['a card number in groups', 'card 4111 1111 1111 1111 refused', 'card [number] refused'],
    ['a card number with dashes', 'card 3782-822463-10005 refused', 'card [number] refused'],
    ['an e-mail address', 'ask john.doe+x@mail.example.org now', 'ask [e-mail] now'],
    ['several at once', 'BE68539007547034, 4111111111111111', '[iban], [number]'],
  ])('%s', (_name, text, expected) => {
    expect(redactText(text)).toBe(expected);
  });
});

describe('what is left', () => {
  test.each([
    ["Payment not found '5ba35a3d0989e3000758b9c2'"],
    ["Field 'amount' is mandatory"],
    ['PAYMENT_NOT_PENDING'],
    ['must be 1 to 999999 cents'],
    ['created 2026-03-01T10:00:00.000Z'],
    [''],
  ])('%s', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

it('cuts at 200 characters, after masking', () => {
  const text = `${'word '.repeat(38)}NL47FRBK0293409698 and more`;
  expect(redactText(text)).toBe(`${'word '.repeat(38)}[iban] an…`);
  expect(redactText('a b '.repeat(1_000))).toHaveLength(200);
});
