import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { money } from '../../../src/domain/money.js';
import { isDefinitive, type Outcome } from '../../../src/domain/outcome.js';
import { TIMING } from '../../../src/domain/timing.js';
import { REFUND_ERRORS } from '../../../src/providers/payconiq/mapping.js';
import type { RefundIntent } from '../../../src/providers/provider.js';
import { STATUS_OF_ERROR, type AnyErrorCode } from '../../../src/sandbox/payconiq/answer.js';
import { paymentIn } from './drive.js';
import { intentOf, refundIntentOf, refundOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant({ auth: 'signed' })));
afterEach(() => merchant.close());

const DAY_MS = 24 * 3_600_000;
const euros = (cents: number) => money(cents, 'EUR');
const refund = (intent: RefundIntent) => merchant.refunds!.operation.send(intent);
const paid = async () => (await paymentIn(merchant, 'SUCCEEDED')).providerReference;
const refunds = () => merchant.sandbox.refunds.list();
const asked = () => merchant.sandbox.requests().filter(({ operation }) => operation === 'refund');

async function done(intent: RefundIntent): Promise<string> {
  const outcome = await refund(intent);
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return outcome.value.providerReference;
}

describe('a connection with an API key', () => {
  it('has no refunds, which need signatures', async () => {
    const plain = await startMerchant();
    expect([plain.refunds, plain.reports]).toEqual([undefined, undefined]);
    await plain.close();
  });
});

describe('PCQ-11: a refund', () => {
  it('is ordered once, and stands as pending', async () => {
    const intent = refundIntentOf(await paid(), { amount: euros(500) });
    const outcome = await refund(intent);
    const [made] = refunds();
    expect(outcome).toEqual({
      kind: 'succeeded',
      value: { providerReference: made?.refundId, standing: 'pending' },
      facts: [],
    });
    expect(refunds()).toHaveLength(1);
    expect(made).toMatchObject({
      amount: 500,
      currency: 'EUR',
      description: 'Returned: one chair',
    });
    expect(asked()).toMatchObject([{ idempotencyKey: intent.key, status: 201 }]);
  });

  it('needs no description', async () => {
    const { description: _none, ...request } = refundOf();
    await done(refundIntentOf(await paid(), { request }));
    expect(JSON.parse(asked()[0]!.body)).toEqual({ amount: 1250, currency: 'EUR' });
  });

  it('is the same refund at every repeat, also after its end', async () => {
    const intent = refundIntentOf(await paid());
    const first = await done(intent);
    expect(await done(intent)).toBe(first);
    merchant.sandbox.refunds.advance(first, 'REFUNDED');
    expect(await done(intent)).toBe(first);
    expect(refunds()).toHaveLength(1);
  });

  it('with an id of full length has a key that fits, the same at every repeat', async () => {
    const request = refundOf({ refundId: 'r'.repeat(64) });
    const intent = refundIntentOf(await paid(), { request });
    expect(intent.key.length).toBeGreaterThan(64);
    expect(await done(intent)).toBe(await done(intent));
    expect(refunds().map(({ idempotencyKey }) => idempotencyKey?.length)).toEqual([64]);
  });

  it('of another sequence is another refund', async () => {
    const id = await paid();
    const request = refundOf();
    const first = await done(refundIntentOf(id, { request, amount: euros(100) }));
    const next = refundIntentOf(id, { request, amount: euros(100), sequence: 2 });
    expect(await done(next)).not.toBe(first);
  });

  it('may take what was paid in parts, and no more', async () => {
    const id = await paid();
    for (const cents of [1000, 250]) await done(refundIntentOf(id, { amount: euros(cents) }));
    expect((await refund(refundIntentOf(id, { amount: euros(1) }))).kind).toBe('declined');
    expect(refunds().map(({ amount }) => amount)).toEqual([1000, 250]);
  });

  it('is not sent once its moment has passed', async () => {
    const late = refundIntentOf(await paid(), { latestWriteAtMs: Date.now() - 1 });
    expect(await refund(late)).toMatchObject({ kind: 'not_sent', cause: 'too_late' });
    expect(asked()).toEqual([]);
  });

  test.each(['never', 'broken'] as const)(
    'is not believed without a good signature (%s), and is found by its repeat',
    async (mode) => {
      const intent = refundIntentOf(await paid());
      merchant.sandbox.signResponses(mode);
      expect(await refund(intent)).toMatchObject({
        kind: 'unknown',
        problem: { code: 'unverified_answer' },
      });
      merchant.sandbox.signResponses('when_signed');
      expect(await done(intent)).toBe(refunds()[0]?.refundId);
      expect(refunds()).toHaveLength(1);
    },
  );
});

