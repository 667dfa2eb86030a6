import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { intentOf, requestOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant({ auth: 'signed' })));
afterEach(() => merchant.close());

const create = () => merchant.payments.operations.create.send(intentOf('create', requestOf()));
const NOT_BELIEVED = { kind: 'unknown', problem: { code: 'unverified_answer' } };

describe('PCQ-20: an answer to a signed request', () => {
  it('is believed with a valid signature', async () => {
    expect((await create()).kind).toBe('succeeded');
  });

  test.each(['never', 'broken'] as const)(
    'is not believed where its signature is %s there or right',
    async (mode) => {
      merchant.sandbox.signResponses(mode);
      expect(await create()).toMatchObject(NOT_BELIEVED);
      expect(merchant.sandbox.payments()).toHaveLength(1);
    },
  );

  test.each(['capture', 'void', 'cancel'] as const)(
    'is not believed of %s either, though it happened',
    async (operation) => {
      const { request, opened } = await merchant.create();
      const { providerReference } = opened;
      merchant.sandbox.consumer.pay(providerReference);
      merchant.sandbox.signResponses('broken');
      const intent = intentOf(operation, request, { providerReference });
      expect(await merchant.payments.operations[operation]!.send(intent)).toMatchObject(
        NOT_BELIEVED,
      );
      merchant.sandbox.signResponses('when_signed');
      const reading = await merchant.payments.read({ request, providerReference });
      const kinds = reading.kind === 'found' ? reading.facts.map(({ kind }) => kind) : [];
      expect(kinds).toContain(operation === 'capture' ? 'captured' : 'voided');
    },
  );

  test.each(['never', 'broken'] as const)('tells nothing in a reading (%s)', async (mode) => {
    const { request, opened } = await merchant.create();
    merchant.sandbox.signResponses(mode);
    const reading = await merchant.payments.read({
      request,
      providerReference: opened.providerReference,
    });
    expect(reading).toMatchObject({ kind: 'unclear', problem: { code: 'unverified_answer' } });
  });

  it('is not believed while the provider’s keys cannot be had', async () => {
    merchant.sandbox.faults.next('certificates', { kind: 'error_before_effect', status: 503 });
    expect(await create()).toMatchObject(NOT_BELIEVED);
  });

  it('that refuses for another reason than access needs its signature', async () => {
    merchant.sandbox.signResponses('never');
    const code = 'CALLER_NOT_ALLOWED_TO_CANCEL';
    merchant.sandbox.faults.next('create', { kind: 'answer', code });
    expect(await create()).toMatchObject(NOT_BELIEVED);
    merchant.sandbox.signResponses('when_signed');
    merchant.sandbox.faults.next('create', { kind: 'answer', code });
    expect(await create()).toMatchObject({ kind: 'declined', problem: { providerCode: code } });
  });

  test.each(['UNAUTHORIZED', 'ACCESS_DENIED'] as const)(
    'that refuses us (%s) may come without one',
    async (code) => {
      merchant.sandbox.signResponses('never');
      merchant.sandbox.faults.next('create', { kind: 'answer', code });
      expect(await create()).toMatchObject({
        kind: 'not_sent',
        cause: 'rejected',
        problem: { code: 'unauthorized', providerCode: code },
      });
    },
  );

  it('that refuses us with a broken one is not believed', async () => {
    merchant.sandbox.signResponses('broken');
    merchant.sandbox.faults.next('create', { kind: 'answer', code: 'UNAUTHORIZED' });
    expect(await create()).toMatchObject(NOT_BELIEVED);
  });

  it('of 429 counts as throttled only with its signature', async () => {
    merchant.sandbox.faults.next('create', { kind: 'throttle' });
    expect(await create()).toMatchObject({ kind: 'not_sent', cause: 'throttled' });
    merchant.sandbox.signResponses('never');
    merchant.sandbox.faults.next('create', { kind: 'throttle' });
    expect(await create()).toMatchObject(NOT_BELIEVED);
  });
});

it('an answer to a request with an API key needs no signature', async () => {
  const plain = await startMerchant({ sandbox: { responseSignature: 'never' } });
  expect((await plain.payments.operations.create.send(intentOf('create', requestOf()))).kind).toBe(
    'succeeded',
  );
  await plain.close();
});
