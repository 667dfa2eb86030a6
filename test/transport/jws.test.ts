import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  constantTimeEqual,
  hmacSha256,
  randomToken,
  sha256Base32,
  sha256Hex,
} from '../../src/transport/digest.js';
import { staticKeySource } from '../../src/transport/jwks.js';
import {
  generateSigningKey,
  importPrivateKey,
  peekHeader,
  publicJwkOf,
  signDetached,
  verifyDetached,
} from '../../src/transport/jws.js';
import type { KeySource, SigningKeyPair, VerifyResult } from '../../src/transport/jws.js';

const CRIT = ['https://example.test/iat', 'https://example.test/path'];
const HEADER = {
  'https://example.test/iat': '2026-03-01T10:00:00.000Z',
  'https://example.test/path': '/v1/things',
};
const PAYLOAD = Buffer.from('{"amount":122,"name":"Café"}');

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const fullHeader = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  typ: 'jose+json',
  kid: 'k1',
  alg: 'ES256',
  ...HEADER,
  crit: CRIT,
  ...changes,
});

const { privateKey: rawKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let pair: SigningKeyPair;
let keys: KeySource;
beforeAll(async () => {
  const privateKey = await importPrivateKey({ jwk: rawKey.export({ format: 'jwk' }) });
  pair = { kid: 'k1', privateKey, publicJwk: await publicJwkOf(privateKey, 'k1') };
  keys = await staticKeySource({ keys: [pair.publicJwk] });
});

const signed = (changes: Partial<Parameters<typeof signDetached>[0]> = {}): Promise<string> =>
  signDetached({
    key: pair.privateKey,
    kid: 'k1',
    typ: 'jose+json',
    header: HEADER,
    crit: CRIT,
    payload: PAYLOAD,
    ...changes,
  });
const check = (jws: string, payload: Uint8Array = PAYLOAD, from = keys): Promise<VerifyResult> =>
  verifyDetached({ jws, payload, keys: from, algorithms: ['ES256'], requiredCrit: CRIT });

/** Signs any header, however wrong, with node:crypto alone. */
function signRaw(header: unknown, payload: Uint8Array = PAYLOAD): string {
  const input = `${encode(header)}.${Buffer.from(payload).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(input), { key: rawKey, dsaEncoding: 'ieee-p1363' });
  return `${encode(header)}..${signature.toString('base64url')}`;
}

describe('signDetached', () => {
  it('leaves the payload out and lists the critical names', async () => {
    const jws = await signed();
    expect(jws).toMatch(/^[\w-]+\.\.[\w-]+$/);
    expect(peekHeader(jws)).toEqual(fullHeader());
  });

  it('signs base64url(header).base64url(payload), as node:crypto confirms', async () => {
    const [header = '', , signature = ''] = (await signed()).split('.');
    const input = Buffer.from(`${header}.${PAYLOAD.toString('base64url')}`);
    const key = createPublicKey({ key: pair.publicJwk as never, format: 'jwk' });
    const raw = Buffer.from(signature, 'base64url');
    expect(raw).toHaveLength(64);
    expect(verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true);
  });

  it('signs an empty payload', async () => {
    const empty = new Uint8Array();
    expect(await check(await signed({ payload: empty }), empty)).toMatchObject({ kind: 'valid' });
  });

  it('refuses a critical name that the header lacks', async () => {
    await expect(signed({ crit: [...CRIT, 'absent'] })).rejects.toThrow('"absent"');
  });
});

describe('verifyDetached', () => {
  it('accepts a signature made by node:crypto alone', async () => {
    expect(await check(signRaw(fullHeader()))).toEqual({
      kind: 'valid',
      header: fullHeader(),
    });
  });

  it.each([
    ['another payload', PAYLOAD.subarray(1)],
    ['an empty payload', new Uint8Array()],
  ])('finds %s forged', async (_name, payload) => {
    expect(await check(await signed(), payload)).toEqual({
      kind: 'forged',
      reason: 'signature does not match',
    });
  });

  it('finds a changed header forged', async () => {
    const [, , signature = ''] = (await signed()).split('.');
    const header = encode(fullHeader({ 'https://example.test/path': '/v1/others' }));
    expect(await check(`${header}..${signature}`)).toMatchObject({ kind: 'forged' });
  });

  it.each([
    ['alg none', { alg: 'none' }, '"alg" is not allowed'],
    ['alg RS256', { alg: 'RS256' }, '"alg" is not allowed'],
    ['alg HS256', { alg: 'HS256' }, '"alg" is not allowed'],
    ['alg in another case', { alg: 'es256' }, '"alg" is not allowed'],
    ['a list of algs', { alg: ['ES256'] }, '"alg" is not allowed'],
    ['no kid', { kid: undefined }, '"kid" is missing'],
    ['a kid that is no text', { kid: 7 }, '"kid" is missing'],
    ['no crit', { crit: undefined }, '"crit" is not a list of names'],
    ['a crit of numbers', { crit: [1] }, '"crit" is not a list of names'],
    ['a crit name left out', { crit: CRIT.slice(1) }, `"crit" does not name "${CRIT[0]}"`],
    ['a crit name without its header', { [CRIT[1] as string]: undefined }, /the header lacks it/],
    ['an unencoded payload', { b64: false, crit: [...CRIT, 'b64'] }, '"b64" is not allowed'],
  ])('finds %s forged, however it is signed', async (_name, changes, reason) => {
    const result = await check(signRaw(fullHeader(changes)));
    expect(result.kind).toBe('forged');
    expect((result as { reason: string }).reason).toMatch(reason);
  });

  it('finds HS256 over the public key forged', async () => {
    const header = encode(fullHeader({ alg: 'HS256' }));
    const input = `${header}.${PAYLOAD.toString('base64url')}`;
    const mac = createHmac('sha256', JSON.stringify(pair.publicJwk)).update(input);
    expect(await check(`${header}..${mac.digest('base64url')}`)).toMatchObject({ kind: 'forged' });
  });

  it.each([
    ['nothing', ''],
    ['two parts', 'abc.def'],
    ['no signature', `${encode(fullHeader())}..`],
    ['an attached payload', `${encode(fullHeader())}.${PAYLOAD.toString('base64url')}.c2ln`],
    ['a header that is no JSON', `${encode('{')}..c2ln`],
    ['a header that is a list', `${encode([])}..c2ln`],
    ['a signature of another length', `${encode(fullHeader())}..c2ln`],
    ['an oversized header', `${'a'.repeat(20_000)}..c2ln`],
  ])('finds %s forged', async (_name, jws) => {
    expect(await check(jws)).toMatchObject({ kind: 'forged' });
  });

  it('finds the key of somebody else, under our key id, forged', async () => {
    const other = await generateSigningKey('k1');
    expect(await check(await signed({ key: other.privateKey }))).toEqual({
      kind: 'forged',
      reason: 'signature does not match',
    });
  });

  it('finds an unknown key forged', async () => {
    expect(await check(await signed({ kid: 'k2' }))).toMatchObject({ kind: 'forged' });
  });

  it('cannot verify while the key set is unavailable', async () => {
    const away: KeySource = { find: async () => ({ kind: 'unavailable', reason: 'away' }) };
    expect(await check(await signed(), PAYLOAD, away)).toEqual({
      kind: 'unverifiable',
      reason: 'away',
    });
  });

  it('cannot verify a critical extension it does not understand, once the signature holds', async () => {
    const header = fullHeader({ new: 'x', crit: [...CRIT, 'new'] });
    const jws = signRaw(header);
    expect(await check(jws)).toMatchObject({ kind: 'unverifiable' });
    expect(await check(jws, new Uint8Array())).toMatchObject({ kind: 'forged' });
  });

  it('asks for no key before the header is in order', async () => {
    let asked = 0;
    const counting: KeySource = {
      find: async () => {
        asked += 1;
        return { kind: 'unknown' };
      },
    };
    await check(signRaw(fullHeader({ alg: 'RS256' })), PAYLOAD, counting);
    expect(asked).toBe(0);
  });
});

describe('private keys', () => {
  it.each(['pem', 'jwk'] as const)('are imported from %s', async (format) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const source =
      format === 'pem'
        ? { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
        : { jwk: privateKey.export({ format: 'jwk' }) };
    const key = await importPrivateKey(source);
    const from = await staticKeySource({ keys: [await publicJwkOf(key, 'k1')] });
    expect(await check(await signed({ key }), PAYLOAD, from)).toMatchObject({ kind: 'valid' });
  });

  it('never publish their private part', async () => {
    const published = await publicJwkOf(pair.privateKey, 'k1');
    expect(Object.keys(published).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it.each([
    ['a public JWK', () => ({ jwk: pair.publicJwk })],
    ['text that is no PEM', () => ({ pem: 'hello' })],
    [
      'an RSA key',
      () => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
      },
    ],
  ])('are not imported from %s', async (_name, source) => {
    await expect(importPrivateKey(source())).rejects.toThrow();
  });
});

describe('digests', () => {
  it('match the published vectors', () => {
    expect(sha256Hex('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(hmacSha256('Jefe', 'what do ya want for nothing?').toString('hex')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    expect(sha256Base32('', 51)).toBe('4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbk');
  });

  it('compare secrets of any length', () => {
    expect(constantTimeEqual('secret', Buffer.from('secret'))).toBe(true);
    expect(constantTimeEqual('secret', 'secre')).toBe(false);
    expect(constantTimeEqual('', 'x')).toBe(false);
  });

  it('cut a derived id to any length of the digest', () => {
    expect(sha256Base32('x', 1)).toHaveLength(1);
    expect(sha256Base32('x', 20)).toBe(sha256Base32('x', 51).slice(0, 20));
    expect(() => sha256Base32('x', 52)).toThrow(RangeError);
    expect(() => sha256Base32('x', 0)).toThrow(RangeError);
  });

  it('make tokens that are not repeated', () => {
    expect(randomToken(24)).toMatch(/^[\w-]{32}$/);
    expect(randomToken(24)).not.toBe(randomToken(24));
  });
});
