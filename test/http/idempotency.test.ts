import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/http/idempotency.js';
import { startHarness, type Harness } from '../support/harness.js';
import {
  openBody,
  paymentIn,
  serve,
  type Answered,
  type Call,
  type TestServer,
} from './support.js';

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  harness = await startHarness();
  server = await serve(harness);
  await harness.startWorker();
});

afterAll(async () => {
  await server.close();
  await harness.close();
});

type Body = Record<string, unknown>;

function open(
  body: Body | string,
  idempotencyKey: string,
  { key = 'shop' }: Pick<Call, 'key'> = {},
): Promise<Answered> {
  return server.call('POST', '/v1/payments', { body, idempotencyKey, key });
}

const madeAtProvider = (body: Body) =>
  harness.sandbox.payments({ reference: body['merchantReference'] as string });

describe.concurrent('an Idempotency-Key', () => {
  it('has one effect and one answer, to the byte', async () => {
    const [body, key] = [openBody(), crypto.randomUUID()];
    const first = await open(body, key);
    const repeat = await open(body, key);
    expect(first.status).toBe(201);
    expect(first.headers.has('idempotency-replayed')).toBe(false);
    expect(repeat.status).toBe(201);
    expect(repeat.text).toBe(first.text);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    for (const name of ['content-type', 'location']) {
      expect(repeat.headers.get(name)).toBe(first.headers.get(name));
    }
    expect(madeAtProvider(body)).toHaveLength(1);
  });

  it('knows the same body in other spelling, and no other body', async () => {
    const [body, key] = [openBody(), crypto.randomUUID()];
    const first = await open(body, key);
    const reversed = Object.fromEntries(Object.entries(body).reverse());
    expect((await open(JSON.stringify(reversed, null, 2), key)).text).toBe(first.text);
    const other = await open({ ...body, merchantReference: 'another' }, key);
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    const elsewhere = await server.call(
      'POST',
      `/v1/payments/${paymentIn(first).paymentId}/capture`,
      { idempotencyKey: key },
    );
    expect(elsewhere.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it("is one client's own", async () => {
    const [body, key] = [openBody(), crypto.randomUUID()];
    const ours = await open(body, key);
    const theirs = await open(body, key, { key: 'other' });
    expect(theirs.status).toBe(201);
    expect(paymentIn(theirs).paymentId).not.toBe(paymentIn(ours).paymentId);
  });

  it('lets one of many through at a time', async () => {
    const [body, key] = [openBody(), crypto.randomUUID()];
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => open(body, key)));
    const opened = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status }) => status === 409);
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.length + waiting.length).toBe(answers.length);
    expect(new Set(opened.map(({ text }) => text)).size).toBe(1);
    for (const answer of waiting) {
      expect(answer.body).toMatchObject({ code: 'request_in_progress' });
    }
    expect(madeAtProvider(body)).toHaveLength(1);
  });

  it('waits for one that a process has died over, but not for ever', async () => {
    const [body, key] = [openBody(), crypto.randomUUID()];
    const fingerprint = fingerprintOf({ method: 'POST', url: '/v1/payments', body });
    const abandoned = { client: 'shop', key, fingerprint, leaseMs: 3_000 };
    expect(await harness.store.requests.begin(abandoned)).toMatchObject({ kind: 'fresh' });
    const refused = await open(body, key);
    expect(refused.body).toMatchObject({ status: 409, code: 'request_in_progress' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await expect
      .poll(async () => (await open(body, key)).status, { timeout: 15_000, interval: 200 })
      .toBe(201);
    expect(madeAtProvider(body)).toHaveLength(1);
  });

  it('keeps refusals of the payment, but no "not found"', async () => {
    const opened = paymentIn(await open(openBody({ captureMode: 'manual' }), crypto.randomUUID()));
    const idempotencyKey = crypto.randomUUID();
    const path = `/v1/payments/${opened.paymentId}/capture`;
    const refused = await server.call('POST', path, { idempotencyKey });
    const again = await server.call('POST', path, { idempotencyKey });
    expect(refused.body).toMatchObject({ status: 409, code: 'conflict' });
    expect(again.text).toBe(refused.text);
    expect(again.headers.get('content-type')).toBe('application/problem+json');

    const paymentId = crypto.randomUUID();
    const early = { idempotencyKey: crypto.randomUUID(), body: { reason: 'too early' } };
    const cancel = `/v1/payments/${paymentId}/cancel`;
    expect((await server.call('POST', cancel, early)).status).toBe(404);
    await open(openBody({ paymentId }), crypto.randomUUID());
    expect((await server.call('POST', cancel, early)).status).toBe(200);
  });

  it('does not open a payment anew that the store alone still knows', async () => {
    const [body, key] = [openBody({ paymentId: crypto.randomUUID() }), crypto.randomUUID()];
    const request = harness.fullRequest({
      paymentId: body['paymentId'] as string,
      merchantReference: body['merchantReference'] as string,
    });
    await harness.store.recordPayment({
      request,
      particulars: {},
      facts: [],
      operations: [],
      progress: { revision: 1, ended: true },
    });
    const answer = await open(body, key);
    expect(answer.status).toBe(201);
    expect(paymentIn(answer)).toMatchObject({ paymentId: request.paymentId, ended: true });
    expect(madeAtProvider(body)).toEqual([]);
    const another = await open({ ...body, merchantReference: 'another' }, crypto.randomUUID());
    expect(another.body).toMatchObject({ status: 409, code: 'conflict' });
  });
});

describe('the fingerprint of a request', () => {
  const request = { method: 'POST', url: '/v1/payments', body: { b: [{ d: 1, c: 2 }], a: 'x' } };

  it('is of its method, its path and the value of its body', () => {
    const same = { ...request, url: '/v1/payments?x=1', body: { a: 'x', b: [{ c: 2, d: 1 }] } };
    expect(fingerprintOf(same)).toBe(fingerprintOf(request));
  });

  it.each([
    { method: 'PUT' },
    { url: '/v1/payments/p1' },
    { body: { b: [{ d: 1, c: 2 }], a: 'y' } },
    { body: { b: { d: 1, c: 2 }, a: 'x' } },
    { body: undefined },
  ])('is another for %j', (change) => {
    expect(fingerprintOf({ ...request, ...change })).not.toBe(fingerprintOf(request));
  });
});
