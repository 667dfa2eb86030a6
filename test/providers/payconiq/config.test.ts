import { describe, expect, it, test } from 'vitest';
import { payconiq } from '../../../src/providers/payconiq/payconiq.js';
import { payconiqSettings } from '../../../src/providers/payconiq/config.js';
import { merchantKeys } from './merchant.js';

const SETTINGS = { profileId: '5b71369f5832fd22658e0ef4', apiKey: 'key' };
const { privateKeyPem } = merchantKeys();
const SIGNING = { kid: 'k1', privateKeyPem };

const fieldsOf = (settings: unknown): string[] => {
  const configured = payconiq.configure(settings);
  return 'violations' in configured ? configured.violations.map(({ field }) => field) : [];
};

describe('settings', () => {
  it('need a profile and a proof, and have defaults for the rest', () => {
    expect(payconiqSettings.parse(SETTINGS)).toEqual({
      ...SETTINGS,
      environment: 'ext',
      apiBaseUrl: 'https://api.ext.payconiq.com',
      jwksUrl: 'https://ext.payconiq.com/certificates',
      plannedDowntime: true,
      portalUrl: 'https://portal.ext.payconiq.com',
      product: 'instore',
      voidSupport: false,
      unexpectedAuthorization: 'void',
      acknowledgeWindowHours: 168,
      acknowledgePath: '/v3/payments/{paymentId}/acknowledge',
    });
  });

  it('know the addresses of production', () => {
    expect(payconiqSettings.parse({ ...SETTINGS, environment: 'prod' })).toMatchObject({
      apiBaseUrl: 'https://api.payconiq.com',
      jwksUrl: 'https://payconiq.com/certificates',
      portalUrl: 'https://portal.payconiq.com',
    });
  });

  it('take a signing key in place of an API key', () => {
    const signed = { profileId: 'p', merchantId: 'm', signing: SIGNING };
    expect(payconiqSettings.safeParse(signed).success).toBe(true);
  });

  it('expect a nightly downtime of EXT itself alone', () => {
    const downtimeOf = (changes: object) =>
      payconiqSettings.parse({ ...SETTINGS, ...changes }).plannedDowntime;
    expect(downtimeOf({})).toBe(true);
    expect(downtimeOf({ plannedDowntime: false })).toBe(false);
    expect(downtimeOf({ environment: 'prod' })).toBe(false);
    const apiBaseUrl = 'http://127.0.0.1:8081';
    expect(downtimeOf({ apiBaseUrl })).toBe(false);
    expect(downtimeOf({ apiBaseUrl, plannedDowntime: true })).toBe(true);
  });

  it('drop the slash at the end of an address, which would double that of every path', () => {
    const { apiBaseUrl } = payconiqSettings.parse({
      ...SETTINGS,
      apiBaseUrl: 'https://a.test/x//',
    });
    expect(apiBaseUrl).toBe('https://a.test/x');
  });

  it('allow calls to their own two origins alone', () => {
    const configured = payconiq.configure(SETTINGS);
    expect('origins' in configured && configured.origins).toEqual([
      'https://api.ext.payconiq.com',
      'https://ext.payconiq.com/certificates',
    ]);
  });
});

describe('wrong settings', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['no proof of who asks', { apiKey: undefined }, ['apiKey']],
    ['an empty API key', { apiKey: '' }, ['apiKey']],
    ['an API key with its line break', { apiKey: 'key\n' }, ['apiKey']],
    ['no profile', { profileId: undefined }, ['profileId']],
    ['a signing key without merchant', { signing: SIGNING }, ['merchantId']],
    [
      'a private key that is none',
      { merchantId: 'm', signing: { kid: 'k', privateKeyPem: 'x' } },
      ['signing.privateKeyPem'],
    ],
    ['a key id that is missing', { merchantId: 'm', signing: { privateKeyPem } }, ['signing.kid']],
    ['an unknown environment', { environment: 'test' }, ['environment']],
    ['an address that is none', { apiBaseUrl: 'api' }, ['apiBaseUrl']],
    ['an address of another kind', { apiBaseUrl: 'ftp://a.test' }, ['apiBaseUrl']],
    ['an address with a query', { apiBaseUrl: 'https://a.test?x' }, ['apiBaseUrl']],
    [
      'a plain portal in production',
      { environment: 'prod', portalUrl: 'http://a.test' },
      ['portalUrl'],
    ],
    ['a portal with a query', { portalUrl: 'https://a.test?x' }, ['portalUrl']],
    ['keys from nowhere', { jwksUrl: 'mailto:a@b.test' }, ['jwksUrl']],
    [
      'plain HTTP in production',
      { environment: 'prod', apiBaseUrl: 'http://a.test', jwksUrl: 'http://a.test' },
      ['apiBaseUrl', 'jwksUrl'],
    ],
    ['a window beyond the document’s', { acknowledgeWindowHours: 169 }, ['acknowledgeWindowHours']],
    [
      'an acknowledge path without payment',
      { acknowledgePath: '/v3/acknowledge' },
      ['acknowledgePath'],
    ],
    ['void support online', { product: 'online', voidSupport: true }, ['voidSupport']],
    [
      'a planned downtime in production',
      { environment: 'prod', plannedDowntime: true },
      ['plannedDowntime'],
    ],
    ['a setting that does not exist', { apikey: 'x' }, ['apikey']],
  ])('%s', (_name, changes, fields) => {
    expect(fieldsOf({ ...SETTINGS, ...changes })).toEqual(fields);
  });

  it.each(['localhost', '127.0.0.1', '[::1]'])(
    'are not plain HTTP on %s, even in production',
    (host) => {
      const [apiBaseUrl, jwksUrl] = [`http://${host}:8081`, `http://${host}:8081/certificates`];
      expect(fieldsOf({ ...SETTINGS, environment: 'prod', apiBaseUrl, jwksUrl })).toEqual([]);
    },
  );

  it('are told all at once', () => {
    const wrong = {
      apiBaseUrl: 'api',
      voidSupport: 'yes',
      signing: { kid: '', privateKeyPem: 'x' },
      apikey: 'x',
      Profile: 'x',
    };
    expect(fieldsOf(wrong).sort()).toEqual([
      'Profile',
      'apiBaseUrl',
      'apikey',
      'merchantId',
      'profileId',
      'signing.kid',
      'signing.privateKeyPem',
      'voidSupport',
    ]);
  });

  test.each([undefined, null, 'x', 7, []])('that are no object (%j) are refused', (settings) => {
    expect(payconiq.configure(settings)).toHaveProperty('violations');
  });

  it('are told without the secrets in them', () => {
    const secrets = { apiKey: 'very secret\n', signing: { kid: 'k', privateKeyPem: 'top secret' } };
    expect(JSON.stringify(payconiq.configure({ ...SETTINGS, ...secrets }))).not.toContain(
      'secret\\n',
    );
    expect(JSON.stringify(payconiq.configure({ ...SETTINGS, ...secrets }))).not.toContain(
      'top secret',
    );
  });
});

it('the secrets among the settings are named', () => {
  expect(payconiq.secretSettings).toEqual([
    'apiKey',
    'signing.privateKeyPem',
    'signing.keys.*.privateKeyPem',
  ]);
});
