import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { money } from '../../../src/domain/money.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import type { Intent } from '../../../src/providers/provider.js';
import { bodies, bring, findBy, told } from './drive.js';
import { intentOf, requestOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant()));
afterEach(() => merchant.close());

const create = (request: PaymentRequest, from = merchant) =>
  from.payments.operations.create.send(intentOf('create', request));

describe('a lost creation', () => {
  const find = (request: PaymentRequest, changes: Partial<Intent> = {}) =>
    findBy(merchant.payments.operations.create, intentOf('create', request, changes));
  /** Created at the provider, the answer lost. */
  const lose = async (request: PaymentRequest): Promise<string> => {
    merchant.sandbox.faults.next('create', { kind: 'reset_after_effect' });
    expect((await create(request)).kind).toBe('unknown');
    return merchant.sandbox.payments({ reference: request.merchantReference }).at(-1)!.paymentId;
  };

  it('is adopted by the URL that we gave to this payment alone', async () => {
    const request = requestOf();
    const id = await lose(request);
    const evidence = await find(request);
    expect(evidence).toMatchObject({
      kind: 'settled',
      outcome: {
        kind: 'succeeded',
        value: {
          providerReference: id,
          nextAction: { kind: 'qr_code', appLink: `https://payconiq.com/pay/2/${id}` },
        },
        facts: [{ id: `created|${id}||`, source: 'query' }],
      },
    });
  });

  it('that was paid meanwhile is adopted with its money', async () => {
    const request = requestOf();
    const id = await lose(request);
    merchant.sandbox.consumer.pay(id);
    const evidence = await find(request);
    expect(evidence.kind === 'settled' && told(evidence.outcome.facts)).toEqual([
      'created',
      'authorized 1250',
    ]);
  });

  test.each<[string, Partial<PaymentRequest>]>([
    ['another payment of the same reference', {}],
    ['another amount', { amount: money(1251, 'EUR') }],
  ])('is not adopted where it is %s', async (_name, changes) => {
    const request = requestOf();
    await lose(request);
    const other = requestOf({ merchantReference: request.merchantReference });
    const asked = 'amount' in changes ? { ...request, ...changes } : other;
    expect((await find(asked)).kind).toBe('absent');
  });

  test.each(['CANCELLED', 'EXPIRED', 'FAILED'] as const)(
    'is not adopted once it is %s',
    async (status) => {
      const request = requestOf();
      await bring(merchant, await lose(request), status);
      expect((await find(request)).kind).toBe('absent');
    },
  );

  it('is not adopted where no URL was given that could prove it ours', async () => {
    const request = requestOf();
    await lose(request);
    const { payments } = merchant.connect({ notificationUrl: 'none' });
    const evidence = await findBy(payments.operations.create, intentOf('create', request));
    expect(evidence.kind).toBe('absent');
  });

  it('is not adopted without the checkout link that its payer needs', async () => {
    const online = await startMerchant({ sandbox: { product: 'online' } });
    const request = requestOf({ returnUrl: 'https://shop.example/back' });
    online.sandbox.faults.next('create', { kind: 'reset_after_effect' });
    await create(request, online);
    const intent = intentOf('create', request);
    expect((await findBy(online.payments.operations.create, intent)).kind).toBe('absent');
    const [payment] = online.sandbox.payments();
    online.sandbox.consumer.pay(payment!.paymentId);
    expect((await findBy(online.payments.operations.create, intent)).kind).toBe('settled');
    await online.close();
  });

  it('is absent where nothing was created', async () => {
    expect(await find(requestOf())).toEqual({ kind: 'absent' });
  });

  it('is looked for from a little before it was ordered, by its reference', async () => {
    const request = requestOf();
    const intendedAtMs = Date.parse('2026-03-01T10:00:00Z');
    await find(request, { intendedAtMs });
    expect(bodies(merchant, 'search')).toMatchObject([
      { reference: request.merchantReference, from: '2026-03-01T09:58:00.000Z' },
    ]);
  });

  it.each(['throttle', 'error_before_effect', 'garbage'] as const)(
    'stays unclear after %s',
    async (kind) => {
      merchant.sandbox.faults.next('search', { kind });
      expect((await find(requestOf())).kind).toBe('unclear');
    },
  );
});
