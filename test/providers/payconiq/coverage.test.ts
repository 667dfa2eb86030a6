import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';

/** All that Payconiq's guide asks of a merchant or partner, each by the id that tests name it by. */
const OPERATIONS = {
  'PCQ-01': 'a payment in store',
  'PCQ-02': 'a payment on a printed sticker',
  'PCQ-03': 'a payment online or by app',
  'PCQ-04': 'a payment of a partner’s sub-merchant',
  'PCQ-05': 'the details of a payment',
  'PCQ-06': 'the search for payments',
  'PCQ-07': 'the acknowledgement of a payment',
  'PCQ-08': 'the cancellation of an unpaid payment',
  'PCQ-09': 'the void of a payment that waits for us',
  'PCQ-10': 'the payer’s IBAN for a transfer',
  'PCQ-11': 'a refund',
  'PCQ-12': 'the state of a refund',
  'PCQ-13': 'payouts of a day',
  'PCQ-14': 'payments of a payout or period',
  'PCQ-15': 'refunds of a payout or period',
  'PCQ-16': 'callbacks',
  'PCQ-17': 'Payconiq’s public keys',
  'PCQ-18': 'our public keys',
  'PCQ-19': 'the signature of requests',
  'PCQ-20': 'the signature of answers',
  'PCQ-21': 'loyalty registration',
  'PCQ-22': 'images of QR codes',
  'PCQ-23': 'the code of a sticker',
  'PCQ-24': 'the code of a receipt',
  'PCQ-25': 'the code of an invoice',
  'PCQ-26': 'the link of an e-mailed invoice',
  'PCQ-27': 'the code of a top-up',
  'PCQ-28': 'the link from app to app',
  'PCQ-29': 'the link from a mobile browser to the app',
  'PCQ-30': 'the hosted checkout page',
  'PCQ-31': 'the return to the shop',
  'PCQ-32': 'remittance of a payment',
  'PCQ-33': 'remittance of a structured invoice',
  'PCQ-34': 'remittance of a sub-merchant’s payment',
  'PCQ-35': 'remittance of a bulk payout',
  'PCQ-36': 'remittance of a refund',
  'PCQ-37': 'the end-to-end id of a payment',
  'PCQ-38': 'how the brand is shown',
} as const;

type Id = keyof typeof OPERATIONS;

/** What no test can prove, and why. */
const UNPROVEN: Partial<Record<Id, string>> = {};

const TESTS = fileURLToPath(new URL('../../', import.meta.url));
const HERE = fileURLToPath(import.meta.url);
const ids = Object.keys(OPERATIONS) as Id[];

/** Every id that stands in a text of a test, as its title does. */
const named = new Set(
  readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .map((path) => `${TESTS}${path}`)
    .filter((path) => path.endsWith('.test.ts') && path !== HERE)
    .flatMap((path) => readFileSync(path, 'utf8').match(/['"`][^'"`\n]*PCQ-\d\d[^'"`\n]*/g) ?? [])
    .flatMap((text) => text.match(/PCQ-\d\d/g) ?? []),
);

describe('of what Payconiq’s guide asks', () => {
  it('nothing is left out of the list', () => {
    const numbers = Array.from({ length: 38 }, (_, index) => String(index + 1).padStart(2, '0'));
    expect(ids).toEqual(numbers.map((number) => `PCQ-${number}`));
  });

  test.each(ids)('%s is proven by a test that names it, or it is said why not', (id) => {
    expect([OPERATIONS[id], named.has(id)]).toEqual([OPERATIONS[id], UNPROVEN[id] === undefined]);
  });

  it('nothing is proven that is not on the list', () => {
    expect([...named].filter((id) => !(ids as string[]).includes(id))).toEqual([]);
  });
});
