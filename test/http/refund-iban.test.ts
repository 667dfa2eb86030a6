import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Payment } from '../../src/domain/payment.js';
import type { Harness } from '../support/harness.js';
import { harnessWithDoor, openBody, paymentIn, serve, type TestServer } from './support.js';

const IBAN = 'NL90FRBK0000012636';
const HOUR_MS = 3_600_000;

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
  const answer = await server.call('POST', '/v1/payments', {
    body: openBody(changes),
    idempotencyKey: crypto.randomUUID(),
  });
  expect(answer.status).toBe(201);
  return paymentIn(answer);
}

async function captured(confirmation: { app?: 'bancontact' } = {}): Promise<Payment> {
  const { paymentId, providerReference } = await open();
  harness.sandbox.consumer.pay(providerReference!, confirmation);
  return harness.ended(paymentId);
}

const ask = (paymentId: string, key: 'officer' | 'shop' | 'none' = 'officer') =>
  server.call('GET', `/v1/payments/${paymentId}/refund-iban`, { key });

describe('PCQ-10: the payer’s IBAN over the API', () => {
  it('is told to those who may know it, and to nobody else', async () => {
    const { paymentId } = await captured();
    const answer = await ask(paymentId);
    expect([answer.status, answer.body]).toEqual([200, { iban: IBAN }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await ask(paymentId, 'shop')).status).toBe(403);
    expect((await ask(paymentId, 'none')).status).toBe(401);
  });

  it('stands in no log and in no record', async () => {
    const { paymentId } = await captured();
    expect((await ask(paymentId)).text).toContain(IBAN);
    expect(server.log()).not.toContain(IBAN);
    expect(JSON.stringify(await harness.store.loadPayment(paymentId))).not.toContain(IBAN);
  });

  it('is refused as the provider refuses it', async () => {
    const { paymentId } = await captured({ app: 'bancontact' });
    expect((await ask(paymentId)).body).toMatchObject({
      status: 409,
      code: 'not_available_yet',
      providerCode: 'REFUND_NOT_AVAILABLE',
    });
    await harness.sandbox.clock.advance(24 * HOUR_MS);
    expect((await ask(paymentId)).status).toBe(200);
    const { faults } = harness.sandbox;
    faults.next('refund_iban', { kind: 'answer', code: 'REFUND_NOT_ALLOWED' });
    expect((await ask(paymentId)).body).toMatchObject({ status: 409, code: 'not_allowed' });
    faults.next('refund_iban', { kind: 'answer', code: 'PAYMENT_NOT_FOUND' });
    expect((await ask(paymentId)).body).toMatchObject({ status: 404, code: 'not_found' });
    faults.next('refund_iban', { kind: 'throttle' });
    expect((await ask(paymentId)).body).toMatchObject({ status: 503, code: 'throttled' });
    faults.next('refund_iban', { kind: 'reset_before_effect' });
    expect((await ask(paymentId)).status).toBe(502);
    expect((await ask('nobody')).status).toBe(404);
  });
});

describe('PCQ-31: the payer’s browser', () => {
  it('has no door here: coming back tells us nothing, and changes nothing', async () => {
    const { paymentId } = await open({ returnUrl: 'https://shop.example/back' });
    const document = await server.call('GET', '/openapi.json');
    const { paths } = document.body as { paths: Record<string, object> };
    expect(Object.keys(paths).length).toBeGreaterThan(5);
    expect(Object.keys(paths).filter((path) => /return|back|redirect/i.test(path))).toEqual([]);
    for (const path of ['/back', `/v1/payments/${paymentId}/return?status=SUCCEEDED`]) {
      expect((await server.call('GET', path)).status).toBe(404);
    }
    const { status } = paymentIn(await server.call('GET', `/v1/payments/${paymentId}`));
    expect(status).toBe('requires_action');
  });
});
