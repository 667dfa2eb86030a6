import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { refundIntentOf, startMerchant, type Merchant } from './merchant.js';
import { startOddProvider, type OddProvider } from './odd-provider.js';

/** Answers that the sandbox never gives. */
let merchant: Merchant;
let odd: OddProvider;
beforeEach(async () => {
  merchant = await startMerchant({ auth: 'signed' });
  odd = await startOddProvider(merchant);
});
afterEach(async () => {
  await odd.close();
  await merchant.close();
});

type Meaning = readonly [kind: string, code: string];
const UNAUTHORIZED: Meaning = ['not_sent', 'unauthorized'];
const UNEXPECTED: Meaning = ['unknown', 'unexpected_answer'];
const NO_ANSWER: Meaning = ['unknown', 'no_answer'];

const PAYMENT = '5ba37c3d0989e3000758b9d8';
const made = (changes: object = {}) => ({
  refundId: '61f1204b4d07487d6ac57842',
  paymentId: PAYMENT,
  amount: 1250,
  currency: 'EUR',
  status: 'PENDING',
  creationDate: '2026-03-01T10:00:00.000Z',
  ...changes,
});
const error = (code: string) => ({ code, message: 'x' });

describe('PCQ-11: a refund, answered outside the document:', () => {
  test.each<[string, number, object | string, ...Meaning]>([
    ['201 of another amount', 201, made({ amount: 1249 }), ...UNEXPECTED],
    ['201 of another currency', 201, made({ currency: 'USD' }), ...UNEXPECTED],
    ['201 of another payment', 201, made({ paymentId: '0'.repeat(24) }), ...UNEXPECTED],
    ['201 without an id', 201, made({ refundId: undefined }), ...UNEXPECTED],
    ['201 with an id of another length', 201, made({ refundId: 'x' }), ...UNEXPECTED],
    ['201 without an amount', 201, made({ amount: undefined }), ...UNEXPECTED],
    ['201 with a new status', 201, made({ status: 'QUEUED' }), ...UNEXPECTED],
    ['201 without a status', 201, made({ status: undefined }), ...UNEXPECTED],
    ['201 with an empty body', 201, '', ...UNEXPECTED],
    ['201 with too long a body', 201, made({ more: 'x'.repeat(70_000) }), ...NO_ANSWER],
    ['200 in place of 201', 200, made(), ...UNEXPECTED],
    ['202', 202, made(), ...UNEXPECTED],
    ['204', 204, '', ...UNEXPECTED],
    ['301', 301, '', ...NO_ANSWER],
    ['400 without a code', 400, '', ...UNEXPECTED],
    ['400 with a code of another status', 400, error('REFUND_NOT_POSSIBLE'), ...UNEXPECTED],
    ['403 with a code of another status', 403, error('REFUND_NOT_ALLOWED'), ...UNEXPECTED],
    ['403 with a new code', 403, error('IP_NOT_ALLOWED'), ...UNAUTHORIZED],
    ['401 without a body', 401, '', ...UNAUTHORIZED],
    ['404 without a code: a wrong path', 404, 'Not Found', ...UNEXPECTED],
    ['409', 409, error('REFUND_REQUEST_CONFLICT'), ...UNEXPECTED],
    ['429', 429, '', 'not_sent', 'throttled'],
    ['503', 503, '', ...NO_ANSWER],
  ])('%s', async (_name, status, body, kind, code) => {
    odd.answer(status, body);
    const outcome = await odd.connection.refunds!.operation.send(refundIntentOf(PAYMENT));
    expect(outcome).toMatchObject({ kind, problem: { code } });
  });

  test.each([
    ['PROCESSING', 'processing'],
    ['REFUNDED', 'succeeded'],
    ['FAILED', 'failed'],
  ])('a 201 that knows more (%s) is believed', async (status, standing) => {
    odd.answer(201, made({ status, currency: undefined, creationDate: null, more: 1 }));
    expect(await odd.connection.refunds!.operation.send(refundIntentOf(PAYMENT))).toMatchObject({
      kind: 'succeeded',
      value: { providerReference: '61f1204b4d07487d6ac57842', standing },
    });
  });
});

describe('PCQ-12: how a refund stands', () => {
  const reading = () =>
    odd.connection.refunds!.read({
      paymentReference: PAYMENT,
      providerReference: '61f1204b4d07487d6ac57842',
    });

  test.each<[string, number, object | string]>([
    ['another refund', 200, made({ refundId: '0'.repeat(24) })],
    ['a refund of another payment', 200, made({ paymentId: '0'.repeat(24) })],
    ['a new status', 200, made({ status: 'QUEUED' })],
    ['no amount', 200, made({ amount: undefined })],
    ['201 in place of 200', 201, made()],
    ['404 without a code', 404, 'Not Found'],
    ['404 with another code', 404, error('MERCHANT_PROFILE_NOT_FOUND')],
    ['422 with a code of 404', 422, error('REFUND_NOT_FOUND')],
    ['422, not of a reading', 422, error('PAYMENT_FOR_REFUND_NOT_FOUND')],
    ['400', 400, error('VALIDATION_ERROR')],
    ['403', 403, ''],
  ])('is unclear after %s', async (_name, status, body) => {
    odd.answer(status, body);
    expect((await reading()).kind).toBe('unclear');
  });

  it('is told to be asked for again when the provider says', async () => {
    odd.answer(429, '', { 'retry-after': '7' });
    expect(await reading()).toMatchObject({
      kind: 'unclear',
      problem: { code: 'throttled' },
      retryAfterMs: 7_000,
    });
  });
});
