import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeFacts, type Fact } from '../../src/domain/facts.js';
import { askedOf, paymentOf } from '../../src/domain/payment-view.js';
import type { OperationState } from '../../src/domain/payment.js';
import type { PaymentRecord } from '../../src/domain/record.js';
import { reduceFacts } from '../../src/domain/reducer.js';
import type { Store } from '../../src/store/store.js';
import { BACKENDS, useStore } from './backends.js';
import { AT, aFact, anOperation, aRecord, aRequest, eur, uniqueId } from './examples.js';

const LATER = '2026-03-05T00:00:00.000Z';

for (const backend of BACKENDS) {
  describe(`recording on ${backend.name}`, () => {
    const store = useStore(backend);

    it('gives back all that was recorded', async () => {
      const record = aFullRecord();
      expect(await store().recordPayment(record)).toEqual(paymentOf(record));
      expect(await store().loadPayment(record.request.paymentId)).toEqual(record);
    });

    it('derives status and amounts from the facts', async () => {
      const record = aRecord({
        facts: [
          aFact({ kind: 'authorized', amount: eur(1300), tip: eur(50) }),
          aFact({ kind: 'captured', amount: eur(1300) }),
        ],
      });
      const payment = await store().recordPayment(record);
      expect(payment).toMatchObject({
        status: 'captured',
        amounts: { requested: eur(1250), authorized: eur(1300), captured: eur(1300) },
        flags: [],
        providerReference: 'obj-1',
      });
      expect(await store().getPayment(record.request.paymentId)).toEqual(payment);
    });

    it('holds amounts of 10^27', async () => {
      const huge = eur(`1${'0'.repeat(27)}`);
      const record = aRecord({
        request: aRequest({ amount: huge }),
        facts: [aFact({ kind: 'authorized', amount: huge })],
      });
      const payment = await store().recordPayment(record);
      expect(payment.amounts).toMatchObject({ requested: huge, authorized: huge });
    });

    it('keeps the first report of a fact', async () => {
      const { request } = await recorded(store(), { facts: [aFact({ kind: 'created' })] });
      await store().recordFacts(request.paymentId, [aFact({ kind: 'created', source: 'query' })]);
      const loaded = await store().loadPayment(request.paymentId);
      expect(loaded?.facts.map(({ source }) => source)).toEqual(['notification']);
    });

    it('keeps the first request', async () => {
      const { request } = await recorded(store(), {});
      const other = aRecord({ request: { ...request, amount: eur(1) }, progress: { revision: 9 } });
      const payment = await store().recordPayment(other);
      expect(payment.amounts.requested).toEqual(eur(1250));
    });

    it('takes progress and particulars of the higher revision', async () => {
      const { request } = await recorded(store(), {
        progress: { revision: 5, ended: true },
        particulars: { nextAction: { kind: 'redirect', url: 'https://pay.example/5' } },
      });
      await store().recordPayment(
        aRecord({
          request,
          progress: { revision: 4, unknownSince: AT },
          particulars: { nextAction: { kind: 'redirect', url: 'https://pay.example/4' } },
        }),
      );
      const loaded = await store().loadPayment(request.paymentId);
      expect(loaded?.progress).toEqual({ revision: 5, ended: true });
      expect(loaded?.particulars.nextAction?.url).toBe('https://pay.example/5');
    });

    it('never loses a provider reference, and takes the newest one', async () => {
      const { request } = await recorded(store(), { progress: { revision: 3 } });
      const stating = (revision: number, providerReference: string) =>
        aRecord({ request, progress: { revision }, particulars: { providerReference } });
      await store().recordPayment(stating(2, 'second'));
      await store().recordPayment(stating(1, 'first'));
      expect((await store().getPayment(request.paymentId))?.providerReference).toBe('second');
    });

    it('shows the object that holds the money as provider reference', async () => {
      const payment = await store().recordPayment(
        aRecord({
          particulars: { providerReference: 'reissued' },
          facts: [aFact({ kind: 'authorized', object: 'orphan', amount: eur(1250) })],
        }),
      );
      expect(payment.providerReference).toBe('orphan');
    });

    it.each<[string, OperationState, OperationState]>([
      ['a final state outlives a newer revision', 'succeeded', 'unknown'],
      ['a final state outlives a newer revision', 'declined', 'sent'],
    ])('%s: %s, not %s', async (_rule, final, newer) => {
      const { request } = await recorded(store(), {
        operations: [anOperation({ state: final })],
        progress: { revision: 1 },
      });
      const payment = await store().recordPayment(
        aRecord({
          request,
          operations: [anOperation({ state: newer })],
          progress: { revision: 2 },
        }),
      );
      expect(payment.operations.map(({ state }) => state)).toEqual([final]);
    });

    it('shows an operation as unknown that went out again after proof of not being sent', async () => {
      const { request } = await recorded(store(), {
        operations: [anOperation({ state: 'not_sent' })],
        progress: { revision: 2 },
      });
      const again = (revision: number, state: OperationState) =>
        aRecord({ request, operations: [anOperation({ state })], progress: { revision } });
      await store().recordPayment(again(4, 'unknown'));
      await store().recordPayment(again(3, 'sent'));
      const payment = await store().getPayment(request.paymentId);
      expect(payment?.operations.map(({ state }) => state)).toEqual(['unknown']);
    });

    it('records late facts on an ended payment', async () => {
      const { request } = await recorded(store(), {
        facts: [aFact({ kind: 'expired' })],
        progress: { ended: true },
      });
      const late = aFact({ kind: 'authorized', amount: eur(1250), object: 'late' });
      const payment = await store().recordFacts(request.paymentId, [late]);
      expect(payment).toMatchObject({ status: 'authorized', ended: true });
      expect(await store().hasFacts(request.paymentId, [late.id])).toBe(true);
    });

    it('records no facts on a payment that is not there', async () => {
      expect(await store().recordFacts('nobody', [aFact({ kind: 'created' })])).toBeUndefined();
      expect(await store().getPayment('nobody')).toBeUndefined();
      expect(await store().loadPayment('nobody')).toBeUndefined();
    });

    it('has facts only when it has all of them', async () => {
      const known = aFact({ kind: 'created' });
      const { request } = await recorded(store(), { facts: [known] });
      const has = (...ids: string[]) => store().hasFacts(request.paymentId, ids);
      expect(await has(known.id, known.id)).toBe(true);
      expect(await has(known.id, 'captured|obj-1||1EUR')).toBe(false);
      expect(await has()).toBe(true);
    });

    it('takes text that PostgreSQL cannot hold', async () => {
      const problem = { code: 'internal', message: 'a\0b\ud800c' } as const;
      const payment = await store().recordPayment(
        aRecord({
          request: aRequest({ description: 'x\0y' }),
          facts: [aFact({ kind: 'rejected', problem })],
        }),
      );
      expect(payment.description).toBe('x\ufffdy');
      expect(payment.problem?.message).toBe('a\ufffdb\ufffdc');
    });

    it('records nothing of a record that fails half-way', async () => {
      const record = aRecord({ facts: [aFact({ kind: 'captured', amount: eur('1.5') })] });
      await expect(store().recordPayment(record)).rejects.toThrow();
      expect(await store().getPayment(record.request.paymentId)).toBeUndefined();
    });

    it('hands no open transaction on when the driver itself refuses a value', async () => {
      const ended = 'maybe' as unknown as boolean;
      const refused = aRecord({ progress: { ended } });
      await expect(store().recordPayment(refused)).rejects.toThrow();
      await recorded(store(), {});
      expect(await store().getPayment(refused.request.paymentId)).toBeUndefined();
    });

    describe('provider objects', () => {
      it('lead to their payment', async () => {
        const connectionId = uniqueId('shop');
        const { request } = await recorded(store(), {
          request: aRequest({ connectionId }),
          particulars: { providerReference: 'stated' },
          facts: [
            aFact({ kind: 'created', object: 'made' }),
            aFact({ kind: 'not_started', object: 'our-key' }),
          ],
        });
        const find = (providerReference: string) =>
          store().findPaymentId({ connectionId, providerReference });
        expect(await find('stated')).toBe(request.paymentId);
        expect(await find('made')).toBe(request.paymentId);
        expect(await find('our-key')).toBeUndefined();
        expect(
          await store().findPaymentId({ connectionId: 'other', providerReference: 'made' }),
        ).toBeUndefined();
      });

      it('answer for the first payment that claimed them', async () => {
        const connectionId = uniqueId('shop');
        const facts = [aFact({ kind: 'created', object: 'shared' })];
        const first = await recorded(store(), { request: aRequest({ connectionId }), facts });
        await recorded(store(), { request: aRequest({ connectionId }), facts });
        expect(await store().findPaymentId({ connectionId, providerReference: 'shared' })).toBe(
          first.request.paymentId,
        );
      });
    });

    it('ends the same in whatever order and however often records come', async () => {
      await fc.assert(
        fc.asyncProperty(recordsAndDisorder, async ({ records, disorder }) => {
          const orderly = aRequest();
          const disorderly = aRequest();
          for (const record of records) {
            await store().recordPayment({ ...record, request: orderly });
          }
          for (const index of disorder) {
            const record = records[index % records.length];
            if (record) await store().recordPayment({ ...record, request: disorderly });
          }
          const expected = await store().getPayment(orderly.paymentId);
          const payment = await store().getPayment(disorderly.paymentId);
          expect(payment).toEqual({ ...expected, paymentId: disorderly.paymentId });
          const facts = records.reduce<readonly Fact[]>((all, r) => mergeFacts(all, r.facts), []);
          const view = reduceFacts(askedOf(orderly), facts);
          expect(payment).toMatchObject({ status: view.status, amounts: view.amounts });
          expect(payment?.flags).toEqual(view.flags);
          const loaded = await store().loadPayment(disorderly.paymentId);
          expect(loaded && paymentOf(loaded)).toEqual(payment);
        }),
        { numRuns: 25 },
      );
    });

    it('lets simultaneous writers of one payment all land', async () => {
      const request = aRequest();
      const parts = ['a', 'b', 'c', 'd', 'e', 'f'];
      await Promise.all(
        parts.map((part, index) =>
          store().recordPayment(
            aRecord({
              request,
              facts: [aFact({ kind: 'captured', part, amount: eur(100) })],
              operations: [anOperation({ operation: 'capture', sequence: index + 1 })],
              progress: { revision: index },
            }),
          ),
        ),
      );
      const payment = await store().getPayment(request.paymentId);
      expect(payment?.amounts.captured).toEqual(eur(600));
      expect(payment?.operations).toHaveLength(6);
      expect((await store().loadPayment(request.paymentId))?.progress.revision).toBe(5);
    });
  });
}

