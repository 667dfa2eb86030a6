/** What begins at the provider without us, at the real door: adopted, expected, swept. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { adoptedPaymentId } from '../../src/client/adoption.js';
import type { Payment } from '../../src/domain/payment.js';
import { dispatchRound } from '../../src/http/dispatcher.js';
import { connectionUrls, sweepResult } from '../../src/http/connection-schemas.js';
import { payment as paymentShape } from '../../src/http/schemas.js';
import type { CallbackRecord } from '../../src/sandbox/payconiq/callbacks.js';
import type { SandboxPayment } from '../../src/sandbox/payconiq/payment.js';
import type { StoredNotification } from '../../src/store/inbox.js';
import { openStore, type Store } from '../../src/store/store.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import { CONNECTION_ID, type Harness } from '../support/harness.js';
import { loseCallbacks, sent } from '../workflows/observed.js';
import {
  clientWithoutTemporal,
  doorPath,
  harnessWithDoor,
  openBody,
  paymentIn,
  serve,
  type Answered,
  type TestServer,
} from './support.js';

let harness: Harness;
let server: TestServer;
let store: Store;
/** The connection's own, as its provider has it. */
let ownUrl: string;

beforeAll(async () => {
  const keys = createKeyRing([{ id: 'test', secret: new Uint8Array(32).fill(1) }]);
  store = await openStore({ kind: 'embedded', directory: 'memory' }, keys);
  await store.migrate();
  const prepared = await harnessWithDoor({
    store,
    sandbox: { printedProduct: 'receipt', printedPayableOnce: false },
  });
  harness = prepared.harness;
  ownUrl = harness.connections.notificationUrl(CONNECTION_ID)!;
  harness.sandbox.reportTo(ownUrl);
  server = await serve(harness, { port: prepared.port });
  await harness.startWorker();
});

afterAll(async () => {
  await server.close();
  await harness.close();
  await store.close();
});

/** Somebody scans a code that nobody gave out, and pays. */
function paySticker(reference: string): SandboxPayment {
  const { profileId, consumer } = harness.sandbox;
  const scanned = consumer.scanCode(`https://payconiq.com/t/1/${profileId}?A=250&R=${reference}`);
  return consumer.confirm(scanned.paymentId);
}

async function callbackOf({ paymentId }: SandboxPayment): Promise<CallbackRecord> {
  await harness.sandbox.callbacks.idle();
  return harness.sandbox.callbacks.ofPayment(paymentId).at(-1)!;
}

/** A callback as the provider would send it, which never arrives. */
async function undelivered(reference: string): Promise<CallbackRecord> {
  loseCallbacks(harness.sandbox, reference);
  return callbackOf(paySticker(reference));
}

async function post(url: string, { body, headers }: Pick<CallbackRecord, 'body' | 'headers'>) {
  return (await fetch(url, { method: 'POST', body, headers })).status;
}

async function rowsOf(providerReference: string): Promise<readonly StoredNotification[]> {
  const filter = { connectionId: CONNECTION_ID, limit: 100 };
  const { notifications } = await store.inbox.list(filter);
  return notifications.filter((each) => each.providerReference === providerReference);
}

function open(changes: Record<string, unknown> = {}): Promise<Answered> {
  const idempotencyKey = crypto.randomUUID();
  return server.call('POST', '/v1/payments', { body: openBody(changes), idempotencyKey });
}

async function openPaid(): Promise<Payment> {
  const { paymentId } = paymentIn(await open({ captureMode: 'manual' }));
  const opened = await harness.until(paymentId, ({ status }) => status === 'requires_action');
  harness.sandbox.consumer.pay(opened.providerReference!);
  return harness.until(paymentId, ({ status }) => status === 'authorized');
}

