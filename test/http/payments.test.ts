import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payment as paymentShape, paymentPage } from '../../src/http/schemas.js';
import type { Payment } from '../../src/domain/payment.js';
import { CONNECTION_ID, type Harness } from '../support/harness.js';
import {
  harnessWithDoor,
  openBody,
  paymentIn,
  serve,
  storeThatIsDown,
  type Answered,
  type TestServer,
} from './support.js';

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  const prepared = await harnessWithDoor();
  harness = prepared.harness;
  server = await serve(harness, { port: prepared.port });
  await harness.startWorker();
});

afterAll(async () => {
  await server.close();
  await harness.close();
});

async function open(changes: Record<string, unknown> = {}): Promise<Payment> {
  const body = openBody(changes);
  const answer = await server.call('POST', '/v1/payments', {
    body,
    idempotencyKey: crypto.randomUUID(),
  });
  expect(answer.status).toBe(201);
  return paymentIn(answer);
}

async function openAuthorized(): Promise<Payment> {
  const opened = await open({ captureMode: 'manual' });
  harness.sandbox.consumer.pay(opened.providerReference!);
  return harness.until(opened.paymentId, ({ status }) => status === 'authorized');
}

function command(
  payment: Payment,
  name: 'capture' | 'void' | 'cancel',
  call: Parameters<TestServer['call']>[2] = {},
): Promise<Answered> {
  const body = name === 'capture' ? undefined : { reason: 'sold out' };
  return server.call('POST', `/v1/payments/${payment.paymentId}/${name}`, { body, ...call });
}