async function recorded(
  store: Store,
  overrides: Parameters<typeof aRecord>[0],
): Promise<PaymentRecord> {
  const record = aRecord(overrides);
  await store.recordPayment(record);
  return record;
}

function aFullRecord(): PaymentRecord {
  return {
    request: aRequest({
      captureMode: 'manual',
      description: 'Two tickets',
      returnUrl: 'https://shop.example/back',
      captureBefore: LATER,
      options: { provider: 'payconiq', bulkId: 'b1' },
    }),
    particulars: {
      providerReference: 'obj-1',
      nextAction: { kind: 'qr_code', qrCode: { content: 'https://qr.example/1' }, expiresAt: AT },
      terms: {
        payerDeadline: AT,
        captureDeadline: LATER,
        recoveries: { create: 'reissue' },
        partialCapture: false,
      },
    },
    facts: [
      aFact({ kind: 'created', source: 'answer' }),
      aFact({ kind: 'authorized', amount: eur(1300), tip: eur(50) }),
      aFact({ kind: 'captured', part: 'c1', amount: eur(1300) }),
      aFact({ kind: 'declined', problem: { code: 'declined_by_payer', message: 'no' } }),
    ],
    operations: [
      anOperation({ state: 'succeeded', settledAt: AT }),
      anOperation({
        operation: 'capture',
        state: 'unknown',
        intendedAt: LATER,
        amount: eur(1300),
        problem: { code: 'no_answer', message: 'reset' },
      }),
    ],
    progress: {
      revision: 7,
      ended: false,
      captureBefore: LATER,
      attention: { reason: 'outcome_unknown', since: AT },
      unknownSince: AT,
    },
  };
}