describe("at the connection's own URL", () => {
  it('is told to operators alone, to be entered at the provider', async () => {
    const path = `/v1/connections/${CONNECTION_ID}/urls`;
    const { body } = await server.call('GET', path, { key: 'operator' });
    expect(connectionUrls.parse(body)).toEqual({ notificationUrl: ownUrl });
    expect((await server.call('GET', path)).status).toBe(403);
    expect((await server.call('GET', '/v1/connections')).text).not.toContain('/notifications/');
    expect(new URL(ownUrl).pathname).toMatch(/^\/notifications\/shop\/[\w-]{43}$/);
  });

  test('PCQ-27: a genuine callback becomes a payment, recorded, and its news delivered', async () => {
    const paid = paySticker('DOOR-1');
    const callback = await callbackOf(paid);
    expect(callback).toMatchObject({ url: ownUrl, attempts: [{ answer: 200 }] });
    await server.server.settled();
    const paymentId = adoptedPaymentId(CONNECTION_ID, paid.paymentId);
    expect(await rowsOf(paid.paymentId)).toMatchObject([
      { state: 'delivered', paymentId, verdict: 'facts', deliveries: 1, attempts: 0 },
    ]);

    const held = await harness.until(paymentId, ({ captureBefore }) => captureBefore !== undefined);
    expect(held).toMatchObject({ status: 'authorized', merchantReference: 'DOOR-1' });
    const answer = await server.call('GET', `/v1/payments/${paymentId}`);
    expect(paymentShape.parse(answer.body)).toMatchObject({ origin: 'adopted' });
    await expect
      .poll(() => store.getPayment(paymentId))
      .toMatchObject({
        attention: { reason: 'unexpected_authorization' },
      });
    expect(await store.payers.read(paymentId)).toMatchObject({ name: expect.any(String) });

    await server.call('POST', `/v1/payments/${paymentId}/capture`);
    expect(await harness.ended(paymentId)).toMatchObject({ status: 'captured' });
  });

  test('news of a payment that we know by its object reaches that one', async () => {
    const paid = paySticker('DOOR-2');
    const paymentId = adoptedPaymentId(CONNECTION_ID, paid.paymentId);
    await harness.until(paymentId, ({ captureBefore }) => captureBefore !== undefined);
    await server.call('POST', `/v1/payments/${paymentId}/void`, { body: { reason: 'nobody' } });
    await harness.ended(paymentId);
    await callbackOf(paid);
    await server.server.settled();
    const rows = await rowsOf(paid.paymentId);
    expect(rows.length).toBeGreaterThan(1);
    expect(new Set(rows.map((each) => each.paymentId))).toEqual(new Set([paymentId]));
  });

  it('does not answer to a token that was never given out for it', async () => {
    const callback = await undelivered('DOOR-3');
    const { paymentId } = await openPaid();
    const token = (url: string) => url.split('/').at(-1)!;
    const base = `${server.url}/notifications/${CONNECTION_ID}`;
    const wrong = {
      'a wrong token': ownUrl.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      "a payment's token": `${base}/${token(doorPath(paymentId))}`,
      "its token for a payment's": `${base}/${paymentId}/${token(ownUrl)}`,
      'its token for a payment of no name': `${base}//${token(ownUrl)}`,
      'its token for another connection': ownUrl.replace(`/${CONNECTION_ID}/`, '/nowhere/'),
    };
    for (const [what, url] of Object.entries(wrong)) {
      expect(await post(url, callback), what).toBe(404);
    }
    expect(await rowsOf(callback.paymentId)).toEqual([]);
  });

  it('refuses what is forged, or signed for the URL of a payment, and stores nothing', async () => {
    const callback = await undelivered('DOOR-4');
    const { paymentId, providerReference = '' } = await openPaid();
    await harness.sandbox.callbacks.idle();
    const ofPayment = harness.sandbox.callbacks.ofPayment(providerReference).at(-1)!;
    const kept = await rowsOf(providerReference);
    expect(ofPayment.url).toBe(`${server.url}${doorPath(paymentId)}`);
    expect(await post(ownUrl, ofPayment)).toBe(401);
    expect(await post(ofPayment.url, callback)).toBe(401);
    expect(await post(ownUrl, { ...callback, body: callback.body.replace('250', '251') })).toBe(
      401,
    );
    expect(await post(ownUrl, { ...callback, headers: {} })).toBe(401);
    for (const how of ['wrong_key', 'wrong_path', 'wrong_subject'] as const) {
      expect(await harness.sandbox.callbacks.forge(callback.paymentId, { how }), how).toBe(401);
    }
    expect(await rowsOf(callback.paymentId)).toEqual([]);
    expect(await rowsOf(providerReference)).toEqual(kept);
    const adopted = adoptedPaymentId(CONNECTION_ID, callback.paymentId);
    expect(await harness.client.get(adopted)).toBeUndefined();
  });

  it('is answered while Temporal is away, and the dispatcher adopts when it is back', async () => {
    const callback = await undelivered('DOOR-5');
    const printed = paymentIn(await open({ options: RECEIPT, captureMode: 'manual' }));
    loseCallbacks(harness.sandbox, printed.merchantReference);
    const code = printed.nextAction!.qrCode!.content;
    const scanned = harness.sandbox.consumer.scanCode(code);
    const expected = await callbackOf(harness.sandbox.consumer.confirm(scanned.paymentId));

    const without = await serve(harness, { client: clientWithoutTemporal() });
    const url = `${without.url}${new URL(ownUrl).pathname}`;
    for (const each of [callback, expected]) {
      expect(await post(url, each)).toBe(200);
      expect(await rowsOf(each.paymentId)).toMatchObject([{ state: 'undelivered' }]);
    }
    await without.server.settled();
    await without.close();

    const { client } = harness;
    const timing = { dispatchAfterMs: 0, dispatchEveryMs: 5 };
    await dispatchRound({ store, client, timing, logger: pino({ level: 'silent' }) });
    const paymentId = adoptedPaymentId(CONNECTION_ID, callback.paymentId);
    expect(await rowsOf(callback.paymentId)).toMatchObject([{ state: 'delivered', paymentId }]);
    expect(await rowsOf(expected.paymentId)).toMatchObject([
      { state: 'delivered', paymentId: printed.paymentId },
    ]);
    for (const id of [paymentId, printed.paymentId]) {
      await harness.until(id, ({ status }) => status === 'authorized');
    }
  });
});

