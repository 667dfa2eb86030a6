import { importPKCS8, flattenedVerify, FlattenedSign } from 'jose';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, test } from 'vitest';
import {
  authenticator,
  callbackViolation,
  type Signable,
} from '../../../src/providers/payconiq/auth.js';
import { payconiqApi } from '../../../src/providers/payconiq/api.js';
import { payconiqSettings } from '../../../src/providers/payconiq/config.js';
import { createHttpClient } from '../../../src/transport/http.js';
import {
  SIGNING_KID,
  intentOf,
  merchantKeys,
  requestOf,
  startMerchant,
  type Merchant,
} from './merchant.js';

const CLAIM = 'https://payconiq.com/';
const CRIT = ['iat', 'jti', 'path', 'iss', 'sub'].map((name) => CLAIM + name);
const IDS = { profileId: '5cc6e4c88b6e691156d1376d', merchantId: '5cc6e4c15a2c1100071f0a5f' };
const NOW_MS = Date.parse('2026-03-01T10:00:00.123Z');
const keys = merchantKeys();
const signing = { kid: SIGNING_KID, privateKeyPem: keys.privateKeyPem };
const body = Buffer.from('{"amount":122,"description":"Café"}');
const signable = { path: '/v3/payments', body, nowMs: NOW_MS, jti: 'jti-1' };

let merchant: Merchant | undefined;
afterEach(async () => {
  await merchant?.close();
  merchant = undefined;
});

/** Verifies a detached signature with jose alone, payload given beside it. */
async function headerOf(jws: string, payload: Uint8Array): Promise<Record<string, unknown>> {
  const [encoded = '', , signature = ''] = jws.split('.');
  const { protectedHeader } = await flattenedVerify(
    { protected: encoded, payload: Buffer.from(payload).toString('base64url'), signature },
    keys.publicKey,
    { algorithms: ['ES256'], crit: Object.fromEntries(CRIT.map((name) => [name, true])) },
  );
  return protectedHeader as Record<string, unknown>;
}

describe('a request with an API key', () => {
  it('carries it as bearer token and nothing else', async () => {
    const settings = payconiqSettings.parse({ ...IDS, apiKey: 'key' });
    expect(await authenticator(settings)(signable)).toEqual({ authorization: 'Bearer key' });
  });
});

