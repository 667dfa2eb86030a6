import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHarness, type Harness } from '../support/harness.js';
import { openBody, serve, type Call, type TestServer } from './support.js';

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  harness = await startHarness();
  server = await serve(harness);
});

afterAll(async () => {
  await server.close();
  await harness.close();
});

async function open(body: unknown, call: Call = {}) {
  return server.call('POST', '/v1/payments', {
    idempotencyKey: crypto.randomUUID(),
    body,
    ...call,
  });
}

describe('a wrong request for a payment is refused with field and rule', () => {
  const POSITIVE = 'must be a positive integer of minor units, written as a string';
  const wrong: readonly [what: string, changes: Record<string, unknown>, violation: object][] = [
    ['no connection', { connectionId: undefined }, { field: 'connectionId', rule: 'is required' }],
    [
      'an unknown connection',
      { connectionId: 'nowhere' },
      {
        field: 'connectionId',
        rule: 'must be a connection that takes payments: shop',
        value: 'nowhere',
      },
    ],
    ['no amount', { amount: undefined }, { field: 'amount', rule: 'is required' }],
    ['an amount that is text', { amount: '12.50' }, { field: 'amount', rule: 'must be an object' }],
    [
      'an amount that is a number',
      { amount: { minor: 1250, currency: 'EUR' } },
      { field: 'amount.minor', rule: 'must be a string', value: '1250' },
    ],
    [
      'no money',
      { amount: { minor: '0', currency: 'EUR' } },
      { field: 'amount.minor', rule: POSITIVE, value: '0' },
    ],
    [
      'a decimal',
      { amount: { minor: '12.50', currency: 'EUR' } },
      { field: 'amount.minor', rule: POSITIVE, value: '12.50' },
    ],
    [
      'no such currency',
      { amount: { minor: '1', currency: 'XXY' } },
      {
        field: 'amount.currency',
        rule: 'must be an ISO 4217 currency code in upper case',
        value: 'XXY',
      },
    ],
    [
      'a currency that the provider does not take',
      { amount: { minor: '1', currency: 'USD' } },
      {
        field: 'amount.currency',
        rule: 'must be EUR: Payconiq supports only euros',
        value: 'USD',
      },
    ],
    [
      'a reference that is too long for the provider',
      { merchantReference: 'r'.repeat(36) },
      {
        field: 'merchantReference',
        rule: 'must be at most 35 characters at Payconiq',
        value: '36 characters',
      },
    ],
    [
      'a reference that is too long for anybody',
      { merchantReference: 'r'.repeat(257) },
      { field: 'merchantReference', rule: 'must have 1 to 256 characters' },
    ],
    [
      'a card number, which is not repeated',
      { description: 'card 4111 1111 1111 1111' },
      { field: 'description', rule: 'must not contain a card number' },
    ],
    [
      'no such mode',
      { captureMode: 'later' },
      { field: 'captureMode', rule: 'must be one of automatic, manual', value: 'later' },
    ],
    [
      'a deadline without a capture to wait for',
      { captureBefore: '2999-01-01T00:00:00Z' },
      {
        field: 'captureBefore',
        rule: 'goes with captureMode manual only',
        value: '2999-01-01T00:00:00Z',
      },
    ],
    [
      'a time without its offset',
      { captureMode: 'manual', captureBefore: '2999-01-01T00:00:00' },
      {
        field: 'captureBefore',
        rule: 'must be an ISO 8601 time with its offset, e.g. 2026-01-31T12:00:00Z',
        value: '2999-01-01T00:00:00',
      },
    ],
    [
      'an address that is none',
      { returnUrl: 'javascript:alert(1)' },
      { field: 'returnUrl', rule: 'must be an http or https URL' },
    ],
    [
      'an id that is none',
      { paymentId: '../x' },
      {
        field: 'paymentId',
        rule: 'must be 1 to 64 letters, digits, _ or -, beginning with a letter or digit',
        value: '../x',
      },
    ],
    ['an unknown field', { amout: 1 }, { field: 'amout', rule: 'is not known here' }],
    ['options of nobody', { options: {} }, { field: 'options.provider', rule: 'is required' }],
  ];

  it.each(wrong)('%s', async (_what, changes, violation) => {
    const answer = await open(openBody(changes));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: 'urn:holdfast:problem:invalid_request',
      title: 'The request breaks a rule; the violations name each field.',
      status: 400,
      code: 'invalid_request',
      instance: '/v1/payments',
      violations: [violation],
    });
  });

  it('all at once', async () => {
    const { body } = await open({ amount: { minor: '-1', currency: 'eur' }, colour: 'red' });
    expect(body).toMatchObject({
      violations: [
        { field: 'connectionId' },
        { field: 'amount.minor' },
        { field: 'amount.currency' },
        { field: 'merchantReference' },
        { field: 'colour' },
      ],
    });
  });

  it('and nothing has begun: the same key serves for the mended one', async () => {
    const idempotencyKey = crypto.randomUUID();
    await open(openBody({ amount: { minor: '0', currency: 'EUR' } }), { idempotencyKey });
    const kept = await harness.store.requests.begin({
      client: 'shop',
      key: idempotencyKey,
      fingerprint: 'any',
      leaseMs: 1,
    });
    expect(kept.kind).toBe('fresh');
    expect(harness.sandbox.requests()).toEqual([]);
  });

  it('an Idempotency-Key that is missing, too long or not of visible characters', async () => {
    const missing = await server.call('POST', '/v1/payments', { body: openBody() });
    expect(missing.body).toMatchObject({
      violations: [{ field: 'idempotency-key', rule: 'is required' }],
    });
    for (const idempotencyKey of ['k'.repeat(256), 'two words', 'schlüssel']) {
      expect((await open(openBody(), { idempotencyKey })).body).toMatchObject({
        violations: [
          { field: 'idempotency-key', rule: 'must have 1 to 255 visible ASCII characters' },
        ],
      });
    }
  });
});

