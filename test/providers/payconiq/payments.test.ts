import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { money } from '../../../src/domain/money.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import type { Opened } from '../../../src/providers/provider.js';
import { PAYMENT_STATUSES } from '../../../src/sandbox/payconiq/payment.js';
import { endToEndId } from '../../../src/sandbox/payconiq/render.js';
import { bodies, bring, paymentIn } from './drive.js';
import { intentOf, requestOf, startMerchant, type Merchant } from './merchant.js';

const HOUR_MS = 3_600_000;

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant()));
afterEach(() => merchant.close());

const create = (request: PaymentRequest, from = merchant) =>
  from.payments.operations.create.send(intentOf('create', request));

describe('a creation', () => {
  const full: Partial<PaymentRequest> = {
    amount: money(122, 'EUR'),
    merchantReference: 'order-122',
    description: 'Café, two cups',
    options: { provider: 'payconiq', bulkId: 'Bulk-1-200' },
  };

  it('says in store what the document has, each under its name', async () => {
    const request = requestOf(full);
    await create(request);
    expect(bodies(merchant, 'create')).toEqual([
      {
        amount: 122,
        currency: 'EUR',
        callbackUrl: merchant.notificationUrl(request.paymentId),
        description: 'Café, two cups',
        reference: 'order-122',
        bulkId: 'Bulk-1-200',
      },
    ]);
  });

  it('leaves out what was not given', async () => {
    const { payments } = merchant.connect({ notificationUrl: 'none' });
    await payments.operations.create.send(
      intentOf('create', requestOf({ merchantReference: 'x' })),
    );
    expect(bodies(merchant, 'create')).toEqual([{ amount: 1250, currency: 'EUR', reference: 'x' }]);
  });

  it('gives a QR code in store', async () => {
    const outcome = await create(requestOf());
    const [payment] = merchant.sandbox.payments();
    const deeplink = `https://payconiq.com/pay/2/${payment!.paymentId}`;
    expect(outcome).toEqual({
      kind: 'succeeded',
      value: {
        providerReference: payment!.paymentId,
        nextAction: {
          kind: 'qr_code',
          qrCode: {
            content: deeplink,
            imageUrl: `${merchant.sandbox.url}/qrcode?c=${encodeURIComponent(deeplink)}`,
          },
          appLink: deeplink,
          expiresAt: new Date(payment!.expiresAt).toISOString(),
        },
        terms: {
          payerDeadline: new Date(payment!.createdAt + 120_000).toISOString(),
          captureDeadline: new Date(payment!.createdAt + 168 * HOUR_MS).toISOString(),
          recoveries: { create: 'reissue', capture: 'repeat', void: 'repeat', cancel: 'fetch' },
          partialCapture: false,
        },
      },
      facts: [
        {
          id: `created|${payment!.paymentId}||`,
          kind: 'created',
          object: payment!.paymentId,
          occurredAt: new Date(payment!.createdAt).toISOString(),
          source: 'answer',
        },
      ],
    });
  });

  it('counts the capture limit by the connection’s own window', async () => {
    const { payments } = merchant.connect({ settings: { acknowledgeWindowHours: 24 } });
    const outcome = await payments.operations.create.send(intentOf('create', requestOf()));
    const [payment] = merchant.sandbox.payments();
    expect(outcome).toHaveProperty(
      'value.terms.captureDeadline',
      new Date(payment!.createdAt + 24 * HOUR_MS).toISOString(),
    );
  });

  describe('online', () => {
    let online: Merchant;
    beforeEach(async () => void (online = await startMerchant({ sandbox: { product: 'online' } })));
    afterEach(() => online.close());
    const returnUrl = 'https://shop.example/back?order=1';

    it('sends the return URL and redirects to the checkout page', async () => {
      const outcome = await create(requestOf({ ...full, returnUrl }), online);
      expect(bodies(online, 'create')).toEqual([expect.objectContaining({ returnUrl })]);
      expect(outcome).toHaveProperty('value.nextAction.kind', 'redirect');
      const { url } = (outcome as { value: Opened }).value.nextAction!;
      expect(new URL(url!).searchParams.get('returnUrl')).toBe(returnUrl);
      expect(new URL(url!).searchParams.get('token')).toMatch(/^[0-9a-f]{64}$/);
    });

    it('shows a QR code where no return URL was given, for twenty minutes', async () => {
      const outcome = await create(requestOf(), online);
      const [payment] = online.sandbox.payments();
      expect(outcome).toMatchObject({
        value: {
          nextAction: { kind: 'qr_code' },
          terms: { payerDeadline: new Date(payment!.createdAt + 1_200_000).toISOString() },
        },
      });
    });

    it('has neither capture nor void, nor a limit for them', async () => {
      const outcome = await create(requestOf(), online);
      expect(outcome).toMatchObject({
        value: { terms: { recoveries: { create: 'reissue', cancel: 'fetch' } } },
      });
      expect(outcome).not.toHaveProperty('value.terms.captureDeadline');
      expect(Object.keys(online.payments.operations).sort()).toEqual(['cancel', 'create']);
    });
  });
});

