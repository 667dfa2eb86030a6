import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlattenedSign, importPKCS8 } from 'jose';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { RawNotification, Receipt } from '../../../src/providers/provider.js';
import { FORGERIES } from '../../../src/sandbox/payconiq/faults.js';
import { PAYMENT_STATUSES } from '../../../src/sandbox/payconiq/payment.js';
import { peekHeader } from '../../../src/transport/jws.js';
import { lastCallback, merchantKeys, startMerchant, type Merchant } from './merchant.js';
import { jsonVector } from './vectors.js';

const HOUR_MS = 3_600_000;

let merchant: Merchant;
/** Of our side alone: the provider's clock runs on its own. */
let clockMs: number;

beforeEach(async () => {
  clockMs = Date.now();
  merchant = await startMerchant({ now: () => clockMs });
});
afterEach(() => merchant.close());

const receive = (notification: RawNotification): Promise<Receipt> =>
  merchant.notifications.receive(notification);
/** A payment that has been paid and waits for us, with its callback. */
async function paid(): Promise<{ id: string; notification: RawNotification }> {
  const { opened } = await merchant.create();
  merchant.sandbox.consumer.pay(opened.providerReference);
  return { id: opened.providerReference, notification: await lastCallback(merchant) };
}
const kindsOf = (receipt: Receipt): string[] =>
  receipt.kind === 'facts' ? receipt.facts.map(({ kind }) => kind) : [receipt.kind];

describe('a genuine callback', () => {
  it('is believed', async () => {
    const { id, notification } = await paid();
    expect(await receive(notification)).toMatchObject({
      kind: 'facts',
      providerReference: id,
      facts: [
        { kind: 'authorized', object: id, source: 'notification', amount: { minor: '1250' } },
      ],
    });
  });

  it('tells each end of a payment', async () => {
    const ended: Record<string, string[]> = {};
    const { consumer } = merchant.sandbox;
    const ends = { cancel: consumer.cancel, fail: consumer.fail, failAtBank: consumer.failAtBank };
    for (const [name, end] of Object.entries(ends)) {
      end((await merchant.create()).opened.providerReference);
      ended[name] = kindsOf(await receive(await lastCallback(merchant)));
    }
    const { opened } = await merchant.create();
    await merchant.sandbox.clock.advance(120_000);
    ended['expire'] = kindsOf(await receive(await lastCallback(merchant)));
    expect(opened.providerReference).toHaveLength(24);
    expect(ended).toEqual({
      cancel: ['canceled'],
      fail: ['declined'],
      failAtBank: ['declined'],
      expire: ['expired'],
    });
  });

  it('may be a day old: the same bytes are the same event', async () => {
    const { notification } = await paid();
    const first = await receive(notification);
    const [recorded] = merchant.sandbox.callbacks.list();
    await merchant.sandbox.callbacks.repeat(recorded!.id);
    clockMs += 11 * HOUR_MS;
    const repeated = await receive(await lastCallback(merchant));
    expect(repeated.kind).toBe('facts');
    expect((repeated as { eventId: string }).eventId).toBe((first as { eventId: string }).eventId);
  });
});