describe.concurrent('a payment over the API', () => {
  it('is opened, paid and captured, as documented', async () => {
    const answer = await server.call('POST', '/v1/payments', {
      body: openBody({ description: 'Two coffees' }),
      idempotencyKey: crypto.randomUUID(),
    });
    const opened = paymentIn(answer);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/payments/${opened.paymentId}`);
    expect(opened.paymentId).toMatch(/^pay_[a-z2-7]{32}$/);
    expect(opened).toMatchObject({ status: 'requires_action', nextAction: { kind: 'qr_code' } });
    paymentShape.parse(opened);

    harness.sandbox.consumer.pay(opened.providerReference!);
    await harness.ended(opened.paymentId);
    const ended = paymentIn(await server.call('GET', `/v1/payments/${opened.paymentId}`));
    expect(ended).toMatchObject({ status: 'captured', amounts: { captured: { minor: '1250' } } });
    paymentShape.parse(ended);
  });

  it('keeps the id that its caller chose', async () => {
    const paymentId = `mine-${crypto.randomUUID()}`;
    expect(await open({ paymentId })).toMatchObject({ paymentId });
    const taken = await server.call('POST', '/v1/payments', {
      body: openBody({ paymentId, amount: { minor: '1', currency: 'EUR' } }),
      idempotencyKey: crypto.randomUUID(),
    });
    expect(taken.body).toMatchObject({ status: 409, code: 'conflict' });
  });

  it('exists also when the provider refused it, and says why', async () => {
    const body = openBody();
    harness.sandbox.faults.next(
      'create',
      { kind: 'answer', code: 'FIELD_IS_INVALID' },
      { reference: body['merchantReference'] as string },
    );
    const answer = await server.call('POST', '/v1/payments', {
      body,
      idempotencyKey: crypto.randomUUID(),
    });
    expect(answer.status).toBe(201);
    expect(paymentIn(answer)).toMatchObject({
      status: 'rejected',
      problem: { code: expect.stringMatching(/./) },
    });
  });

  it('is captured on request, and a repeat with the same key gets the same bytes', async () => {
    const authorized = await openAuthorized();
    const idempotencyKey = crypto.randomUUID();
    const first = await command(authorized, 'capture', { idempotencyKey });
    expect(first.status).toBe(200);
    expect(paymentIn(first).status).toBe('captured');
    const repeat = await command(authorized, 'capture', { idempotencyKey });
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect(repeat.text).toBe(first.text);
    const other = await command(authorized, 'void', { idempotencyKey });
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('is voided, and answers the same when asked again after its end', async () => {
    const authorized = await openAuthorized();
    expect((await command(authorized, 'void')).status).toBe(200);
    await harness.ended(authorized.paymentId);
    const again = await command(authorized, 'void');
    expect(again.status).toBe(200);
    expect(paymentIn(again).status).toBe('voided');
    const capture = await command(authorized, 'capture');
    expect(capture.body).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: 'the payment has ended: voided',
    });
  });

  it('is cancelled before it is paid', async () => {
    const opened = await open();
    expect(paymentIn(await command(opened, 'cancel')).status).toBe('canceled');
  });

  it('refuses commands that its state or its connection does not allow', async () => {
    const opened = await open({ captureMode: 'manual' });
    expect((await command(opened, 'capture')).body).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: 'only an authorized payment can be captured; this one is requires_action',
    });
    const authorized = await openAuthorized();
    const part = await command(authorized, 'capture', {
      body: { amount: { minor: '1', currency: 'EUR' } },
    });
    expect(part.body).toMatchObject({ status: 422, code: 'unsupported' });
    const wordless = await command(authorized, 'void', { body: {} });
    expect(wordless.body).toMatchObject({
      status: 400,
      violations: [{ field: 'reason', rule: 'is required' }],
    });
  });

  it('is not there when it was never opened', async () => {
    const read = await server.call('GET', '/v1/payments/never-opened');
    const capture = '/v1/payments/never-opened/capture';
    const captured = await server.call('POST', capture);
    // As many clients send it: the header of JSON over a body that is empty.
    const headers = { 'content-type': 'application/json' };
    const emptily = await server.call('POST', capture, { headers });
    for (const answer of [read, captured, emptily]) {
      expect(answer.body).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('is listed by connection, reference, status, time and need, page by page', async () => {
    const merchantReference = `listed-${Date.now()}`;
    const from = new Date(Date.now() - 60_000).toISOString();
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.unshift((await open({ merchantReference })).paymentId);
    const query = new URLSearchParams({
      connectionId: CONNECTION_ID,
      merchantReference,
      status: 'requires_action',
      needsAttention: 'false',
      from,
      limit: '2',
    });
    const listed: string[] = [];
    const pages: number[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      if (cursor !== '') query.set('cursor', cursor);
      const { body } = await server.call('GET', `/v1/payments?${query.toString()}`);
      const page = paymentPage.parse(body);
      listed.push(...page.payments.map(({ paymentId }) => paymentId));
      pages.push(page.payments.length);
      cursor = page.nextCursor;
    }
    expect(listed).toEqual(ids);
    expect(pages).toEqual([2, 1]);
    query.delete('cursor');
    query.set('to', from);
    const before = await server.call('GET', `/v1/payments?${query.toString()}`);
    expect(before.body).toEqual({ payments: [] });
  });

  it('can be searched at its provider, and connections tell what they can', async () => {
    const { merchantReference, providerReference } = await open();
    const found = await server.call(
      'GET',
      `/v1/connections/${CONNECTION_ID}/provider-payments?reference=${merchantReference}&status=PENDING`,
    );
    expect(found.body).toMatchObject({
      payments: [{ providerReference, providerStatus: 'PENDING', reference: merchantReference }],
      totalPayments: 1,
    });
    const nowhere = await server.call('GET', '/v1/connections/nowhere/provider-payments');
    expect(nowhere.body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await server.call('GET', '/v1/connections')).body).toEqual({
      connections: [
        {
          connectionId: CONNECTION_ID,
          provider: 'payconiq',
          operations: { create: 'reissue', capture: 'repeat', void: 'repeat', cancel: 'fetch' },
          canSearch: true,
          takesNotifications: true,
        },
      ],
    });
  });

  it('is read and captured while the database is down', async () => {
    const authorized = await openAuthorized();
    const withoutStore = await serve(harness, { store: await storeThatIsDown() });
    const path = `/v1/payments/${authorized.paymentId}`;
    expect(paymentIn(await withoutStore.call('GET', path)).status).toBe('authorized');
    const capture = await withoutStore.call('POST', `${path}/capture`, {
      idempotencyKey: crypto.randomUUID(),
    });
    await withoutStore.close();
    expect(capture.status).toBe(200);
    expect(paymentIn(capture).status).toBe('captured');
  });
});
