import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { expectedObject } from '../../../src/domain/ids.js';
import { money } from '../../../src/domain/money.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import { reduceFacts } from '../../../src/domain/reducer.js';
import type { Opened } from '../../../src/providers/provider.js';
import { bodies, findBy, told } from './drive.js';
import { intentOf, lastCallback, requestOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
const OGM = '173855053134';
beforeEach(async () => {
  merchant = await startMerchant({ sandbox: { printedProduct: 'receipt' } });
  merchant.sandbox.reportTo(merchant.notificationUrl());
});
afterEach(() => merchant.close());

const printed = (flavour: 'receipt' | 'invoice', changes: object = {}, more: object = {}) =>
  requestOf({ options: { provider: 'payconiq', flavour, ...more }, ...changes });
const open = async (request: PaymentRequest, connected = merchant.payments): Promise<Opened> => {
  expect(connected.check(request)).toEqual([]);
  const outcome = await connected.operations.create.send(intentOf('create', request));
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return outcome.value;
};
const scan = async (request: PaymentRequest, amount?: number): Promise<string> => {
  const { nextAction } = await open(request);
  const chosen = amount === undefined ? {} : { amount };
  return merchant.sandbox.consumer.scanCode(nextAction!.qrCode!.content, chosen).paymentId;
};
const read = async (request: PaymentRequest, providerReference?: string) => {
  const reading = await merchant.payments.read({
    request,
    ...(providerReference !== undefined && { providerReference }),
  });
  return reading.kind === 'found' ? told(reading.facts) : reading.kind;
};

describe('opening a printed payment', () => {
  it('PCQ-24: sends nothing, and gives what is to be printed', async () => {
    const request = printed('receipt', { description: 'Two cups', merchantReference: 'sd89?9' });
    const outcome = await merchant.payments.operations.create.send(intentOf('create', request));
    const { profileId } = merchant.sandbox;
    const content = `https://payconiq.com/t/1/${profileId}?D=Two%20cups&A=1250&R=sd89%3F9`;
    expect(outcome).toMatchObject({
      kind: 'succeeded',
      value: {
        expects: {
          reference: 'sd89?9',
          description: 'Two cups',
          amount: { minor: '1250', currency: 'EUR' },
        },
        nextAction: {
          kind: 'qr_code',
          qrCode: {
            content,
            imageUrl: `https://portal.ext.payconiq.com/qrcode?c=${encodeURIComponent(content)}`,
          },
        },
      },
      facts: [{ kind: 'expected', object: expectedObject(request.paymentId), source: 'holdfast' }],
    });
    const value = outcome.kind === 'succeeded' ? outcome.value : undefined;
    expect(value).not.toHaveProperty('providerReference');
    expect(value?.terms).not.toHaveProperty('payerDeadline');
    expect(value?.nextAction).not.toHaveProperty('appLink');
    expect(merchant.sandbox.requests()).toEqual([]);
  });

  it('PCQ-26: gives an invoice its deeplink as well', async () => {
    const { nextAction } = await open(printed('invoice', { merchantReference: '4198798465' }));
    expect(nextAction?.appLink).toBe(nextAction?.qrCode?.content);
  });

  it('PCQ-25: of a structured invoice has the OGM in its description, and no reference', async () => {
    const request = printed('invoice', {}, { structuredCommunication: '+++173/8550/53134+++' });
    const { nextAction, expects } = await open(request);
    expect(nextAction?.qrCode?.content).toMatch(new RegExp(`\\?D=${OGM}&A=1250$`));
    expect(expects).toEqual({ description: OGM, amount: money(1250, 'EUR') });
  });

  it('PCQ-24: leaves the amount to the payer where none is asked', async () => {
    const request = printed('receipt', { amount: { currency: 'EUR' } });
    const { nextAction, expects } = await open(request);
    expect(nextAction?.qrCode?.content).not.toContain('A=');
    expect(expects).toEqual({ reference: request.merchantReference });
  });

  it('PCQ-22: has its image drawn where the settings say', async () => {
    const portalUrl = `${merchant.sandbox.url}/`;
    const { payments } = merchant.connect({ settings: { portalUrl } });
    const { nextAction } = await open(printed('receipt'), payments);
    const { imageUrl = '' } = nextAction?.qrCode ?? {};
    expect(imageUrl.startsWith(`${merchant.sandbox.url}/qrcode?c=https%3A`)).toBe(true);
    const { payments: inProduction } = merchant.connect({
      settings: { environment: 'prod', apiBaseUrl: undefined, jwksUrl: undefined },
    });
    const { nextAction: real } = await open(printed('receipt'), inProduction);
    expect(real?.qrCode?.imageUrl).toMatch(/^https:\/\/portal\.payconiq\.com\/qrcode\?c=/);
  });

  it('is found again as it was, and never in doubt', async () => {
    const request = printed('receipt');
    const intent = intentOf('create', request);
    const outcome = await merchant.payments.operations.create.send(intent);
    const evidence = await findBy(merchant.payments.operations.create, intent);
    expect(evidence).toMatchObject({ kind: 'settled' });
    expect(evidence.kind === 'settled' && evidence.outcome.facts[0]?.id).toBe(
      outcome.kind === 'succeeded' && outcome.facts[0]?.id,
    );
  });
});

describe('what is told of a printed payment', () => {
  it('is nothing until somebody scans it, and then all scans of it', async () => {
    const request = printed('receipt');
    expect(await read(request)).toEqual([]);
    const left = await scan(request);
    expect(await read(request)).toEqual(['processing']);
    merchant.sandbox.consumer.cancel(left);
    merchant.sandbox.consumer.confirm(await scan(request), { tip: 50 });
    expect(new Set(await read(request))).toEqual(new Set(['authorized 1300', 'canceled']));
    expect(bodies(merchant, 'search')[0]).toMatchObject({ reference: request.merchantReference });
  });

  it('has the deadline of the money that is held, and none for the payer', async () => {
    const request = printed('receipt');
    const id = await scan(request);
    merchant.sandbox.consumer.confirm(id);
    const reading = await merchant.payments.read({ request });
    const { createdAt } = merchant.sandbox.payment(id)!;
    expect(reading).toMatchObject({
      terms: { captureDeadline: new Date(createdAt + 168 * 3_600_000).toISOString() },
    });
    expect(reading.kind === 'found' && reading.terms).not.toHaveProperty('payerDeadline');
  });

  it('PCQ-24: is the payer’s own amount where none was asked', async () => {
    const request = printed('receipt', { amount: { currency: 'EUR' } });
    merchant.sandbox.consumer.confirm(await scan(request, 777));
    expect(await read(request)).toEqual(['authorized 777']);
  });

  it('PCQ-25: is found by its OGM among payments with money, whatever their reference', async () => {
    const request = printed('invoice', {}, { structuredCommunication: OGM });
    merchant.sandbox.consumer.confirm(await scan(request));
    const other = printed(
      'invoice',
      { amount: money(99, 'EUR') },
      { structuredCommunication: OGM },
    );
    merchant.sandbox.consumer.confirm(await scan(other));
    expect(await read(request)).toEqual(['authorized 1250']);
    expect(bodies(merchant, 'search')[0]).not.toHaveProperty('reference');
  });

  test.each<[string, Partial<PaymentRequest>]>([
    ['another amount', { amount: money(1251, 'EUR') }],
    ['another description', { description: 'Another' }],
    ['another reference', { merchantReference: 'another' }],
  ])('is not that of a code with %s', async (_name, changes) => {
    const request = printed('receipt', { description: 'Tea' });
    merchant.sandbox.consumer.confirm(await scan({ ...request, ...changes }));
    expect(await read(request)).toEqual([]);
  });

  it('is not that of a payment that we created under the same reference', async () => {
    const { request } = await merchant.create();
    const { options } = printed('receipt');
    expect(await read({ ...request, ...(options && { options }) })).toEqual([]);
  });

  it('includes the scan that is known, though the search does not show it', async () => {
    const request = printed('receipt');
    const id = await scan(request);
    merchant.sandbox.consumer.confirm(id);
    expect(await read(printed('receipt'), id)).toEqual(['authorized 1250']);
  });

  it('goes through all pages', async () => {
    const request = printed('receipt');
    for (let count = 0; count < 51; count += 1) {
      merchant.sandbox.consumer.cancel(await scan(request));
    }
    expect(await read(request)).toHaveLength(51);
    const pages = merchant.sandbox.requests().filter(({ operation }) => operation === 'search');
    expect(pages).toHaveLength(2);
  });

  it.each(['throttle', 'error_before_effect', 'garbage'] as const)(
    'is unclear, not absent, after %s',
    async (kind) => {
      merchant.sandbox.faults.next('search', { kind });
      expect(await read(printed('receipt'))).toBe('unclear');
    },
  );
});

describe('a callback about a printed payment', () => {
  it('comes to the connection’s own URL, and says by what it can be found', async () => {
    const request = printed('receipt', { description: 'Tea' });
    const id = await scan(request);
    merchant.sandbox.consumer.confirm(id, { tip: 50 });
    const notification = await lastCallback(merchant);
    expect(notification).not.toHaveProperty('paymentId');
    const receipt = await merchant.notifications.receive(notification);
    expect(receipt).toMatchObject({
      kind: 'facts',
      providerReference: id,
      facts: [{ kind: 'authorized', amount: { minor: '1300' }, tip: { minor: '50' } }],
      subject: {
        reference: request.merchantReference,
        description: 'Tea',
        amount: money(1250, 'EUR'),
        createdAt: new Date(merchant.sandbox.payment(id)!.createdAt).toISOString(),
      },
    });
    const told = { ...receipt, payer: undefined };
    expect(JSON.stringify(told)).not.toMatch(/John|iban/i);
  });

  it('is forged where it was signed for another URL', async () => {
    merchant.sandbox.consumer.confirm(await scan(printed('receipt')));
    const notification = await lastCallback(merchant);
    const elsewhere = { ...notification, paymentId: 'p1' };
    expect((await merchant.notifications.receive(elsewhere)).kind).toBe('forged');
  });
});

describe('withdrawing a printed payment', () => {
  const withdraw = async (request: PaymentRequest, providerReference?: string) => {
    const intent = intentOf('cancel', request, {
      ...(providerReference !== undefined && { providerReference }),
    });
    const evidence = await findBy(merchant.payments.operations.cancel!, intent);
    const outcome = await merchant.payments.operations.cancel!.send(intent);
    expect(evidence.kind === 'settled' && evidence.outcome.kind).toBe(outcome.kind);
    return outcome.kind === 'succeeded' ? outcome.facts : [];
  };

  it('sends nothing, and ends what was expected', async () => {
    const request = printed('invoice');
    const facts = await withdraw(request);
    expect(facts).toMatchObject([
      { kind: 'canceled', object: expectedObject(request.paymentId), source: 'holdfast' },
    ]);
    expect(merchant.sandbox.requests()).toEqual([]);
    expect(reduceFacts({ currency: 'EUR' }, facts).status).toBe('canceled');
  });

  it('leaves a scan that is open to the payer: Payconiq cancels none of these', async () => {
    const request = printed('receipt');
    const id = await scan(request);
    await withdraw(request, id);
    expect(merchant.sandbox.payment(id)?.status).toBe('IDENTIFIED');
    expect(merchant.sandbox.requests()).toEqual([]);
  });
});

describe('PCQ-27: a top-up code', () => {
  it('is refused as one payment, with the reason; its scans come as callbacks', async () => {
    const topUp = await startMerchant({
      sandbox: { printedProduct: 'top_up', product: 'online', voidSupport: false },
    });
    topUp.sandbox.reportTo(topUp.notificationUrl());
    const request = requestOf({ options: { provider: 'payconiq', flavour: 'topUp' } });
    expect(topUp.payments.check(request)).toMatchObject([
      { field: 'options.flavour', rule: expect.stringContaining('paid many times') },
    ]);
    const content = `https://payconiq.com/t/1/${topUp.sandbox.profileId}?D=Card&A=1000&R=card-1`;
    const { scanCode, confirm } = topUp.sandbox.consumer;
    for (const amount of [1000, 250]) {
      confirm(scanCode(content, { amount }).paymentId);
      const receipt = await topUp.notifications.receive(await lastCallback(topUp));
      expect(receipt).toMatchObject({
        kind: 'facts',
        subject: { reference: 'card-1', amount: money(amount, 'EUR') },
      });
    }
    await topUp.close();
  });
});