describe('a forged callback', () => {
  test.each(FORGERIES)('(%s) is proven to be one', async (how) => {
    const { id } = await paid();
    await merchant.sandbox.callbacks.forge(id, { how, status: 'SUCCEEDED' });
    const receipt = await receive(await lastCallback(merchant));
    expect(receipt).toMatchObject({ kind: 'forged', reason: expect.stringMatching(/.+/) });
  });

  it('is one that was posted to another payment’s URL', async () => {
    const { notification } = await paid();
    const elsewhere = { ...notification, paymentId: 'order-2' };
    expect(await receive(elsewhere)).toMatchObject({
      kind: 'forged',
      reason: expect.stringMatching(/path/),
    });
  });

  it('is one whose body has one space more', async () => {
    const { notification } = await paid();
    const body = Buffer.concat([notification.body, Buffer.from(' ')]);
    expect((await receive({ ...notification, body })).kind).toBe('forged');
  });

  it('is one for a merchant who gave no URL', async () => {
    const { notification } = await paid();
    const { notifications } = merchant.connect({ notificationUrl: 'none' });
    expect((await notifications.receive(notification)).kind).toBe('forged');
  });

  it('PCQ-16: is the document’s own sample: signed with RS256, with four critical names and no sub', async () => {
    const { signature, body } = await jsonVector<{ signature: string; body: string }>(
      'sample-callback',
    );
    const header = peekHeader(signature);
    expect(header).toMatchObject({ alg: 'RS256', kid: 'yesOne' });
    expect(header?.['crit']).toHaveLength(4);
    expect(header).not.toHaveProperty(['https://payconiq.com/sub']);
    const sample = { headers: { signature }, body: Buffer.from(body), paymentId: 'order-1' };
    expect(await receive(sample)).toEqual({ kind: 'forged', reason: '"alg" is not allowed' });
    expect(merchant.sandbox.requests()).toEqual([]);
  });
});

describe('the provider’s keys', () => {
  it('may be away: then nothing can be told, and the provider should repeat', async () => {
    const { notification } = await paid();
    merchant.sandbox.faults.next('certificates', { kind: 'error_before_effect', status: 503 });
    expect((await receive(notification)).kind).toBe('unverifiable');
    clockMs += 1_000;
    expect((await receive(notification)).kind).toBe('facts');
  });

  it('may be unreachable', async () => {
    const { notification } = await paid();
    await merchant.sandbox.faults.refuse();
    expect((await receive(notification)).kind).toBe('unverifiable');
  });

  it('rotate with an overlap: old and new verify, until the old one is taken away', async () => {
    const old = (await paid()).notification;
    expect((await receive(old)).kind).toBe('facts');
    await merchant.sandbox.rotateKey();
    clockMs += 1_000;
    const renewed = (await paid()).notification;
    expect((await receive(renewed)).kind).toBe('facts');
    expect((await receive(old)).kind).toBe('facts');
    merchant.sandbox.dropOldKeys();
    clockMs += 12 * HOUR_MS;
    expect((await receive(renewed)).kind).toBe('facts');
    // In the cool-down after that fetch nothing is proven yet.
    expect((await receive(old)).kind).toBe('unverifiable');
    clockMs += 1_000;
    expect((await receive(old)).kind).toBe('forged');
  });

  it('are not fetched for every forgery', async () => {
    const { id, notification } = await paid();
    await receive(notification);
    for (let count = 0; count < 5; count += 1) {
      await merchant.sandbox.callbacks.forge(id, { how: 'unknown_kid' });
      await receive(await lastCallback(merchant));
    }
    const fetches = merchant.sandbox
      .requests()
      .filter(({ operation }) => operation === 'certificates');
    expect(fetches).toHaveLength(1);
  });
});

it('the answer that ends the repeats is exactly 200', () => {
  expect(merchant.notifications.successStatus).toBe(200);
});

