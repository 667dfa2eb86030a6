import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidCursor } from '../../src/store/errors.js';
import type { NewLoyaltyRegistration } from '../../src/store/loyalty.js';
import { openStore, type Store } from '../../src/store/store.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import { SealError } from '../../src/transport/seal.js';
import { BACKENDS, useStore, type OwnDatabase } from './backends.js';
import { AT, aRecord, aRequest, eur, uniqueId } from './examples.js';

const KEY = { id: 'test', secret: new Uint8Array(32).fill(1) };
const RESULT = { balance: 140, earned: 12, message: 'Twelve points for you' };

function aRegistration(changes: Partial<NewLoyaltyRegistration> = {}): NewLoyaltyRegistration {
  return {
    connectionId: uniqueId('shop'),
    providerReference: uniqueId('obj'),
    memberHash: 'hash-1',
    member: { memberId: 'member-1', merchantAccountId: 'shop-1' },
    amount: eur(1250),
    evidence: { signature: 'a..b', body: Buffer.from('{}') },
    receivedAt: AT,
    ...changes,
  };
}

for (const backend of BACKENDS) {
  describe(`loyalty registrations on ${backend.name}`, () => {
    const store = useStore(backend, [KEY]);
    const loyalty = () => store().loyalty;

    it('are kept once for each payment and member, also when they come at once', async () => {
      const registration = aRegistration();
      const kept = await Promise.all([1, 2, 3].map(() => loyalty().add(registration)));
      const { connectionId, providerReference } = registration;
      expect(kept[0]).toEqual({
        ...{ id: kept[0]!.id, connectionId, providerReference, amount: eur(1250) },
        ...{ memberId: 'member-1', merchantAccountId: 'shop-1', state: 'open', receivedAt: AT },
      });
      expect(kept).toEqual([kept[0], kept[0], kept[0]]);
      const another = await loyalty().add({ ...registration, memberHash: 'hash-2' });
      const elsewhere = await loyalty().add({ ...registration, connectionId: 'elsewhere' });
      expect(new Set([kept[0]!.id, another.id, elsewhere.id]).size).toBe(3);
    });

    it('are done with the first result; another one is told from it', async () => {
      const { id } = await loyalty().add(aRegistration());
      const results = await Promise.all([
        loyalty().complete(id, RESULT),
        loyalty().complete(id, { ...RESULT, earned: 13 }),
      ]);
      const won = results.find((each) => typeof each === 'object')!;
      expect(results.filter((each) => each === 'different')).toHaveLength(1);
      expect(won).toMatchObject({ state: 'done', doneAt: expect.any(String) });
      expect(await loyalty().complete(id, (won as { result: object }).result)).toEqual(won);
      for (const none of ['999999999', '0', 'x']) {
        expect(await loyalty().complete(none, RESULT)).toBeUndefined();
      }
    });

    it('are listed oldest first, by connection and state, page by page', async () => {
      const connectionId = uniqueId('shop');
      const ids: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        ids.push((await loyalty().add(aRegistration({ connectionId }))).id);
      }
      await loyalty().complete(ids[1]!, {});
      const listed = async (filter: object) => {
        const page = await loyalty().list({ connectionId, limit: 9, ...filter });
        return [page.registrations.map(({ id }) => id), page.nextCursor];
      };
      expect(await listed({})).toEqual([ids, undefined]);
      expect(await listed({ state: 'open' })).toEqual([[ids[0], ids[2]], undefined]);
      expect(await listed({ limit: 2 })).toEqual([ids.slice(0, 2), ids[1]]);
      expect(await listed({ limit: 2, after: ids[1] })).toEqual([ids.slice(2), undefined]);
      await expect(loyalty().list({ limit: 1, after: 'x' })).rejects.toThrow(InvalidCursor);
    });

    it('know their payment, and lose the member and the result when its payer is erased', async () => {
      const { registration, paymentId } = await aPaymentWith(uniqueId('obj'));
      const { id } = await loyalty().add(registration);
      await loyalty().complete(id, RESULT);
      expect(await loyalty().add(registration)).toMatchObject({ paymentId, result: RESULT });
      await store().payers.erase(paymentId);
      const left = await loyalty().add(registration);
      expect(left).toMatchObject({ id, state: 'done', paymentId });
      expect(left).not.toHaveProperty('memberId');
      expect(left).not.toHaveProperty('result');
      const later = await loyalty().add({ ...registration, memberHash: 'hash-2' });
      expect(later).not.toHaveProperty('memberId');
      const done = await loyalty().complete(later.id, RESULT);
      expect(done).toMatchObject({ state: 'done' });
      expect(done).not.toHaveProperty('result');
    });

    it('lose the member too where the payment was known only afterwards', async () => {
      const providerReference = uniqueId('obj');
      const early = aRegistration({ connectionId: 'shop', providerReference });
      expect(await loyalty().add(early)).toMatchObject({ memberId: 'member-1' });
      const { paymentId } = await aPaymentWith(providerReference);
      await store().payers.erase(paymentId);
      expect(await loyalty().add(early)).not.toHaveProperty('memberId');
    });

    async function aPaymentWith(providerReference: string) {
      const request = aRequest();
      await store().recordPayment(aRecord({ request, particulars: { providerReference } }));
      const { connectionId, paymentId } = request;
      return { paymentId, registration: aRegistration({ connectionId, providerReference }) };
    }
  });

  describe(`what is kept of a loyalty member on ${backend.name}`, () => {
    let database: OwnDatabase;
    let sealed: Store;

    beforeAll(async () => {
      database = await backend.create();
      sealed = await openStore(database.settings, createKeyRing([KEY]));
      await sealed.migrate();
    });
    afterAll(async () => {
      await sealed.close();
      await database.drop();
    });

    it('opens with no other key', { skip: backend.name === 'PGlite' }, async () => {
      await sealed.loyalty.add(aRegistration());
      const other = await openStore(
        database.settings,
        createKeyRing([{ id: 'other', secret: new Uint8Array(32).fill(2) }]),
      );
      await expect(other.loyalty.list({ limit: 9 })).rejects.toThrow(SealError);
      await other.close();
    });
  });
}
