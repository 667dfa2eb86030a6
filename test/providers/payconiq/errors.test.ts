import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { OPERATION_NAMES, type OperationName } from '../../../src/domain/ids.js';
import type { Outcome } from '../../../src/domain/outcome.js';
import { ERRORS } from '../../../src/providers/payconiq/mapping.js';
import { ERROR_STATUS, type ErrorCode } from '../../../src/sandbox/payconiq/answer.js';
import type { RequestTarget } from '../../../src/sandbox/payconiq/faults.js';
import { intentOf, requestOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant()));
afterEach(() => merchant.close());

const TARGET: Record<OperationName, RequestTarget> = {
  create: 'create',
  capture: 'acknowledge',
  void: 'delete',
  cancel: 'delete',
};

/** Sends to a payment in the state that the operation is meant for, its provider armed to refuse. */
async function send(
  operation: OperationName,
  refusal: { readonly code: ErrorCode; readonly message?: string },
): Promise<Outcome<unknown>> {
  const { request, opened } = await merchant.create();
  const { providerReference } = opened;
  if (operation === 'capture' || operation === 'void')
    merchant.sandbox.consumer.pay(providerReference);
  const intent = intentOf(operation, request, operation === 'create' ? {} : { providerReference });
  merchant.sandbox.faults.next(TARGET[operation], { kind: 'answer', ...refusal });
  return merchant.payments.operations[operation]!.send(intent);
}

type Meaning = readonly [kind: Outcome['kind'], why: string];
const REFUSED: Meaning = ['not_sent', 'provider_refused'];
const UNAUTHORIZED: Meaning = ['not_sent', 'unauthorized'];
const DECLINED: Meaning = ['declined', 'declined_by_provider'];
const UNKNOWN: Meaning = ['unknown', 'no_answer'];
/** No such answer to a payment's operation is documented. */
const UNEXPECTED: Meaning = ['unknown', 'unexpected_answer'];

/** Of a payment that is as it should be: its details contradict a refusal by state. */
const MEANING: Record<ErrorCode, Meaning> = {
  BODY_MISSING: REFUSED,
  FIELD_REQUIRED: REFUSED,
  FIELD_IS_REQUIRED: REFUSED,
  FIELD_IS_INVALID: REFUSED,
  MERCHANT_PROFILE_NOT_FOUND: REFUSED,
  UNAUTHORIZED,
  ACCESS_DENIED: UNAUTHORIZED,
  CALLER_NOT_ALLOWED_TO_CANCEL: ['declined', 'provider_refused'],
  UNABLE_TO_PAY_CREDITOR: DECLINED,
  QR_NO_LONGER_IN_USE: DECLINED,
  PAYMENT_NOT_FOUND: UNKNOWN,
  PAYMENT_NOT_PENDING: UNKNOWN,
  PAYMENT_VOIDED: UNKNOWN,
  PAYMENT_CONFLICT: UNKNOWN,
  TRY_AGAIN_LATER: UNKNOWN,
  REFUND_NOT_ALLOWED: UNEXPECTED,
  REFUND_NOT_AVAILABLE: UNEXPECTED,
  TECHNICAL_ERROR: UNKNOWN,
};
/** A creation has no payment yet whose details could tell. */
const OF_CREATE: Partial<Record<ErrorCode, Meaning>> = {
  PAYMENT_NOT_FOUND: ['unknown', 'not_found'],
  PAYMENT_NOT_PENDING: ['unknown', 'not_pending'],
  PAYMENT_VOIDED: ['unknown', 'already_voided'],
  PAYMENT_CONFLICT: ['unknown', 'not_pending'],
};

describe.each(OPERATION_NAMES)('%s, answered with', (operation) => {
  test.each(Object.keys(ERROR_STATUS) as ErrorCode[])('%s', async (code) => {
    const outcome = await send(operation, { code });
    const [kind, why] = (operation === 'create' ? OF_CREATE[code] : undefined) ?? MEANING[code];
    expect(outcome).toMatchObject({ kind, problem: { code: why } });
    if (kind === 'not_sent') expect(outcome).toMatchObject({ cause: 'rejected' });
  });
});

it('every code that is mapped is tried above', () => {
  const tried = Object.keys(ERROR_STATUS);
  expect(Object.keys(ERRORS).filter((code) => !tried.includes(code))).toEqual([]);
});

describe('a payment that the provider does not know', () => {
  test.each(['capture', 'void', 'cancel'] as const)(
    'is unknown to %s: nothing is proven',
    async (operation) => {
      const intent = intentOf(operation, requestOf(), { providerReference: '0'.repeat(24) });
      expect(await merchant.payments.operations[operation]!.send(intent)).toMatchObject({
        kind: 'unknown',
        problem: { code: 'not_found', providerCode: 'PAYMENT_NOT_FOUND' },
      });
    },
  );
});

describe('another merchant’s payment', () => {
  it('is not ours to cancel, and that is final', async () => {
    const shared = await startMerchant({ sandbox: { otherMerchantApiKeys: ['other'] } });
    const { request, opened } = await shared.create();
    const { payments } = shared.connect({ settings: { apiKey: 'other' } });
    const intent = intentOf('cancel', request, { providerReference: opened.providerReference });
    expect(await payments.operations.cancel!.send(intent)).toMatchObject({
      kind: 'declined',
      problem: { providerCode: 'CALLER_NOT_ALLOWED_TO_CANCEL' },
    });
    await shared.close();
  });
});

