import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  notification,
  notificationPage,
  refusalList,
} from '../../src/http/notification-schemas.js';
import type { Payment } from '../../src/domain/payment.js';
import type { RefusalCount } from '../../src/store/inbox.js';
import { FORGERIES } from '../../src/sandbox/payconiq/faults.js';
import type { CallbackRecord } from '../../src/sandbox/payconiq/callbacks.js';
import { CONNECTION_ID, type Harness } from '../support/harness.js';
import {
  doorPath,
  harnessWithDoor,
  openBody,
  paymentIn,
  serve,
  storeThatIsDown,
  type TestServer,
} from './support.js';

let harness: Harness;
let server: TestServer;
/** Opened and paid, its notification taken in. */
let paid: Payment;
let callback: CallbackRecord;

beforeAll(async () => {
  const prepared = await harnessWithDoor();
  harness = prepared.harness;
  server = await serve(harness, { port: prepared.port });
  await harness.startWorker();
  paid = await openPaid();
  callback = callbackOf(paid);
});

afterAll(async () => {
  await server.close();
  await harness.close();
});

async function openPaid(): Promise<Payment> {
  const answer = await server.call('POST', '/v1/payments', {
    body: openBody({ captureMode: 'manual' }),
    idempotencyKey: crypto.randomUUID(),
  });
  const opened = paymentIn(answer);
  harness.sandbox.consumer.pay(opened.providerReference!);
  await harness.sandbox.callbacks.idle();
  return harness.until(opened.paymentId, ({ status }) => status === 'authorized');
}

function callbackOf({ providerReference }: Payment): CallbackRecord {
  return harness.sandbox.callbacks.ofPayment(providerReference!).at(-1)!;
}

async function post(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, text: await response.text() };
}

const inboxOf = async ({ paymentId }: Payment) =>
  (await harness.store.inbox.list({ paymentId, limit: 10 })).notifications;

async function counted(reason: string, connectionId = CONNECTION_ID): Promise<number> {
  await server.server.settled();
  const all: readonly RefusalCount[] = await harness.store.inbox.refusals();
  const found = all.find((each) => each.reason === reason && each.connectionId === connectionId);
  return found?.count ?? 0;
}

describe('a genuine notification', () => {
  it('is stored, answered with the success status and no body, and told to its payment', async () => {
    expect(callback.attempts).toMatchObject([{ answer: 200 }]);
    await server.server.settled();
    expect(await inboxOf(paid)).toMatchObject([
      { state: 'delivered', verdict: 'facts', deliveries: 1, facts: [{}] },
    ]);
    const again = await post(callback.url, callback.body, callback.headers);
    expect(again).toEqual({ status: 200, text: '' });
  });

  it('that comes again changes nothing', async () => {
    const payment = await openPaid();
    expect(await harness.sandbox.callbacks.repeat(callbackOf(payment).id)).toBe(200);
    await server.server.settled();
    expect(await inboxOf(payment)).toMatchObject([{ deliveries: 2, state: 'delivered' }]);
    expect(await harness.client.get(payment.paymentId)).toEqual(payment);
  });

  it('of any content type is taken', async () => {
    for (const type of ['text/plain', 'no type at all', 'application/x-www-form-urlencoded']) {
      const headers = { ...callback.headers, 'content-type': type };
      expect((await post(callback.url, callback.body, headers)).status, type).toBe(200);
    }
  });

  it('is asked for again while the database is down', async () => {
    const withoutStore = await serve(harness, { store: await storeThatIsDown() });
    const url = `${withoutStore.url}${new URL(callback.url).pathname}`;
    const answer = await post(url, callback.body, callback.headers);
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'store_unavailable' });
    await withoutStore.close();
  });
});