describe('reading a payment', () => {
  test.each(PAYMENT_STATUSES)(
    'that is %s gives the facts that it proves, and the terms',
    async (status) => {
      const { request, providerReference } = await paymentIn(merchant, status);
      const reading = await merchant.payments.read({ request, providerReference });
      expect(reading.kind).toBe('found');
      if (reading.kind !== 'found') return;
      expect(reading.facts.length).toBeGreaterThan(0);
      expect(
        reading.facts.every(
          ({ source, object }) => source === 'query' && object === providerReference,
        ),
      ).toBe(true);
      expect(reading.terms.captureDeadline).toBeDefined();
    },
  );

  it('that does not exist is absent, by the provider’s own word', async () => {
    const providerReference = '0'.repeat(24);
    expect(await merchant.payments.read({ request: requestOf(), providerReference })).toMatchObject(
      {
        kind: 'absent',
        problem: { code: 'not_found', providerCode: 'PAYMENT_NOT_FOUND' },
      },
    );
  });

  it('under an id with other characters stays on its path', async () => {
    const providerReference = '../../certificates?a=b#c';
    const reading = await merchant.payments.read({ request: requestOf(), providerReference });
    expect(reading.kind).toBe('absent');
    expect(merchant.sandbox.requests().at(-1)?.path).toBe(
      '/v3/payments/..%2F..%2Fcertificates%3Fa%3Db%23c',
    );
  });

  test.each([
    ['throttle'],
    ['error_before_effect'],
    ['reset_before_effect'],
    ['cut_body'],
    ['garbage'],
  ] as const)('is unclear after %s', async (kind) => {
    const { request, providerReference } = await paymentIn(merchant, 'PENDING');
    merchant.sandbox.faults.next('get', { kind });
    const reading = await merchant.payments.read({ request, providerReference });
    expect(reading.kind).toBe('unclear');
  });

  it('is unclear where the provider cannot be reached, and answers once it can', async () => {
    const { request, providerReference } = await paymentIn(merchant, 'PENDING');
    await merchant.sandbox.faults.refuse();
    expect((await merchant.payments.read({ request, providerReference })).kind).toBe('unclear');
    await merchant.sandbox.faults.accept();
    expect((await merchant.payments.read({ request, providerReference })).kind).toBe('found');
  });
});

describe('a search', () => {
  const filter = (changes: object = {}) => ({
    from: new Date(Date.now() - HOUR_MS).toISOString(),
    to: new Date(Date.now() + HOUR_MS).toISOString(),
    page: 0,
    pageSize: 2,
    ...changes,
  });
  const search = async (changes: object = {}) => {
    const found = await merchant.payments.search!(filter(changes));
    if (found.kind !== 'found') throw new Error(JSON.stringify(found));
    return found;
  };

  it('PCQ-06: goes page by page, newest first, nothing twice', async () => {
    const created: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      created.push((await merchant.create()).opened.providerReference);
    }
    const pages = [await search(), await search({ page: 1 }), await search({ page: 2 })];
    expect(pages.map(({ payments }) => payments.length)).toEqual([2, 2, 1]);
    expect(pages.map(({ totalPayments, totalPages }) => [totalPayments, totalPages])).toEqual([
      [5, 3],
      [5, 3],
      [5, 3],
    ]);
    const found = pages.flatMap(({ payments }) => payments.map((each) => each.providerReference));
    expect(found).toEqual(created.toReversed());
    expect((await search({ page: 3 })).payments).toEqual([]);
  });

  it('PCQ-06: tells each payment with its facts, and nothing of the payer', async () => {
    const { request, opened } = await merchant.create({ description: 'two cups' });
    merchant.sandbox.consumer.pay(opened.providerReference, { tip: 50, message: 'thanks, John' });
    const { payments } = await search();
    expect(payments).toMatchObject([
      {
        providerReference: opened.providerReference,
        providerStatus: 'PENDING_MERCHANT_ACKNOWLEDGEMENT',
        reference: request.merchantReference,
        description: 'two cups',
        amount: { minor: '1250' },
        total: { minor: '1300' },
        notificationUrl: merchant.notificationUrl(request.paymentId),
        facts: [{ kind: 'authorized', amount: { minor: '1300' } }],
      },
    ]);
    expect(JSON.stringify(payments)).not.toMatch(/John|iban/i);
  });

  it('PCQ-37: tells what the bank statement calls a payment, once it does', async () => {
    const { providerReference } = await paymentIn(merchant, 'PENDING');
    expect((await search()).payments[0]).not.toHaveProperty('endToEndId');
    await bring(merchant, providerReference, 'SUCCEEDED');
    const { payments } = await search();
    const payment = merchant.sandbox.payment(providerReference)!;
    expect(payments[0]?.endToEndId).toBe(endToEndId(payment));
  });

  it('PCQ-06: filters by reference and by the provider’s statuses', async () => {
    const { request } = await paymentIn(merchant, 'PENDING');
    await paymentIn(merchant, 'CANCELLED');
    const byReference = await search({ reference: request.merchantReference });
    expect(byReference.payments.map(({ providerStatus }) => providerStatus)).toEqual(['PENDING']);
    const byStatus = await search({ providerStatuses: ['CANCELLED', 'FAILED'] });
    expect(byStatus.payments.map(({ providerStatus }) => providerStatus)).toEqual(['CANCELLED']);
  });
});