const RECEIPT = { provider: 'payconiq', flavour: 'receipt' };

describe('an expected payment', () => {
  test('PCQ-24: may leave its amount to its payer', async () => {
    const opened = await open({ amount: { currency: 'EUR' }, options: RECEIPT });
    expect(opened.status).toBe(201);
    const { paymentId, merchantReference, nextAction, ...rest } = paymentIn(opened);
    paymentShape.parse(opened.body);
    expect(rest).toMatchObject({ status: 'requires_action', ended: false });
    expect(rest.amounts.requested).toBeUndefined();
    expect(sent(harness.sandbox, merchantReference)).toEqual([]);

    const { consumer } = harness.sandbox;
    const scanned = consumer.scanCode(nextAction!.qrCode!.content, { amount: 730 });
    consumer.confirm(scanned.paymentId);
    const captured = { minor: '730', currency: 'EUR' };
    expect(await harness.ended(paymentId)).toMatchObject({ amounts: { captured } });
  });

  it.each([
    ['of a kind that names its amount', { amount: { currency: 'EUR' } }, 'amount.minor'],
    ['of no kind', { options: { ...RECEIPT, flavour: 'ticket' } }, 'options.flavour'],
    ['without a currency', { amount: {}, options: RECEIPT }, 'amount.currency'],
    ['of no money', { amount: { minor: '0', currency: 'EUR' }, options: RECEIPT }, 'amount.minor'],
    [
      'that is none of one payment',
      { options: { ...RECEIPT, flavour: 'topUp' } },
      'options.flavour',
    ],
  ])('%s is refused, naming the field', async (_what, changes, field) => {
    const answer = await open(changes);
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      violations: [{ field }],
    });
  });
});

describe('a sweep on request', () => {
  const sweep = (connectionId: string, key: 'operator' | 'shop' = 'operator') =>
    server.call('POST', `/v1/connections/${connectionId}/sweep`, { key });

  it('PCQ-06: answers with what it found', async () => {
    const first = sweepResult.parse((await sweep(CONNECTION_ID)).body);
    const { paymentId } = await undelivered('SWEPT');
    const answer = await sweep(CONNECTION_ID);
    expect(answer.status).toBe(200);
    const { found, news, from, to } = sweepResult.parse(answer.body);
    expect({ found, news }).toEqual({ found: first.found + 1, news: 1 });
    expect(Date.parse(from)).toBeLessThan(Date.parse(to));
    expect(await rowsOf(paymentId)).toMatchObject([{ state: 'undelivered', verdict: 'facts' }]);
  });

  it('needs a connection there is, and the scope operations', async () => {
    expect((await sweep('nowhere')).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await sweep(CONNECTION_ID, 'shop')).body).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });
});
