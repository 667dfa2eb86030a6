import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { payerOf } from '../../../src/providers/payconiq/mapping.js';
import { callback, details, parseBody } from '../../../src/providers/payconiq/wire.js';
import { lastCallback, startMerchant, type Merchant } from './merchant.js';
import { jsonVector, vector } from './vectors.js';

const DEBTOR = { name: 'Zoë Müller', iban: '*************47034' };
const MESSAGE = 'Keep the change';

let merchant: Merchant;

beforeAll(async () => {
  merchant = await startMerchant();
});
afterAll(() => merchant.close());

async function paid(debtor: object = DEBTOR) {
  const { request, opened } = await merchant.create();
  const { providerReference } = opened;
  merchant.sandbox.consumer.pay(providerReference, { debtor, message: MESSAGE });
  const told = await lastCallback(merchant);
  const receipt = await merchant.notifications.receive(told);
  const reading = await merchant.payments.read({ request, providerReference });
  if (receipt.kind !== 'facts' || reading.kind !== 'found') throw new Error('not understood');
  return { receipt, reading };
}

describe('the payer', () => {
  test('PCQ-16: is named by a callback, apart from the facts', async () => {
    const { receipt } = await paid();
    expect(receipt.payer).toEqual(DEBTOR);
    expect(JSON.stringify(receipt.facts)).not.toMatch(/Zoë|47034/);
  });

  test('PCQ-05: is named by the details, with the message to the merchant', async () => {
    const { reading } = await paid();
    expect(reading.payer).toEqual({ ...DEBTOR, message: MESSAGE });
    expect(JSON.stringify([reading.facts, reading.terms])).not.toMatch(/Zoë|47034|change/);
  });

  test('PCQ-05, PCQ-16: need not be known', async () => {
    const { receipt, reading } = await paid({});
    expect(receipt).not.toHaveProperty('payer');
    expect(reading.payer).toEqual({ message: MESSAGE });
  });

  test('PCQ-05, PCQ-16: is read in the document’s own examples', async () => {
    const { body } = await jsonVector<{ body: string }>('sample-callback');
    const called = parseBody(callback, Buffer.from(body))!;
    expect(payerOf(called)).toEqual({ name: 'John', iban: '*************12636' });
    expect(payerOf(parseBody(details, await vector('details'))!)).toMatchObject({
      iban: expect.stringMatching(/^\*+/),
    });
  });

  test.each([
    ['no debtor', { debtor: undefined }, undefined],
    ['a debtor that is null', { debtor: null, message: null }, undefined],
    ['an empty debtor', { debtor: {}, message: '' }, undefined],
    ['a name that is null', { debtor: { name: null, iban: '*1' } }, { iban: '*1' }],
    ['a name that is no text', { debtor: { name: 7, iban: '*1' } }, { iban: '*1' }],
    ['a debtor that is a text', { debtor: 'John', message: 'Hi' }, { message: 'Hi' }],
    ['control characters', { debtor: { name: 'Jo\u0000hn\n' } }, { name: 'Jo hn' }],
    ['a text without end', { debtor: { name: 'x'.repeat(9_999) } }, { name: 'x'.repeat(200) }],
  ])('decides nothing: %s is fine', async (_what, changes, payer) => {
    const {
      message: _m,
      debtor: _d,
      ...sample
    } = await jsonVector<Record<string, unknown>>('details');
    const told = Buffer.from(JSON.stringify({ ...sample, ...changes }));
    for (const schema of [callback, details]) {
      const statement = parseBody(schema, told);
      expect(statement).toBeDefined();
      expect(payerOf(statement!)).toEqual(payer);
    }
  });
});
