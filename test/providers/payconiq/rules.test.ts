import { describe, expect, it, test } from 'vitest';
import { checkPayment } from '../../../src/providers/payconiq/rules.js';
import { requestOf } from './merchant.js';

const options = (more: object) => ({ options: { provider: 'payconiq', ...more } });
const INSTORE = { voidSupport: true, product: 'instore', profileId: 'p1' } as const;
const ONLINE = { voidSupport: false, product: 'online', profileId: 'p1' } as const;
const SIGNED = { ...INSTORE, signing: [{ kid: 'k', privateKeyPem: 'pem' }] } as const;
const check = (changes: object, settings: Parameters<typeof checkPayment>[0] = INSTORE) =>
  checkPayment(settings, { ...requestOf(), ...changes });
const cents = (minor: unknown, currency: unknown = 'EUR') => ({ amount: { minor, currency } });

/** Limits of L922-960, each on both sides. */
const LIMITS: Readonly<Record<string, { good: readonly object[]; bad: readonly object[] }>> = {
  'amount.minor': { good: [cents('1'), cents('999999')], bad: [cents('0'), cents('1000000')] },
  'amount.currency': { good: [cents('1')], bad: [cents('1', 'USD'), cents('1', 'JPY')] },
  merchantReference: {
    good: [{ merchantReference: 'x'.repeat(35) }],
    bad: [{ merchantReference: 'x'.repeat(36) }],
  },
  description: {
    good: [{ description: 'x'.repeat(140) }],
    bad: [{ description: 'x'.repeat(141) }],
  },
  returnUrl: {
    good: [{ returnUrl: `https://x/${'x'.repeat(2_038)}` }],
    bad: [{ returnUrl: `https://x/${'x'.repeat(2_039)}` }],
  },
  'options.bulkId': {
    good: [options({}), options({ bulkId: 'x' }), options({ bulkId: 'x'.repeat(35) })],
    bad: [options({ bulkId: '' }), options({ bulkId: 'x'.repeat(36) }), options({ bulkId: 7 })],
  },
  'options.provider': { good: [options({})], bad: [{ options: { provider: 'other' } }] },
  'options.bulkid': { good: [options({})], bad: [options({ bulkid: 'x' })] },
};

describe.each(Object.entries(LIMITS))('PCQ-01: %s', (field, { good, bad }) => {
  test.each(good)('%# is allowed', (changes) => expect(check(changes)).toEqual([]));
  test.each(bad)('%# is refused', (changes) => {
    expect(check(changes).map((violation) => violation.field)).toEqual([field]);
  });
});

describe('manual capture', () => {
  const manual = { captureMode: 'manual' };
  it('is allowed with void support', () => expect(check(manual)).toEqual([]));
  it('is refused without', () => {
    expect(check(manual, { ...INSTORE, voidSupport: false }).map(({ field }) => field)).toEqual([
      'captureMode',
    ]);
  });
});

describe('a request that passed no API', () => {
  // What it throws would be an unknown outcome of a call that was never made.
  test.each<[string, object]>([
    ['an amount that is no integer', cents('12.5')],
    ['an amount that is a number', cents(1250)],
    ['an empty amount', cents('')],
    ['an amount of words', cents('a lot')],
    ['no amount', { amount: undefined }],
    ['null for an amount', { amount: null }],
    ['a text for an amount', { amount: 'EUR 5' }],
    ['a currency that is no text', cents('1', 978)],
    ['a reference that is no text', { merchantReference: 7 }],
    ['null for a description', { description: null }],
    ['a text for options', { options: 'bulk' }],
  ])('with %s is not thrown at', (_name, changes) => {
    expect(Array.isArray(check(changes))).toBe(true);
  });
});

it('every violation names its rule, and shows no more of a value than its length', () => {
  const violations = check({
    merchantReference: 'secret '.repeat(9),
    description: 'x'.repeat(141),
  });
  expect(violations).toEqual([
    {
      field: 'merchantReference',
      rule: 'must be at most 35 characters at Payconiq',
      value: '63 characters',
    },
    {
      field: 'description',
      rule: 'must be at most 140 characters at Payconiq',
      value: '141 characters',
    },
  ]);
});