describe('an API key', () => {
  test.each([
    ['that is wrong', 'wrong', 'UNAUTHORIZED'],
    ['without the authority', 'restricted', 'ACCESS_DENIED'],
  ])('%s is refused before anything happens', async (_name, apiKey, providerCode) => {
    const shared = await startMerchant({ sandbox: { restrictedApiKeys: ['restricted'] } });
    const { payments } = shared.connect({ settings: { apiKey } });
    expect(await payments.operations.create.send(intentOf('create', requestOf()))).toMatchObject({
      kind: 'not_sent',
      cause: 'rejected',
      problem: { code: 'unauthorized', providerCode },
    });
    expect(shared.sandbox.payments()).toEqual([]);
    await shared.close();
  });

  it('that the provider repeats in its message is not passed on', async () => {
    const { apiKey } = merchant.sandbox;
    const message = `The key ${apiKey} (Bearer ${apiKey}) of NL47FRBK0293409698 is wrong`;
    const text = JSON.stringify(await send('create', { code: 'UNAUTHORIZED', message }));
    expect(text).toContain('is wrong');
    expect(text).not.toContain(apiKey);
    expect(text).not.toContain('NL47');
  });
});

/** What the sandbox never says: answers outside the document. */
describe('a creation, answered outside the document', () => {
  const json = (code: string) => JSON.stringify({ code, message: 'x' });
  const created = (changes: object = {}) =>
    JSON.stringify({
      paymentId: '5ba37c3d0989e3000758b9d8',
      status: 'PENDING',
      createdAt: '2026-03-01T10:00:00.000Z',
      expiresAt: '2026-03-01T10:02:00.000Z',
      amount: 1250,
      ...changes,
    });

  test.each<[string, number, string, Outcome['kind'], string | undefined]>([
    ['401 without body', 401, '', 'not_sent', 'unauthorized'],
    ['401 of a proxy', 401, '<html>', 'not_sent', 'unauthorized'],
    ['401 with a new code', 401, json('KEY_EXPIRED'), 'not_sent', 'unauthorized'],
    ['403 without body', 403, '', 'not_sent', 'unauthorized'],
    ['403 with a new code', 403, json('IP_NOT_ALLOWED'), 'not_sent', 'unauthorized'],
    [
      '403 with a code of another status',
      403,
      json('FIELD_IS_INVALID'),
      'unknown',
      'unexpected_answer',
    ],
    ['400 without body', 400, '', 'unknown', 'unexpected_answer'],
    ['400 with a new code', 400, json('NEW'), 'unknown', 'unexpected_answer'],
    [
      '400 with a code of another status',
      400,
      json('UNABLE_TO_PAY_CREDITOR'),
      'unknown',
      'unexpected_answer',
    ],
    ['404 without JSON: a wrong path', 404, 'Not Found', 'unknown', 'unexpected_answer'],
    [
      '404 with a code of another status',
      404,
      json('UNAUTHORIZED'),
      'unknown',
      'unexpected_answer',
    ],
    ['408 with a documented code', 408, json('FIELD_IS_REQUIRED'), 'unknown', 'unexpected_answer'],
    ['409', 409, json('NEW'), 'unknown', 'unexpected_answer'],
    ['422 with a technical error', 422, json('TECHNICAL_ERROR'), 'unknown', 'unexpected_answer'],
    ['422 to try again later', 422, json('TRY_AGAIN_LATER'), 'not_sent', 'throttled'],
    ['200 in place of 201', 200, created(), 'unknown', 'unexpected_answer'],
    ['200 with an error code', 200, json('UNAUTHORIZED'), 'unknown', 'unexpected_answer'],
    ['202', 202, created(), 'unknown', 'unexpected_answer'],
    ['204', 204, '', 'unknown', 'unexpected_answer'],
    ['301', 301, '', 'unknown', 'no_answer'],
    ['509', 509, '', 'unknown', 'no_answer'],
    [
      '201 with more than is documented',
      201,
      created({ more: 1, _links: null }),
      'succeeded',
      undefined,
    ],
    ['201 without an id', 201, created({ paymentId: undefined }), 'unknown', 'unexpected_answer'],
    [
      '201 with an id of another length',
      201,
      created({ paymentId: 'x' }),
      'unknown',
      'unexpected_answer',
    ],
    ['201 with an empty body', 201, '', 'unknown', 'unexpected_answer'],
    [
      '201 with too long a body',
      201,
      created({ more: 'x'.repeat(70_000) }),
      'unknown',
      'no_answer',
    ],
  ])('%s', async (_name, status, body, kind, code) => {
    const server = createServer((incoming, response) => {
      incoming
        .resume()
        .on('end', () => response.writeHead(status).end(status === 204 ? undefined : body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { payments } = merchant.connect({ settings: { apiBaseUrl } });
    const outcome = await payments.operations.create.send(intentOf('create', requestOf()));
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    expect(outcome.kind).toBe(kind);
    expect('problem' in outcome ? outcome.problem.code : undefined).toBe(code);
  });
});
