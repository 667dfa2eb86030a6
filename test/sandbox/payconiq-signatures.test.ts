import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { CRITICAL_CLAIMS } from '../../src/sandbox/payconiq/signing-keys.js';
import { randomToken } from '../../src/transport/digest.js';
import { x5cOf } from '../../src/transport/certificates.js';
import { generateSigningKey, signDetached } from '../../src/transport/jws.js';
import type { SigningKeyPair, VerifyResult } from '../../src/transport/jws.js';
import { certificateChain, newKeyPair } from '../support/certificates.js';
import {
  CLAIM,
  HOUR_MS,
  call,
  callbackUrl,
  post,
  respondWith,
  sandbox,
  start,
  verify,
} from './payconiq-harness.js';
import type { Reply } from './payconiq-harness.js';

describe('signed requests', () => {
  let pair: SigningKeyPair;
  beforeEach(async () => {
    pair = await generateSigningKey('merchant-1');
    await start({ merchantKeys: { keys: [pair.publicJwk] } });
  });

  interface SignedCall {
    readonly path: string;
    readonly method?: 'GET' | 'POST' | 'DELETE';
    readonly body?: unknown;
    readonly claims?: Record<string, string>;
    readonly key?: SigningKeyPair;
  }
  const signature = async ({ path, body, claims, key = pair }: SignedCall): Promise<string> =>
    signDetached({
      key: key.privateKey,
      kid: key.kid,
      typ: 'jose+json',
      header: {
        [`${CLAIM}iat`]: new Date().toISOString(),
        [`${CLAIM}jti`]: randomToken(12),
        [`${CLAIM}path`]: path,
        [`${CLAIM}iss`]: sandbox.merchantId,
        [`${CLAIM}sub`]: sandbox.profileId,
        ...claims,
      },
      crit: CRITICAL_CLAIMS,
      payload: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    });
  const signed = async (asked: SignedCall): Promise<Reply> =>
    call(asked.path, {
      method: asked.method ?? 'POST',
      body: asked.body,
      headers: { authorization: '', signature: await signature(asked) },
    });
  const verified = ({ headers, text }: Reply): Promise<VerifyResult> =>
    verify({ headers, body: text });

  const SUB_MERCHANT = {
    amount: 122,
    country: 'BEL',
    paymentChannel: 'ONLINE',
    returnUrl: 'https://shop.example/done',
    subMerchant: { subMerchantId: 'M1', name: 'Merchant ABC', mcc: '5190' },
  };

  it('are answered with a signature of the provider, empty answers and refusals too', async () => {
    const body = { amount: 122 };
    const created = await signed({ path: '/v3/payments', body });
    expect(created.status).toBe(201);
    const result = await verified(created);
    expect(result).toMatchObject({
      kind: 'valid',
      header: { [`${CLAIM}iss`]: 'Payconiq', [`${CLAIM}path`]: '/v3/payments' },
    });
    const path = `/v3/payments/${created.json.paymentId}`;
    const ended = await signed({ path, method: 'DELETE' });
    expect([ended.status, (await verified(ended)).kind]).toEqual([204, 'valid']);
    const again = await signed({ path, method: 'DELETE' });
    expect([again.status, (await verified(again)).kind]).toEqual([422, 'valid']);
  });

  it('alone may create for a submerchant', async () => {
    const path = '/v3/payments/subMerchant';
    expect((await post(path, SUB_MERCHANT)).json.code).toBe('ACCESS_DENIED');
    const { status, json } = await signed({ path, body: SUB_MERCHANT });
    expect(status).toBe(201);
    expect(json._links).toHaveProperty('checkout');
    expect(Date.parse(json.expiresAt) - Date.parse(json.createdAt)).toBe(1_200_000);
  });

  it.each([
    ['country', { country: 'FRA' }, 'FIELD_IS_INVALID'],
    ['country', { country: undefined }, 'FIELD_IS_REQUIRED'],
    ['paymentChannel', { paymentChannel: undefined }, 'FIELD_IS_REQUIRED'],
    ['posId', { paymentChannel: 'INSTORE' }, 'FIELD_IS_REQUIRED'],
    ['subMerchant', { subMerchant: undefined }, 'FIELD_IS_REQUIRED'],
    ['subMerchant', { subMerchant: 'M1' }, 'FIELD_IS_INVALID'],
    ['subMerchant.name', { subMerchant: { subMerchantId: 'M1' } }, 'FIELD_IS_REQUIRED'],
    [
      'subMerchant.name',
      { subMerchant: { subMerchantId: 'M1', name: 'x'.repeat(23) } },
      'FIELD_IS_INVALID',
    ],
    [
      'subMerchant.mcc',
      { subMerchant: { subMerchantId: 'M1', name: 'x', mcc: '519' } },
      'FIELD_IS_INVALID',
    ],
  ])('for a submerchant need %s in order (%j)', async (field, changes, code) => {
    const body = { ...SUB_MERCHANT, ...changes };
    const { json } = await signed({ path: '/v3/payments/subMerchant', body });
    expect(json).toMatchObject({ code, message: expect.stringContaining(`'${field}'`) });
  });

  it.each([
    ['path', '/v3/payments/pos'],
    ['iss', 'Somebody'],
    ['sub', '000000000000000000000000'],
    ['iat', 'now'],
    ['iat', '2026-03-01T10:00:00+01:00'],
    ['jti', ''],
  ])('are refused for a wrong %s (%s)', async (name, value) => {
    const claims = { [CLAIM + name]: value };
    const { status, json } = await signed({ path: '/v3/payments', body: { amount: 1 }, claims });
    expect([status, json.code]).toEqual([401, 'UNAUTHORIZED']);
    expect(sandbox.payments()).toEqual([]);
  });

  it('are refused for another body, another key and a jti used twice', async () => {
    const body = { amount: 1 };
    const jws = await signature({ path: '/v3/payments', body });
    const send = (asked: unknown): Promise<Reply> =>
      post('/v3/payments', asked, { authorization: '', signature: jws });
    expect((await send({ amount: 2 })).status).toBe(401);
    expect((await send(body)).status).toBe(201);
    expect((await send(body)).status).toBe(401);
    const key = await generateSigningKey('merchant-1');
    expect((await signed({ path: '/v3/payments', body, key })).status).toBe(401);
    expect(sandbox.payments()).toHaveLength(1);
    expect(sandbox.requests().map(({ jti }) => typeof jti)).toEqual(Array(4).fill('string'));
  });

  it('may be answered unsigned or with a broken signature, to be seen through', async () => {
    sandbox.signResponses('never');
    const bare = await signed({ path: '/v3/payments', body: { amount: 1 } });
    expect(bare.headers['signature']).toBeUndefined();
    sandbox.signResponses('broken');
    const broken = await signed({ path: '/v3/payments', body: { amount: 1 } });
    expect((await verified(broken)).kind).toBe('forged');
  });

  it('PCQ-18: are refused where the certificate of the published key is of another', async () => {
    const publicKey = createPublicKey({ key: { ...pair.publicJwk }, format: 'jwk' });
    const cases = [
      [newKeyPair().publicKey, 401],
      [publicKey, 201],
    ] as const;
    for (const [certified, status] of cases) {
      const x5c = x5cOf(certificateChain({ publicKey: certified }));
      await sandbox.close();
      respondWith((response) =>
        response.end(JSON.stringify({ keys: [{ ...pair.publicJwk, x5c }] })),
      );
      await start({ merchantKeys: callbackUrl });
      expect((await signed({ path: '/v3/payments', body: { amount: 1 } })).status).toBe(status);
    }
  });

  it('PCQ-18: are verified with keys of a URL, cached as documented', async () => {
    await sandbox.close();
    let published = [pair.publicJwk];
    respondWith((response) => response.end(JSON.stringify({ keys: published })));
    await start({ merchantKeys: callbackUrl });
    const path = '/v3/payments';
    expect((await signed({ path, body: { amount: 1 } })).status).toBe(201);
    const next = await generateSigningKey('merchant-2');
    published = [pair.publicJwk, next.publicJwk];
    expect((await signed({ path, body: { amount: 1 }, key: next })).status).toBe(401);
    await sandbox.clock.advance(12 * HOUR_MS);
    expect((await signed({ path, body: { amount: 1 }, key: next })).status).toBe(201);
  });
});