describe('what is not genuine changes nothing and is counted', () => {
  it.each(FORGERIES)('forged: %s', async (how) => {
    const before = [await harness.client.get(paid.paymentId), await inboxOf(paid)];
    const count = await counted('forged');
    const answer = await harness.sandbox.callbacks.forge(paid.providerReference!, { how });
    // Right after a look for new keys, an unknown key is no proof.
    const isProven = how !== 'unknown_kid' || answer === 401;
    expect(answer).toBe(isProven ? 401 : 503);
    expect(await counted('forged')).toBe(isProven ? count + 1 : count);
    expect([await harness.client.get(paid.paymentId), await inboxOf(paid)]).toEqual(before);
  });

  it('malformed or empty', async () => {
    const count = await counted('forged');
    for (const body of ['', '{"paymentId":', '\u0000\u0001']) {
      expect((await post(callback.url, body)).status).toBe(401);
    }
    const signature = 'not.a.signature';
    expect((await post(callback.url, callback.body, { signature })).status).toBe(401);
    expect(await counted('forged')).toBe(count + 4);
  });

  it('oversized, announced or not', async () => {
    const count = await counted('oversized');
    const tooMuch = 'x'.repeat(64 * 1024 + 1);
    const farTooMuch = 'x'.repeat(4 * 1024 * 1024);
    const announced = await post(callback.url, tooMuch);
    expect(announced.status).toBe(413);
    expect(JSON.parse(announced.text)).toMatchObject({ code: 'payload_too_large' });
    expect(await postUnannounced(callback.url, tooMuch)).toBe(413);
    expect(await postUnannounced(callback.url, farTooMuch)).toBe(413);
    expect(await counted('oversized')).toBe(count + 3);
  });

  it('at an address that was never given out', async () => {
    const [ours, none] = [await counted('unknown_url'), await counted('unknown_url', '-')];
    const paths = {
      'a wrong token': doorPath(paid.paymentId).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      "another payment's token": doorPath('another').replace('/another/', `/${paid.paymentId}/`),
      'an unknown connection': doorPath(paid.paymentId).replace(CONNECTION_ID, 'nowhere'),
    };
    for (const [what, path] of Object.entries(paths)) {
      const answer = await post(`${server.url}${path}`, callback.body, callback.headers);
      expect(answer.status, what).toBe(404);
      expect(answer.text).not.toContain(paid.paymentId);
    }
    expect(await counted('unknown_url')).toBe(ours + 2);
    expect(await counted('unknown_url', '-')).toBe(none + 1);
  });
});

describe('operators', () => {
  const operator = { key: 'operator' } as const;

  it('list and read notifications as they came', async () => {
    const listed = await server.call(
      'GET',
      `/v1/notifications?paymentId=${paid.paymentId}`,
      operator,
    );
    const [first] = notificationPage.parse(listed.body).notifications;
    const read = await server.call('GET', `/v1/notifications/${first!.id}`, operator);
    const found = notification.parse(read.body);
    expect(Buffer.from(found.body, 'base64').toString()).toBe(callback.body);
    expect(found.headers['signature']).toBe(callback.headers['signature']);
    expect(found.headers).not.toHaveProperty('host');
  });

  it('have one delivered again', async () => {
    const [row] = await inboxOf(paid);
    const replayed = await server.call('POST', `/v1/notifications/${row!.id}/replay`, operator);
    expect(replayed.status).toBe(202);
    expect(await inboxOf(paid)).toMatchObject([{ state: 'undelivered', attempts: 0 }]);
    for (const id of ['0', '999999', 'x']) {
      const read = await server.call('GET', `/v1/notifications/${id}`, operator);
      const replay = await server.call('POST', `/v1/notifications/${id}/replay`, operator);
      expect([read.status, replay.status]).toEqual([404, 404]);
    }
  });

  it('see what was refused', async () => {
    const { body } = await server.call('GET', '/v1/notifications/refusals', operator);
    const { refusals } = refusalList.parse(body);
    expect(refusals).toContainEqual({
      day: new Date().toISOString().slice(0, 10),
      connectionId: CONNECTION_ID,
      reason: 'forged',
      count: await counted('forged'),
    });
  });

  it('find no address of a notification in the log', () => {
    const token = new URL(callback.url).pathname.split('/').at(-1)!;
    expect(server.log()).toContain('"route":"/notifications/:connectionId/:paymentId/:token"');
    expect(server.log()).not.toContain(token);
  });
});

/** In chunks, without saying how much will come. */
function postUnannounced(url: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.on('error', reject);
    request.write(body.slice(0, 1_000));
    request.end(body.slice(1_000));
  });
}