describe('PCQ-11: a refund that cannot be', () => {
  const declined = (code: string, providerCode: string) => ({
    kind: 'declined',
    facts: [],
    problem: { code, providerCode },
  });

  it('of more than was paid is declined', async () => {
    expect(await refund(refundIntentOf(await paid(), { amount: euros(1251) }))).toMatchObject(
      declined('amount_unavailable', 'INVALID_REFUND_AMOUNT'),
    );
  });

  it('of a payment that nobody has paid is declined', async () => {
    const { providerReference } = await paymentIn(merchant, 'PENDING');
    expect(await refund(refundIntentOf(providerReference))).toMatchObject(
      declined('not_possible', 'REFUND_NOT_POSSIBLE'),
    );
  });

  it('of a payment that nobody knows is declined', async () => {
    expect(await refund(refundIntentOf('0'.repeat(24)))).toMatchObject(
      declined('not_found', 'PAYMENT_FOR_REFUND_NOT_FOUND'),
    );
  });

  it('of a merchant that may not refund is declined', async () => {
    merchant.sandbox.refunds.refuse('REFUND_NOT_ALLOWED');
    expect(await refund(refundIntentOf(await paid()))).toMatchObject(
      declined('not_allowed', 'REFUND_NOT_ALLOWED'),
    );
  });

  it('under a key with other contents proves nothing of either', async () => {
    const intent = refundIntentOf(await paid(), { amount: euros(100) });
    await done(intent);
    expect(await refund({ ...intent, amount: euros(200) })).toMatchObject({
      kind: 'unknown',
      problem: { code: 'key_conflict', providerCode: 'REFUND_REQUEST_CONFLICT' },
    });
    expect(refunds().map(({ amount }) => amount)).toEqual([100]);
  });

  it('for want of the IBAN goes out a day later, with the same key', async () => {
    const { request, opened } = await merchant.create();
    const { providerReference } = opened;
    merchant.sandbox.consumer.pay(providerReference, { app: 'bancontact' });
    const capture = intentOf('capture', request, { providerReference });
    await merchant.payments.operations.capture!.send(capture);
    const intent = refundIntentOf(providerReference);
    expect(await refund(intent)).toMatchObject({
      kind: 'not_sent',
      cause: 'not_yet',
      retryAfterMs: TIMING.fast.nextDayMs,
      problem: { code: 'not_available_yet', providerCode: 'DEBTOR_IBAN_NOT_AVAILABLE' },
    });
    await merchant.sandbox.clock.advance(DAY_MS);
    await done(intent);
    expect(new Set(asked().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(refunds()).toHaveLength(1);
  });
});

type Meaning = readonly [kind: string, code: string];
const REJECTED: Meaning = ['not_sent: rejected', 'provider_refused'];
const UNAUTHORIZED: Meaning = ['not_sent: rejected', 'unauthorized'];
const NOT_FOUND: Meaning = ['declined', 'not_found'];
/** Documented for other operations only. */
const UNEXPECTED: Meaning = ['unknown', 'unexpected_answer'];
const NO_ANSWER: Meaning = ['unknown', 'no_answer'];

const MEANING: Record<AnyErrorCode, Meaning> = {
  VALIDATION_ERROR: REJECTED,
  UNAUTHORIZED,
  ACCESS_DENIED: UNAUTHORIZED,
  PAYMENT_NOT_FOUND: NOT_FOUND,
  PAYMENT_FOR_REFUND_NOT_FOUND: NOT_FOUND,
  INVALID_REFUND_AMOUNT: ['declined', 'amount_unavailable'],
  REFUND_NOT_ALLOWED: ['declined', 'not_allowed'],
  REFUND_NOT_POSSIBLE: ['declined', 'not_possible'],
  DEBTOR_IBAN_NOT_AVAILABLE: ['not_sent: not_yet', 'not_available_yet'],
  REFUND_REQUEST_CONFLICT: ['unknown', 'key_conflict'],
  REFUND_NOT_FOUND: ['unknown', 'not_found'],
  TECHNICAL_ERROR: NO_ANSWER,
  TRY_AGAIN_LATER: NO_ANSWER,
  BODY_MISSING: UNEXPECTED,
  FIELD_REQUIRED: UNEXPECTED,
  FIELD_IS_REQUIRED: UNEXPECTED,
  FIELD_IS_INVALID: UNEXPECTED,
  MERCHANT_PROFILE_NOT_FOUND: UNEXPECTED,
  CALLER_NOT_ALLOWED_TO_CANCEL: UNEXPECTED,
  UNABLE_TO_PAY_CREDITOR: UNEXPECTED,
  QR_NO_LONGER_IN_USE: UNEXPECTED,
  PAYMENT_NOT_PENDING: UNEXPECTED,
  PAYMENT_VOIDED: UNEXPECTED,
  PAYMENT_CONFLICT: UNEXPECTED,
  REFUND_NOT_AVAILABLE: UNEXPECTED,
  BAD_REQUEST: UNEXPECTED,
  PAYOUT_NOT_FOUND: UNEXPECTED,
};

const summary = (outcome: Outcome<unknown>): readonly [string, string | undefined] => [
  outcome.kind === 'not_sent' ? `not_sent: ${outcome.cause}` : outcome.kind,
  'problem' in outcome ? outcome.problem.code : undefined,
];

describe('PCQ-11: a refund, answered with', () => {
  const answeredWith = async (code: AnyErrorCode, message = 'x') => {
    const intent = refundIntentOf(await paid());
    merchant.sandbox.faults.next('refund', { kind: 'answer', code, message });
    return refund(intent);
  };

  test.each(Object.keys(MEANING) as AnyErrorCode[])('%s', async (code) => {
    expect(summary(await answeredWith(code))).toEqual(MEANING[code]);
  });

  it('every code that is mapped is tried above', () => {
    expect(Object.keys(STATUS_OF_ERROR).sort()).toEqual(Object.keys(MEANING).sort());
    const tried = Object.keys(MEANING);
    expect(Object.keys(REFUND_ERRORS).filter((code) => !tried.includes(code))).toEqual([]);
  });

  it('a refusal of our credentials, it may go out again once they are mended', async () => {
    expect(isDefinitive('refund', await answeredWith('UNAUTHORIZED'))).toBe(false);
    expect(isDefinitive('refund', await answeredWith('VALIDATION_ERROR'))).toBe(true);
  });

  it('what names an account, the account is not passed on', async () => {
    const text = JSON.stringify(
      await answeredWith('REFUND_NOT_POSSIBLE', 'no credit to NL47FRBK0293409698'),
    );
    expect(text).toContain('no credit to');
    expect(text).not.toContain('NL47');
  });
});

describe('PCQ-12: how a refund stands', () => {
  const read = (paymentReference: string, providerReference: string) =>
    merchant.refunds!.read({ paymentReference, providerReference });

  it('is told at every step, with its amount', async () => {
    const id = await paid();
    const refundId = await done(refundIntentOf(id, { amount: euros(700) }));
    const found = (standing: string) => ({ kind: 'found', standing, amount: euros(700) });
    expect(await read(id, refundId)).toEqual(found('pending'));
    merchant.sandbox.refunds.advance(refundId, 'PROCESSING');
    expect(await read(id, refundId)).toEqual(found('processing'));
    merchant.sandbox.refunds.advance(refundId, 'REFUNDED');
    expect(await read(id, refundId)).toEqual(found('succeeded'));
    merchant.sandbox.refunds.reverse(refundId);
    expect(await read(id, refundId)).toEqual(found('failed'));
  });

  it('is absent for a refund, and for a payment, that nobody knows', async () => {
    const id = await paid();
    expect(await read(id, '0'.repeat(24))).toMatchObject({
      kind: 'absent',
      problem: { code: 'not_found', providerCode: 'REFUND_NOT_FOUND' },
    });
    expect(await read('0'.repeat(24), '0'.repeat(24))).toMatchObject({
      kind: 'absent',
      problem: { code: 'not_found', providerCode: 'PAYMENT_NOT_FOUND' },
    });
  });

  test.each([
    'throttle',
    'error_before_effect',
    'garbage',
    'cut_body',
    'reset_before_effect',
  ] as const)('is unclear after %s', async (kind) => {
    const id = await paid();
    const refundId = await done(refundIntentOf(id));
    merchant.sandbox.faults.next('get_refund', { kind });
    expect((await read(id, refundId)).kind).toBe('unclear');
  });

  test.each(['never', 'broken'] as const)('is not believed unsigned (%s)', async (mode) => {
    const id = await paid();
    const refundId = await done(refundIntentOf(id));
    merchant.sandbox.signResponses(mode);
    expect(await read(id, refundId)).toMatchObject({
      kind: 'unclear',
      problem: { code: 'unverified_answer' },
    });
  });
});

describe('PCQ-11: what is asked for', () => {
  const check = (changes: object) =>
    merchant
      .refunds!.check({ ...refundOf(), ...changes })
      .map(({ field, value }) => (value === undefined ? field : `${field}: ${value}`));

  test.each([
    ['all that is left', { amount: undefined }],
    ['the least', { amount: euros(1) }],
    ['the most', { amount: euros(999_999) }],
    ['the longest text', { description: 'x'.repeat(140) }],
    ['no text', { description: undefined }],
  ])('may be %s', (_name, changes) => {
    expect(check(changes)).toEqual([]);
  });

  test.each([
    ['nothing', { amount: euros(0) }, ['amount.minor: 0']],
    ['too much', { amount: euros(1_000_000) }, ['amount.minor: 1000000']],
    ['no euros', { amount: money(5, 'USD') }, ['amount.currency: USD']],
    ['too long a text', { description: 'x'.repeat(141) }, ['description: 141 characters']],
    [
      'all of it',
      { amount: money(0, 'USD'), description: 'x'.repeat(141) },
      ['amount.currency: USD', 'amount.minor: 0', 'description: 141 characters'],
    ],
  ])('cannot be %s', (_name, changes, violations) => {
    expect(check(changes)).toEqual(violations);
  });
});
