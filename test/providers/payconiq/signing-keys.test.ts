import { describe, expect, it, test } from 'vitest';
import { checkConnections } from '../../../src/providers/connections.js';
import { payconiq } from '../../../src/providers/payconiq/payconiq.js';
import { keySetOf, signingKeyAt } from '../../../src/providers/payconiq/signing-keys.js';
import { payconiqSettings } from '../../../src/providers/payconiq/config.js';
import { certificateChain, newKeyPair } from '../../support/certificates.js';

const HOUR_MS = 3_600_000;
const PUBLISHED_MS = Date.parse('2026-03-01T10:00:00Z');
const IDS = { profileId: '5cc6e4c88b6e691156d1376d', merchantId: '5cc6e4c15a2c1100071f0a5f' };
const pair = newKeyPair();
const { privateKeyPem } = pair;
const certificatePem = certificateChain(pair);
const other = newKeyPair();

const violationsOf = (signing: unknown) => {
  const configured = payconiq.configure({ ...IDS, signing });
  return 'violations' in configured ? configured.violations : [];
};
const signingOf = (signing: unknown) => payconiqSettings.parse({ ...IDS, signing }).signing!;

describe('PCQ-18: the key that signs', () => {
  const old = { kid: 'old', privateKeyPem };
  const next = { kid: 'next', privateKeyPem, publishedAt: '2026-03-01T11:00:00+01:00' };
  const last = { kid: 'last', privateKeyPem, publishedAt: '2026-03-01T16:00:00Z' };
  const at = (hours: number, ...keys: object[]) =>
    signingKeyAt(signingOf({ keys }), PUBLISHED_MS + hours * HOUR_MS).kid;

  it('is the only one there is, at once', () => {
    expect(signingKeyAt(signingOf(old), 0).kid).toBe('old');
    expect(at(0, old)).toBe('old');
    expect(at(1, next)).toBe('next');
  });

  it('is a new one 12 hours after its publication, and not a moment earlier', () => {
    expect(at(0, old, next)).toBe('old');
    expect(at(12 - 1e-6, old, next)).toBe('old');
    expect(at(12, old, next)).toBe('next');
    expect(at(12, next, old)).toBe('next');
  });

  it('is the newest of those that the provider must have by now', () => {
    const steps = [11, 12, 17.9, 18, 100].map((hours) => at(hours, last, old, next));
    expect(steps).toEqual(['old', 'next', 'next', 'last', 'last']);
  });

  it('is the one published first while none is old enough', () => {
    expect(at(1, last, next)).toBe('next');
  });
});

describe('PCQ-18: what is published', () => {
  const MEMBERS = ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'x5c', 'y'];

  it('is every key with the members that the document demands, and nothing private', async () => {
    const second = {
      kid: 'k2',
      privateKeyPem: other.privateKeyPem,
      publishedAt: '2099-01-01T00:00:00Z',
    };
    const keys = [{ kid: 'k1', privateKeyPem, certificatePem }, second];
    const set = await keySetOf(signingOf({ keys }));
    const { x, y, d } = pair.privateKey.export({ format: 'jwk' });
    expect(Object.keys(set.keys[0]!).sort()).toEqual(MEMBERS);
    expect(set.keys[0]).toMatchObject({
      ...{ alg: 'ES256', kid: 'k1', kty: 'EC', use: 'sig', crv: 'P-256', x, y },
    });
    expect(set.keys[0]!.x5c).toHaveLength(2);
    expect(set.keys[1]).toMatchObject({ kid: 'k2' });
    expect(Object.keys(set.keys[1]!).sort()).toEqual(MEMBERS.filter((name) => name !== 'x5c'));
    expect(JSON.stringify(set)).not.toContain(d);
  });
});

describe('settings of signing keys', () => {
  it('have the certificate of their key', () => {
    expect(violationsOf({ kid: 'k', privateKeyPem, certificatePem })).toEqual([]);
    const wrong = { kid: 'k', privateKeyPem: other.privateKeyPem, certificatePem };
    expect(violationsOf(wrong)).toEqual([
      { field: 'signing.certificatePem', rule: 'is for another key than privateKeyPem' },
    ]);
    expect(violationsOf({ keys: [wrong] })).toMatchObject([
      { field: 'signing.keys.0.certificatePem' },
    ]);
  });

  test.each<[string, unknown, string[]]>([
    ['no object', 'x', ['signing']],
    ['nothing', {}, ['signing.kid', 'signing.privateKeyPem']],
    ['no key', { keys: [] }, ['signing.keys.0']],
    ['no list', { keys: 'x' }, ['signing.keys']],
    ['both forms', { kid: 'k', keys: [{ kid: 'k', privateKeyPem }] }, ['signing.kid']],
    [
      'a time beside the only key, which signs at once',
      { kid: 'k', privateKeyPem, publishedAt: '2026-03-01T10:00:00Z' },
      ['signing.publishedAt'],
    ],
    [
      'a key of another curve',
      { kid: 'k', privateKeyPem: newKeyPair('P-384').privateKeyPem },
      ['signing.privateKeyPem'],
    ],
    [
      'no certificate',
      { kid: 'k', privateKeyPem, certificatePem: privateKeyPem },
      ['signing.certificatePem'],
    ],
    [
      'each problem of each key',
      {
        keys: [
          { kid: 'a', privateKeyPem: 'x', certificatePem: 'x' },
          { kid: 'a', privateKeyPem },
          { kid: '', privateKeyPem, publishedAt: 'yesterday', d: 1 },
          null,
        ],
      },
      [
        'signing.keys.0.certificatePem',
        'signing.keys.0.privateKeyPem',
        'signing.keys.1.kid',
        'signing.keys.1.publishedAt',
        'signing.keys.2.d',
        'signing.keys.2.kid',
        'signing.keys.2.publishedAt',
        'signing.keys.3',
        'signing.keys.3.publishedAt',
      ],
    ],
  ])('may not have %s', (_name, signing, fields) => {
    expect(
      violationsOf(signing)
        .map(({ field }) => field)
        .sort(),
    ).toEqual(fields);
  });

  it('hold no key in the clear, wherever it stands', () => {
    const settings = { ...IDS, signing: { keys: [{ kid: 'k', privateKeyPem }] } };
    const connection = { id: 'shop', provider: 'payconiq', settings };
    expect(checkConnections([connection], [connection])).toMatchObject([
      { field: 'connections.shop.signing.keys.0.privateKeyPem' },
    ]);
    const referred = { keys: [{ kid: 'k', privateKeyPem: { file: 'key.pem' } }] };
    const written = { ...connection, settings: { ...IDS, signing: referred } };
    expect(checkConnections([written], [connection])).toEqual([]);
  });

  it('are refused without telling what they hold', () => {
    const told = JSON.stringify(
      violationsOf({ keys: [{ kid: 'k', privateKeyPem: 'top secret', certificatePem: 'hidden' }] }),
    );
    expect(told).not.toMatch(/top secret|hidden/);
  });
});
