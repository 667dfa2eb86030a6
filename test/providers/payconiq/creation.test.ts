import { afterEach, describe, expect, test } from 'vitest';
import { appLink } from '../../../src/providers/payconiq/formats/app-links.js';
import { stickerUrl } from '../../../src/providers/payconiq/formats/qr-links.js';
import type { Opened } from '../../../src/providers/provider.js';
import { bodies, told } from './drive.js';
import { intentOf, requestOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
afterEach(() => merchant.close());

const options = (more: object) => ({ options: { provider: 'payconiq', ...more } });
const create = async (changes: Parameters<typeof requestOf>[0]) => {
  const request = requestOf(changes);
  expect(merchant.payments.check(request)).toEqual([]);
  const outcome = await merchant.payments.operations.create.send(intentOf('create', request));
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return { request, opened: outcome.value as Opened & { providerReference: string } };
};
const paths = () => merchant.sandbox.requests().map(({ path }) => path);

describe('a creation', () => {
  test('PCQ-01: for a terminal is shown as a QR code, as without a flavour', async () => {
    merchant = await startMerchant();
    const asked = [options({ flavour: 'terminal', bulkId: 'B1' }), options({ bulkId: 'B1' }), {}];
    for (const changes of asked) {
      const { opened } = await create({ ...changes, description: 'Tea' });
      const id = opened.providerReference;
      expect(opened.nextAction).toMatchObject({
        kind: 'qr_code',
        qrCode: { content: `https://payconiq.com/pay/2/${id}` },
      });
      expect(opened.terms.recoveries.create).toBe('reissue');
    }
    expect(new Set(paths())).toEqual(new Set(['/v3/payments']));
    const [first, second, third] = bodies(merchant, 'create');
    expect(first).toMatchObject({
      amount: 1250,
      currency: 'EUR',
      description: 'Tea',
      bulkId: 'B1',
    });
    expect(Object.keys(second!).sort()).toEqual(Object.keys(first!).sort());
    expect(third).not.toHaveProperty('bulkId');
    expect(first).not.toHaveProperty('flavour');
    expect(first).not.toHaveProperty('provider');
  });

  test('PCQ-02 PCQ-23: for a sticker names the point of sale, and leads the payer to what is printed', async () => {
    merchant = await startMerchant();
    const pos = { posId: 'POS 1', shopId: 'S1', shopName: 'Bun Café' };
    const { opened } = await create(options({ flavour: 'sticker', ...pos }));
    expect(paths()).toEqual(['/v3/payments/pos']);
    expect(bodies(merchant, 'create')).toMatchObject([pos]);
    const { profileId } = merchant.sandbox;
    const printed = stickerUrl({ profileId, posId: 'POS 1' });
    const content = `https://payconiq.com/l/1/${profileId}/POS%201`;
    expect(printed).toEqual({ value: content });
    expect(opened.nextAction?.qrCode).toEqual({
      content,
      imageUrl: `https://portal.ext.payconiq.com/qrcode?c=${encodeURIComponent(content)}`,
    });
    expect(opened.terms.recoveries.create).toBe('fetch');
    const scanned = merchant.sandbox.consumer.scanCode(content);
    expect(scanned.paymentId).toBe(opened.providerReference);
  });

  test('PCQ-03 PCQ-30: online leads to the checkout page where there is a way back', async () => {
    merchant = await startMerchant({ sandbox: { product: 'online' } });
    const returnUrl = 'https://shop.example/back?order=1';
    const { opened } = await create({ ...options({ flavour: 'online' }), returnUrl });
    expect(opened.nextAction?.kind).toBe('redirect');
    expect(new URL(opened.nextAction?.url ?? '').searchParams.get('token')).toMatch(/^[0-9a-f]+$/);
    const { opened: without } = await create(options({ flavour: 'online' }));
    expect(without.nextAction?.kind).toBe('qr_code');
  });

  test.each(['payconiq', 'bancontact'] as const)(
    'PCQ-28: from app to app opens the app of %s, and leads back',
    async (app) => {
      merchant = await startMerchant({ sandbox: { product: 'online' } });
      const returnUrl = 'https://shop.example/Back?Order=1';
      const { opened } = await create({ ...options({ flavour: 'app', app }), returnUrl });
      const deeplink = `https://payconiq.com/pay/2/${opened.providerReference}`;
      const link = appLink({ deeplink, returnUrl, app });
      expect(opened.nextAction).toMatchObject({
        kind: 'app_link',
        ...('value' in link && { url: link.value, appLink: link.value }),
      });
      expect(bodies(merchant, 'create')[0]).not.toHaveProperty('app');
    },
  );

  test('PCQ-30: from app to app may have Payconiq’s page to fall back on', async () => {
    merchant = await startMerchant({ sandbox: { product: 'online' } });
    const returnUrl = 'https://shop.example/back';
    const asked = { ...options({ flavour: 'app', fallbackPage: true }), returnUrl };
    const { opened } = await create(asked);
    expect(opened.nextAction?.kind).toBe('app_link');
    expect(new URL(opened.nextAction?.url ?? '').searchParams.has('token')).toBe(true);
  });

  test('PCQ-03: from app to app is adopted by its deeplink when its answer was lost', async () => {
    merchant = await startMerchant({ sandbox: { product: 'online' } });
    const request = requestOf({
      ...options({ flavour: 'app' }),
      returnUrl: 'https://shop.example/back',
    });
    const { create: operation } = merchant.payments.operations;
    merchant.sandbox.faults.next('create', { kind: 'reset_after_effect' });
    expect((await operation.send(intentOf('create', request))).kind).toBe('unknown');
    const evidence = 'find' in operation && (await operation.find(intentOf('create', request)));
    expect(evidence).toMatchObject({
      kind: 'settled',
      outcome: { value: { nextAction: { kind: 'app_link' } } },
    });
  });

  test('PCQ-04: for a sub-merchant says whose it is, signed', async () => {
    merchant = await startMerchant({ auth: 'signed' });
    const fields = {
      country: 'NLD',
      paymentChannel: 'INSTORE',
      posId: 'POS1',
      subMerchant: { subMerchantId: '0001', name: 'Merchant ABC', naceCode: '4765', mcc: '5190' },
    };
    await create(options({ flavour: 'subMerchant', bulkId: 'B1', ...fields }));
    expect(paths()).toContain('/v3/payments/subMerchant');
    expect(bodies(merchant, 'create')).toEqual([
      expect.objectContaining({ ...fields, bulkId: 'B1', amount: 1250 }),
    ]);
  });
});

describe('PCQ-31: the payer’s return', () => {
  test('proves nothing: only what Payconiq says of the payment does', async () => {
    merchant = await startMerchant({ sandbox: { product: 'online' } });
    const returnUrl = 'https://shop.example/back?order=1';
    const { request, opened } = await create({ ...options({ flavour: 'online' }), returnUrl });
    const { providerReference } = opened;
    const facts = async () => {
      const reading = await merchant.payments.read({ request, providerReference });
      return reading.kind === 'found' ? told(reading.facts) : reading.kind;
    };
    // The URL is the merchant's own, exactly as it asked for: nothing of a result is in it.
    const link = new URL(opened.nextAction?.url ?? '');
    expect(link.searchParams.get('returnUrl')).toBe(returnUrl);
    expect(await facts()).toEqual(['created']);
    merchant.sandbox.consumer.cancel(providerReference);
    expect(await facts()).toEqual(['canceled']);
  });
});
