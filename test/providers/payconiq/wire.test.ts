import { describe, expect, it, test } from 'vitest';
import { nextActionOf } from '../../../src/providers/payconiq/creation.js';
import { errorMeaning } from '../../../src/providers/payconiq/mapping.js';
import {
  callback,
  createAnswer,
  details,
  errorAnswer,
  parseBody,
  searchAnswer,
} from '../../../src/providers/payconiq/wire.js';
import { jsonVector, vector } from './vectors.js';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('the document’s own examples', () => {
  test.each(['create-instore', 'create-online', 'create-partner'])('of %s parse', async (name) => {
    const created = parseBody(createAnswer, await vector(name));
    expect(created).toMatchObject({ status: 'PENDING', amount: expect.any(Number) });
    expect(created?.paymentId).toHaveLength(24);
  });

  it('of payment details parse', async () => {
    expect(parseBody(details, await vector('details'))).toMatchObject({
      paymentId: '5bdaf066b93d1c000bde9683',
      status: 'SUCCEEDED',
      totalAmount: 10,
    });
  });

  it('of a search parse', async () => {
    const found = parseBody(searchAnswer, await vector('search'));
    expect(found).toMatchObject({ totalPages: 7, totalElements: 13, number: 0 });
    expect(found?.details).toHaveLength(2);
  });

  it('of a callback parse, where the body is concerned', async () => {
    const { body } = await jsonVector<{ body: string }>('sample-callback');
    expect(parseBody(callback, Buffer.from(body))).toMatchObject({
      status: 'SUCCEEDED',
      amount: 122,
    });
  });

  it('of errors parse and are known', async () => {
    const errors = await jsonVector<{ status: number; body: { code: string } }[]>('errors');
    expect(errors).toHaveLength(4);
    for (const { status, body } of errors) {
      const error = parseBody(errorAnswer, bytes(body));
      expect(errorMeaning(error?.code ?? '')?.status).toBe(status);
    }
  });

  it('PCQ-30: of a checkout link are used to the letter', async () => {
    const settings = { environment: 'ext', portalUrl: 'https://portal', profileId: 'p1' } as const;
    const options = { provider: 'payconiq', flavour: 'online' } as const;
    const created = parseBody(createAnswer, await vector('create-online'))!;
    const answer = { ...created, payerDeadline: created.expiresAt };
    const action = nextActionOf(
      settings,
      { request: { returnUrl: 'https://dummy.webshop/checkout/success' }, options },
      answer,
    );
    expect(action).toMatchObject({ kind: 'redirect', url: created._links?.checkout?.href });
    expect(nextActionOf(settings, { request: {}, options }, answer).kind).toBe('qr_code');
  });
});

describe('messages', () => {
  test.each([
    ['more members than documented', { more: [1] }],
    [
      'null where something is not known',
      { succeededAt: null, reference: null, tippingAmount: null, creditor: null, _links: null },
    ],
    ['a time with an offset', { createdAt: '2026-03-01T11:00:00.000+01:00' }],
    ['a time with an offset without colon', { createdAt: '2026-03-01T11:00:00.000+0100' }],
    ['a status that is new', { status: 'SOMETHING_NEW' }],
  ])('may have %s', async (_name, changes) => {
    const sample = await jsonVector<object>('details');
    expect(parseBody(details, bytes({ ...sample, ...changes }))).toBeDefined();
  });

  test.each([
    ['an amount that is no integer', { amount: 10.5 }],
    ['an amount as text', { amount: '10' }],
    ['a negative amount', { totalAmount: -10 }],
    ['an id of another length', { paymentId: '5bdaf066' }],
    ['a time that is none', { createdAt: 'yesterday' }],
    ['a time without an offset', { createdAt: '2026-03-01T11:00:00.000' }],
    ['no status', { status: undefined }],
  ])('may not have %s', async (_name, changes) => {
    const sample = await jsonVector<object>('details');
    expect(parseBody(details, bytes({ ...sample, ...changes }))).toBeUndefined();
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['cut JSON', '{"paymentId":"5bda'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['null', 'null'],
    ['a list', '[]'],
  ])('that are %s do not parse', (_name, body) => {
    expect(parseBody(details, Buffer.from(body))).toBeUndefined();
  });

  it('of an error need a code alone', () => {
    expect(parseBody(errorAnswer, bytes({ code: 'X', message: null }))).toMatchObject({
      code: 'X',
    });
    expect(parseBody(errorAnswer, bytes({ message: 'x' }))).toBeUndefined();
  });
});