interface Limits {
  readonly settings?: Parameters<typeof checkPayment>[0];
  readonly fine: object;
  /** By field: what is at the limit, and what is past it, of the options or of the request. */
  readonly limits: Readonly<
    Record<string, readonly [good: readonly object[], bad: readonly object[]]>
  >;
}
const lengths = (name: string, max: number): readonly [object[], object[]] => [
  [{ [name]: 'x' }, { [name]: 'x'.repeat(max) }],
  [{ [name]: '' }, { [name]: 'x'.repeat(max + 1) }, { [name]: 7 }],
];
const merchant = { subMerchantId: 'M1', name: 'Bun Café' };
const inSub = (name: string, min: number, max: number): readonly [object[], object[]] => [
  [{ subMerchant: { ...merchant, [name]: 'x'.repeat(max) } }],
  [min - 1, max + 1].map((n) => ({ subMerchant: { ...merchant, [name]: 'x'.repeat(n) } })),
];

const FLAVOURS: Readonly<Record<string, Limits>> = {
  'PCQ-02: sticker': {
    fine: { flavour: 'sticker', posId: 'POS1' },
    limits: {
      'options.posId': [
        lengths('posId', 36)[0],
        [...lengths('posId', 36)[1], { posId: undefined }, { posId: '.' }, { posId: '..' }],
      ],
      'options.shopId': lengths('shopId', 36),
      'options.shopName': lengths('shopName', 36),
      'options.bulkId': lengths('bulkId', 35),
    },
  },
  'PCQ-03: online': {
    settings: ONLINE,
    fine: { flavour: 'online' },
    limits: { 'options.bulkId': lengths('bulkId', 35) },
  },
  'PCQ-04: subMerchant': {
    settings: SIGNED,
    fine: {
      flavour: 'subMerchant',
      country: 'BEL',
      paymentChannel: 'INSTORE',
      posId: 'P1',
      subMerchant: merchant,
    },
    limits: {
      'options.country': [
        [{ country: 'NLD' }, { country: 'BEL' }, { country: 'LUX' }],
        [{ country: 'FRA' }, { country: undefined }],
      ],
      'options.paymentChannel': [
        [{ paymentChannel: 'INSTORE' }, { paymentChannel: 'ONLINE' }],
        [{ paymentChannel: 'WEB' }, { paymentChannel: undefined }],
      ],
      'options.posId': [
        [...lengths('posId', 36)[0], { paymentChannel: 'ONLINE', posId: undefined }],
        [...lengths('posId', 36)[1], { posId: undefined }],
      ],
      'options.subMerchant': [[{ subMerchant: merchant }], [{ subMerchant: undefined }]],
      'options.subMerchant.subMerchantId': inSub('subMerchantId', 1, 36),
      'options.subMerchant.name': inSub('name', 1, 22),
      'options.subMerchant.naceCode': [
        [{ subMerchant: { ...merchant, naceCode: '4765' } }],
        [{ subMerchant: { ...merchant, naceCode: '' } }],
      ],
      'options.subMerchant.mcc': inSub('mcc', 4, 4),
      'options.bulkId': lengths('bulkId', 35),
    },
  },
  'PCQ-25: invoice': {
    fine: { flavour: 'invoice' },
    limits: {
      'options.structuredCommunication': [
        [
          { structuredCommunication: '173855053134' },
          { structuredCommunication: '+++173/8550/53134+++' },
        ],
        [{ structuredCommunication: '173855053135' }, { structuredCommunication: '' }],
      ],
      'options.bulkId': [[{}], [{ bulkId: 'x' }]],
    },
  },
  'PCQ-24: receipt': {
    fine: { flavour: 'receipt' },
    limits: { 'options.posId': [[{}], [{ posId: 'x' }]] },
  },
};

describe.each(Object.entries(FLAVOURS))('%s', (_name, { settings = INSTORE, fine, limits }) => {
  const fields = (more: object) =>
    check(options({ ...fine, ...more }), settings).map(({ field }) => field);

  describe.each(Object.entries(limits))('%s', (field, [good, bad]) => {
    test.each(good)('%j is allowed', (more) => expect(fields(more)).toEqual([]));
    test.each(bad)('%j is refused', (more) =>
      expect(new Set(fields(more))).toEqual(new Set([field])),
    );
  });
});