describe('what is no good request at all is a problem too', () => {
  it.each([
    ['malformed JSON', '{"amount":', { status: 400, detail: 'The body is not valid JSON.' }],
    ['an empty body', '', { status: 400, detail: 'body must be an object' }],
    ['JSON that would poison an object', '{"__proto__":{}}', { status: 400 }],
  ])('%s', async (_what, body, problem) => {
    const answer = await open(body);
    expect(answer.body).toMatchObject({ code: 'invalid_request', ...problem });
  });

  it('a body that is not JSON', async () => {
    const answer = await open('amount=1', { headers: { 'content-type': 'text/plain' } });
    expect(answer.body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('a body of more than 64 KiB', async () => {
    const answer = await open(openBody({ description: 'x'.repeat(70_000) }));
    expect(answer.body).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it('an address that there is not, also with a body of any kind', async () => {
    const answer = await server.call('POST', '/v1/refund?x=1', {
      body: '<x/>',
      headers: { 'content-type': 'text/xml' },
    });
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: 'route_not_found', instance: '/v1/refund' });
  });

  it('an address that cannot be read', async () => {
    const answer = await server.call('GET', '/v1/payments/%zz');
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('a method that is not taken, with those that are', async () => {
    const answer = await server.call('DELETE', '/v1/payments/p1');
    expect(answer.body).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('what is no HTTP', async () => {
    const answer = await rawExchange(new URL(server.url), 'nonsense\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'invalid_request' });
  });

  it.each([
    ['limit=0', { field: 'limit', rule: 'must be an integer from 1 to 100', value: '0' }],
    ['limit=ten', { field: 'limit', rule: 'must be an integer from 1 to 100', value: 'ten' }],
    ['status=paid', { field: 'status', value: 'paid' }],
    ['from=yesterday', { field: 'from', value: 'yesterday' }],
    ['needsAttention=maybe', { field: 'needsAttention', rule: 'must be one of true, false' }],
    ['cursor=abc', { field: 'cursor', rule: 'is no cursor of this list' }],
    ['colour=red', { field: 'colour', rule: 'is not known here' }],
  ])('a list by %s', async (query, violation) => {
    const answer = await server.call('GET', `/v1/payments?${query}`);
    expect(answer.body).toMatchObject({ status: 400, violations: [violation] });
  });
});

describe('who may call what', () => {
  it('nobody without a key, or with a wrong one', async () => {
    const without = await server.call('GET', '/v1/payments', { key: 'none' });
    const wrong = await server.call('GET', '/v1/payments', {
      key: 'none',
      headers: { authorization: 'Bearer key-of-the-shop2' },
    });
    for (const answer of [without, wrong]) {
      expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="holdfast"');
    }
  });

  it.each([
    ['reader', 'POST', '/v1/payments', 'payments:write'],
    ['reader', 'POST', '/v1/payments/p1/capture', 'payments:write'],
    ['shop', 'GET', '/v1/notifications', 'operations'],
    ['shop', 'GET', '/v1/notifications/1', 'operations'],
    ['shop', 'POST', '/v1/notifications/1/replay', 'operations'],
    ['operator', 'GET', '/v1/payments', 'payments:read'],
    ['shop', 'GET', '/v1/payments/p1/payer', 'personal_data'],
    ['operator', 'DELETE', '/v1/payments/p1/payer', 'personal_data'],
  ] as const)('%s may not %s %s', async (key, method, path, scope) => {
    const answer = await server.call(method, path, { key });
    expect(answer.body).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: `This needs the scope ${scope}.`,
    });
  });

  it('and no key is ever logged', () => {
    expect(server.log()).toContain('"client":"shop"');
    expect(server.log()).not.toMatch(/key-of/);
  });
});

/** Writes to a bare socket, and reads until the server ends it. */
function rawExchange({ hostname, port }: URL, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}