/** What the sandbox never says, said by a provider whose key we hold. */
describe('a callback with other content, signed as the provider signs', () => {
  const keys = merchantKeys('es.signature.provider');
  const paymentId = 'order-1';
  let keyServer: Server;
  let receiveSigned: (content: string, claims?: Record<string, unknown>) => Promise<Receipt>;

  beforeEach(async () => {
    keyServer = createServer((_request, response) => response.end(JSON.stringify(keys.keySet)));
    keyServer.listen(0, '127.0.0.1');
    await once(keyServer, 'listening');
    const { notifications } = merchant.connect({ settings: jwksSettings() });
    receiveSigned = async (content, claims = {}) => {
      const body = Buffer.from(content);
      const signature = await signAsProvider(body, claims);
      return notifications.receive({ headers: { signature }, body, paymentId });
    };
  });
  afterEach(async () => {
    keyServer.closeAllConnections();
    await new Promise((closed) => keyServer.close(closed));
  });

  async function signAsProvider(body: Buffer, claims: Record<string, unknown>): Promise<string> {
    const header = {
      iat: '2019-11-26T15:27:35.000Z',
      jti: 'x',
      iss: 'Payconiq',
      sub: merchant.sandbox.profileId,
      path: merchant.notificationUrl(paymentId),
      ...claims,
    };
    const named = Object.entries(header).map(([name, value]) => [
      `https://payconiq.com/${name}`,
      value,
    ]);
    const crit = named.map(([name]) => name as string);
    const { protected: encoded = '', signature } = await new FlattenedSign(body)
      .setProtectedHeader({
        alg: 'ES256',
        kid: 'es.signature.provider',
        crit,
        ...(Object.fromEntries(named) as Record<string, string>),
      })
      .sign(await importPKCS8(keys.privateKeyPem, 'ES256'), {
        crit: Object.fromEntries(crit.map((name) => [name, true])),
      });
    return `${encoded}..${signature}`;
  }
  const sampleBody = async (changes: object = {}): Promise<string> => {
    const { body } = await jsonVector<{ body: string }>('sample-callback');
    return JSON.stringify({ ...(JSON.parse(body) as object), ...changes });
  };

  it.each(PAYMENT_STATUSES)('gives facts for %s', async (status) => {
    const receipt = await receiveSigned(await sampleBody({ status }));
    expect(receipt).toMatchObject({
      kind: 'facts',
      providerReference: '5ba37c3d0989e3000758b9d8',
    });
  });

  it('counts the tip into what was captured', async () => {
    const tipped = { tippingAmount: 50, totalAmount: 172 };
    expect(await receiveSigned(await sampleBody(tipped))).toMatchObject({
      facts: [
        { kind: 'authorized', amount: { minor: '172' }, tip: { minor: '50' } },
        {
          kind: 'captured',
          amount: { minor: '172' },
          tip: { minor: '50' },
          occurredAt: '2019-11-26T15:27:34.835Z',
        },
      ],
    });
  });

  it('is only a hint where its status is not known', async () => {
    expect(await receiveSigned(await sampleBody({ status: 'SOMETHING_NEW' }))).toMatchObject({
      kind: 'hint',
      providerReference: '5ba37c3d0989e3000758b9d8',
    });
  });

  it.each([
    ['an amount that is no number', { amount: 'a lot' }],
    ['no payment', { paymentId: undefined }],
  ])('is only a hint with %s', async (_name, changes) => {
    const receipt = await receiveSigned(await sampleBody(changes));
    expect(receipt).toEqual({ kind: 'hint', eventId: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it.each(['', 'no JSON', '[]', 'null'])('is only a hint with the body %j', async (content) => {
    expect((await receiveSigned(content)).kind).toBe('hint');
  });

  it.each([
    ['issuer', { iss: 'Somebody' }],
    ['profile', { sub: 'another' }],
    ['path', { path: 'https://elsewhere.example' }],
  ])('is forged with another %s, however well it is signed', async (_name, claims) => {
    expect((await receiveSigned(await sampleBody(), claims)).kind).toBe('forged');
  });

  it('has another identity for other content, the same for the same', async () => {
    const [a, b] = [await sampleBody(), await sampleBody({ status: 'VOIDED' })];
    const ids = await Promise.all(
      [a, b].map(async (content) => {
        const body = Buffer.from(content);
        const signature = await signAsProvider(body, {});
        const notification = { headers: { signature }, body, paymentId };
        const { notifications } = merchant.connect({ settings: jwksSettings() });
        const twice = [
          await notifications.receive(notification),
          await notifications.receive(notification),
        ];
        return twice.map((receipt) => (receipt as { eventId: string }).eventId);
      }),
    );
    expect(ids[0]![0]).toBe(ids[0]![1]);
    expect(ids[0]![0]).not.toBe(ids[1]![0]);
  });

  const jwksSettings = () => ({
    jwksUrl: `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/certificates`,
  });
});