describe('a signed request', () => {
  const settings = payconiqSettings.parse({ ...IDS, apiKey: 'key', signing });
  const sign = async (changes: Partial<Signable> = {}): Promise<string> =>
    (await authenticator(settings)({ ...signable, ...changes }))['signature'] ?? '';

  it('PCQ-19: carries the document’s header, as jose confirms', async () => {
    expect(await headerOf(await sign(), body)).toEqual({
      typ: 'jose+json',
      kid: SIGNING_KID,
      alg: 'ES256',
      [`${CLAIM}iat`]: '2026-03-01T10:00:00.123Z',
      [`${CLAIM}jti`]: 'jti-1',
      [`${CLAIM}path`]: '/v3/payments',
      [`${CLAIM}iss`]: IDS.merchantId,
      [`${CLAIM}sub`]: IDS.profileId,
      crit: CRIT,
    });
  });

  it('carries no API key', async () => {
    expect(Object.keys(await authenticator(settings)(signable))).toEqual(['signature']);
  });

  it('PCQ-19: covers the body to the byte, an empty one too', async () => {
    await expect(headerOf(await sign(), body.subarray(1))).rejects.toThrow('verification failed');
    const empty = new Uint8Array();
    expect(await headerOf(await sign({ body: empty }), empty)).toMatchObject({ alg: 'ES256' });
  });

  it('PCQ-19: is accepted by a provider that knows our key, for every operation', async () => {
    merchant = await startMerchant({ auth: 'signed' });
    const { sandbox, payments } = merchant;
    const { request, opened } = await merchant.create();
    const { providerReference } = opened;
    sandbox.consumer.pay(providerReference);
    const command = (operation: 'capture' | 'void') =>
      payments.operations[operation]!.send(intentOf(operation, request, { providerReference }));
    expect((await payments.read({ request, providerReference })).kind).toBe('found');
    const [from, to] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
    const filter = { from: from.toISOString(), to: to.toISOString(), page: 0, pageSize: 9 };
    expect((await payments.search!(filter)).kind).toBe('found');
    expect((await command('capture')).kind).toBe('succeeded');
    expect((await command('void')).kind).toBe('declined');
    const unpaid = await merchant.create();
    const cancelled = intentOf('cancel', unpaid.request, {
      providerReference: unpaid.opened.providerReference,
    });
    expect((await payments.operations.cancel!.send(cancelled)).kind).toBe('succeeded');
    const asked = sandbox.requests().filter(({ operation }) => operation !== 'certificates');
    const kinds = new Set(asked.map(({ operation }) => operation));
    expect(kinds).toEqual(new Set(['create', 'get', 'search', 'acknowledge', 'cancel']));
    const ids = asked.flatMap(({ jti }) => jti ?? []);
    expect(ids).toHaveLength(asked.length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('PCQ-19: is refused where the provider knows another key, and that refusal is believed unsigned', async () => {
    merchant = await startMerchant({ auth: 'signed' });
    const other = merchantKeys();
    const { payments } = merchant.connect({
      settings: { signing: { kid: SIGNING_KID, privateKeyPem: other.privateKeyPem } },
    });
    const outcome = await payments.operations.create.send(intentOf('create', requestOf()));
    expect(outcome).toMatchObject({
      kind: 'not_sent',
      cause: 'rejected',
      problem: { code: 'unauthorized', providerCode: 'UNAUTHORIZED' },
    });
    expect(merchant.sandbox.payments()).toEqual([]);
  });

  it('PCQ-19: signs the path without the query, though the query is sent', async () => {
    const seen: { url?: string | undefined; signature?: string | undefined; body: Buffer }[] = [];
    const server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const signature = incoming.headers['signature'] as string;
        seen.push({ url: incoming.url, signature, body: Buffer.concat(chunks) });
        response.writeHead(500).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    merchant = await startMerchant();
    const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { payments } = merchant.connect({ settings: { apiBaseUrl, signing } });
    await payments.search!({
      from: '2026-03-01T00:00:00.000Z',
      to: '2026-03-02T00:00:00.000Z',
      page: 2,
      pageSize: 50,
    });
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    const [request] = seen;
    expect(request?.url).toBe('/v3/payments/search?page=2&size=50');
    const header = await headerOf(request?.signature ?? '', request?.body ?? Buffer.alloc(0));
    expect(header[`${CLAIM}path`]).toBe('/v3/payments/search');
  });

  it('is not sent at all with a key that cannot sign', async () => {
    merchant = await startMerchant();
    const privateKeyPem = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----';
    const settings = payconiqSettings.parse({ ...IDS, apiKey: 'key' });
    const http = createHttpClient({ origins: [merchant.sandbox.url], now: Date.now });
    const outcome = await payconiqApi(
      { ...settings, apiBaseUrl: merchant.sandbox.url, signing: [{ kid: 'k', privateKeyPem }] },
      { http, keys: { find: () => Promise.resolve({ kind: 'unknown' }) }, now: Date.now },
    )({
      ...{ method: 'POST', path: '/v3/payments', body: { amount: 1 } },
      ...{ size: 'payment', connection: 'fresh', deadlineMs: Date.now() + 5_000 },
    });
    await http.close();
    expect(outcome).toMatchObject({
      kind: 'not_sent',
      cause: 'rejected',
      problem: { code: 'unauthorized' },
    });
    expect(JSON.stringify(outcome)).not.toContain('AAAA');
    expect(merchant.sandbox.requests()).toEqual([]);
  });
});

describe('the claims of a callback', () => {
  const callbackUrl = 'https://pay.example/notifications/shop/order-1/token';
  const claims = (changes: Record<string, unknown> = {}) => {
    const genuine = {
      iss: 'Payconiq',
      sub: IDS.profileId,
      path: callbackUrl,
      iat: '2019-01-01',
      jti: 'x',
    };
    const entries = Object.entries({ ...genuine, ...changes });
    return Object.fromEntries(entries.map(([name, value]) => [CLAIM + name, value]));
  };
  const violation = (changes: Record<string, unknown>, url: string | undefined = callbackUrl) =>
    callbackViolation(claims(changes), { profileId: IDS.profileId, callbackUrl: url });

  test.each([
    ['the URL that we gave', {}],
    ['its path alone', { path: '/notifications/shop/order-1/token' }],
    ['a time long ago: repeats come for 24 hours', { iat: '2019-01-14T11:11:11Z' }],
  ])('may have %s', (_name, changes) => expect(violation(changes)).toBeUndefined());

  test.each([
    ['another issuer', { iss: 'payconiq' }, /iss/],
    ['no issuer', { iss: undefined }, /iss/],
    ['another profile', { sub: IDS.merchantId }, /sub/],
    ['a profile that is no text', { sub: [IDS.profileId] }, /sub/],
    ['another payment’s URL', { path: callbackUrl.replace('order-1', 'order-2') }, /path/],
    ['our URL with something after it', { path: `${callbackUrl}/x` }, /path/],
    ['our URL with a query', { path: `${callbackUrl}?x` }, /path/],
    [
      'our path at another host',
      { path: 'https://evil.test/notifications/shop/order-1/token' },
      /path/,
    ],
    ['no path', { path: undefined }, /path/],
    ['a list of paths', { path: [callbackUrl] }, /path/],
  ])('may not have %s', (_name, changes, reason) => {
    expect(violation(changes)).toMatch(reason);
  });

  it('fit nothing where no callback URL is configured', () => {
    const expected = { profileId: IDS.profileId, callbackUrl: undefined };
    expect(callbackViolation(claims(), expected)).toMatch(/no callback URL/);
  });
});

it('jose itself agrees on what a signature of ours is', async () => {
  const key = await importPKCS8(keys.privateKeyPem, 'ES256');
  const header = {
    alg: 'ES256',
    crit: CRIT,
    ...Object.fromEntries(CRIT.map((name) => [name, 'x'])),
  };
  const understood = Object.fromEntries(CRIT.map((name) => [name, true]));
  const signed = await new FlattenedSign(body)
    .setProtectedHeader(header)
    .sign(key, { crit: understood });
  expect(await headerOf(`${signed.protected}..${signed.signature}`, body)).toMatchObject(header);
});