describe('a flavour', () => {
  const refused = (more: object, settings: Parameters<typeof checkPayment>[0], changes = {}) =>
    check({ ...options(more), ...changes }, settings).map(({ field }) => field);
  const https = 'https://shop.example/back';

  test('that nobody knows is refused by name', () => {
    expect(check(options({ flavour: 'wallet' }))).toEqual([
      {
        field: 'options.flavour',
        rule: 'must be one of terminal, sticker, online, app, subMerchant, receipt, invoice, topUp',
        value: 'wallet',
      },
    ]);
  });

  test.each<[string, object, Parameters<typeof checkPayment>[0]]>([
    ['a sticker online', { flavour: 'sticker', posId: 'P' }, ONLINE],
    ['a terminal online', { flavour: 'terminal' }, ONLINE],
    ['a web shop in store', { flavour: 'online' }, INSTORE],
    [
      'PCQ-04: a sub-merchant without signed requests',
      FLAVOURS['PCQ-04: subMerchant']!.fine,
      INSTORE,
    ],
    ['PCQ-27: a top-up, which is not one payment', { flavour: 'topUp' }, INSTORE],
    [
      'PCQ-24: print with a profile id of other characters',
      { flavour: 'receipt' },
      { ...INSTORE, profileId: 'a/b' },
    ],
  ])('is refused: %s', (_name, more, settings) => {
    expect(refused(more, settings)).toEqual(['options.flavour']);
  });

  test.each<[string, object, Parameters<typeof checkPayment>[0], string | undefined, boolean]>([
    ['online, without', { flavour: 'online' }, ONLINE, undefined, true],
    ['online, https', { flavour: 'online' }, ONLINE, https, true],
    ['online, plain on this machine', { flavour: 'online' }, ONLINE, 'http://localhost:3/x', true],
    ['online, plain elsewhere', { flavour: 'online' }, ONLINE, 'http://shop.example/x', false],
    ['PCQ-28: app, without', { flavour: 'app' }, ONLINE, undefined, false],
    ['PCQ-28: app, https', { flavour: 'app' }, ONLINE, https, true],
    ['PCQ-28: app, plain', { flavour: 'app' }, ONLINE, 'http://localhost:3/x', false],
    ['sticker', { flavour: 'sticker', posId: 'P' }, INSTORE, https, false],
    ['receipt', { flavour: 'receipt' }, INSTORE, https, false],
    ['invoice', { flavour: 'invoice' }, INSTORE, https, false],
  ])('has its own rule for the return URL: %s', (_name, more, settings, returnUrl, isFine) => {
    const changes = returnUrl === undefined ? {} : { returnUrl };
    expect(refused(more, settings, changes)).toEqual(isFine ? [] : ['returnUrl']);
  });

  test('PCQ-31: a return URL of more than 2048 characters is refused once', () => {
    const returnUrl = `https://x/${'x'.repeat(2_039)}`;
    expect(refused({ flavour: 'online' }, ONLINE, { returnUrl })).toEqual(['returnUrl']);
  });

  test('leaves the amount open only in print', () => {
    const open = { amount: { currency: 'EUR' } };
    expect(refused({ flavour: 'receipt' }, INSTORE, open)).toEqual([]);
    expect(refused({ flavour: 'invoice' }, INSTORE, open)).toEqual([]);
    expect(refused({ flavour: 'sticker', posId: 'P' }, INSTORE, open)).toEqual(['amount.minor']);
    expect(refused({}, INSTORE, open)).toEqual(['amount.minor']);
    expect(refused({ flavour: 'receipt' }, INSTORE, { amount: { currency: 'USD' } })).toEqual([
      'amount.currency',
    ]);
  });

  test('PCQ-25: has room for 35 characters of description in print', () => {
    const long = { description: 'x'.repeat(36) };
    expect(refused({ flavour: 'invoice' }, INSTORE, long)).toEqual(['description']);
    expect(refused({ flavour: 'receipt' }, INSTORE, { description: 'x'.repeat(35) })).toEqual([]);
    const structured = { flavour: 'invoice', structuredCommunication: '173855053134' };
    expect(refused(structured, INSTORE, { description: 'x' })).toEqual(['description']);
  });

  test('holds money for us in store only', () => {
    const manual = { captureMode: 'manual' };
    expect(refused({ flavour: 'receipt' }, INSTORE, manual)).toEqual([]);
    expect(refused({ flavour: 'sticker', posId: 'P' }, INSTORE, manual)).toEqual([]);
    expect(refused({ flavour: 'invoice' }, INSTORE, manual)).toEqual(['captureMode']);
    const { fine } = FLAVOURS['PCQ-04: subMerchant']!;
    expect(refused(fine, SIGNED, manual)).toEqual([]);
    expect(refused({ ...fine, paymentChannel: 'ONLINE' }, SIGNED, manual)).toEqual(['captureMode']);
  });

  test('is not told a card number, nor tells it', () => {
    const shopName = '4111 1111 1111 1111';
    const violations = check(options({ flavour: 'sticker', posId: 'P', shopName }));
    expect(violations.map(({ field }) => field)).toEqual(['options.shopName']);
    expect(JSON.stringify(violations)).not.toContain('4111');
  });
});