const anyFact = fc
  .record({
    kind: fc.constantFrom('created', 'processing', 'authorized', 'captured', 'voided', 'expired'),
    object: fc.constantFrom('obj-1', 'obj-2'),
    minor: fc.constantFrom(0, 500, 1250),
  })
  .map(({ kind, object, minor }) =>
    aFact({
      kind,
      object,
      ...(['authorized', 'captured', 'voided'].includes(kind) && { amount: eur(minor) }),
    }),
  );

const anyState = fc.constantFrom<OperationState[]>(
  'sent',
  'unknown',
  'not_sent',
  'pending',
  'succeeded',
  'declined',
  'superseded',
);

const anyContent = fc.record({
  facts: fc.array(anyFact, { maxLength: 4 }),
  states: fc.array(anyState, { maxLength: 3 }),
  reference: fc.option(fc.constantFrom('obj-1', 'obj-2', 'obj-3'), { nil: undefined }),
  ended: fc.boolean(),
  needsAttention: fc.boolean(),
});

/** Records of rising revision, and an order of writing in which each occurs at least once. */
const recordsAndDisorder = fc
  .array(anyContent, { minLength: 1, maxLength: 5 })
  .map((contents) => contents.map(toRecord))
  .chain((records) =>
    fc.record({
      records: fc.constant(records),
      disorder: fc
        .tuple(
          fc.shuffledSubarray([...records.keys()], { minLength: records.length }),
          fc.array(fc.nat(), { maxLength: 3 }),
        )
        .map(([order, repeats]) => [...order, ...repeats]),
    }),
  );

function toRecord(
  content: {
    readonly facts: readonly Fact[];
    readonly states: readonly OperationState[];
    readonly reference: string | undefined;
    readonly ended: boolean;
    readonly needsAttention: boolean;
  },
  revision: number,
): PaymentRecord {
  const { facts, states, reference, ended, needsAttention } = content;
  return aRecord({
    facts,
    operations: states.map((state, index) => anOperation({ sequence: index + 1, state })),
    particulars: reference === undefined ? {} : { providerReference: reference },
    progress: {
      revision,
      ended,
      ...(needsAttention && { attention: { reason: 'provider_silent', since: AT } }),
    },
  });
}
