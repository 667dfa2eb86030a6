import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PayerData } from '../../src/domain/payer.js';
import { openStore, type Store } from '../../src/store/store.js';
import { createKeyRing, type KeyInput } from '../../src/transport/keyring.js';
import { SealError } from '../../src/transport/seal.js';
import { BACKENDS, useStore, type OwnDatabase } from './backends.js';
import { aFact, aNotification, aRecord, aRequest, uniqueId } from './examples.js';

const OLD = { id: 'old', secret: new Uint8Array(32).fill(1) };
const NEW = { id: 'new', secret: new Uint8Array(32).fill(2) };
const BODY = Buffer.from('{"debtor":{"name":"Zoë"}}');
const SEEN: PayerData = { name: 'Zoë Müller', iban: '*************12636' };

for (const backend of BACKENDS) {
  describe(`payers on ${backend.name}`, () => {
    const store = useStore(backend, [NEW, OLD]);
    const payers = () => store().payers;
    const aPayment = () => uniqueId('pay');
    const bodyOf = async (id: string) => {
      const { body, headers } = (await store().inbox.get(id))!;
      return { text: Buffer.from(body).toString(), headers };
    };

    it('are unknown until something is told of them', async () => {
      expect(await payers().read(aPayment())).toBeUndefined();
    });

    it('are remembered by their payment', async () => {
      const [paymentId, another] = [aPayment(), aPayment()];
      await payers().remember(paymentId, SEEN);
      await payers().remember(another, { name: 'Ann' });
      expect(await payers().read(paymentId)).toEqual(SEEN);
      expect(await payers().read(another)).toEqual({ name: 'Ann' });
    });

    it('lose nothing to a later message that tells less, and take what is newer', async () => {
      const paymentId = aPayment();
      await payers().remember(paymentId, SEEN);
      await payers().remember(paymentId, { message: 'Thanks' });
      await payers().remember(paymentId, { name: 'Zoë Meyer' });
      expect(await payers().read(paymentId)).toEqual({
        ...SEEN,
        name: 'Zoë Meyer',
        message: 'Thanks',
      });
    });

    it('keep what several tell at once', async () => {
      const paymentId = aPayment();
      const told: PayerData[] = [{ name: 'Ann' }, { iban: '**1' }, { message: 'Hi' }];
      await Promise.all(told.map((each) => payers().remember(paymentId, each)));
      expect(await payers().read(paymentId)).toEqual({ name: 'Ann', iban: '**1', message: 'Hi' });
    });

    it('can be erased: nothing is known then, and nothing of later news is kept', async () => {
      const paymentId = aPayment();
      await payers().remember(paymentId, SEEN);
      await payers().erase(paymentId);
      expect(await payers().read(paymentId)).toBeUndefined();
      await payers().remember(paymentId, SEEN);
      expect(await payers().read(paymentId)).toBeUndefined();
      await payers().erase(paymentId);
      expect(await payers().read(paymentId)).toBeUndefined();
    });

    it('can be erased before anything was told', async () => {
      const paymentId = aPayment();
      await payers().erase(paymentId);
      await payers().remember(paymentId, SEEN);
      expect(await payers().read(paymentId)).toBeUndefined();
    });

    it('are not kept when they are erased while news of them arrives', async () => {
      const ids = Array.from({ length: 8 }, aPayment);
      await Promise.all(ids.map((id) => payers().remember(id, { name: 'Ann' })));
      await Promise.all(
        ids.flatMap((id) => [payers().remember(id, SEEN), payers().erase(id)] as const),
      );
      for (const id of ids) expect(await payers().read(id)).toBeUndefined();
    });

    it('take their notifications with them; the rows stay', async () => {
      const paymentId = aPayment();
      const added = [
        await store().inbox.add(aNotification({ paymentId, body: BODY })),
        await store().inbox.add(aNotification({ paymentId, body: BODY })),
      ];
      const others = await store().inbox.add(aNotification({ paymentId: aPayment(), body: BODY }));
      expect((await bodyOf(added[0]!.id)).text).toBe(BODY.toString());
      await payers().erase(paymentId);
      for (const { id } of added) expect(await bodyOf(id)).toEqual({ text: '', headers: {} });
      expect(await store().inbox.get(added[0]!.id)).toMatchObject({ paymentId, facts: [{}] });
      expect((await bodyOf(others.id)).text).toBe(BODY.toString());
    });

    it('erased, have later notifications kept without body and headers, repeats too', async () => {
      const paymentId = aPayment();
      const notification = aNotification({ paymentId, body: BODY });
      const early = aNotification({ body: BODY });
      const first = await store().inbox.add(early);
      await payers().erase(paymentId);
      const { id } = await store().inbox.add(notification);
      await store().inbox.add({ ...early, paymentId });
      for (const row of [id, first.id])
        expect(await bodyOf(row)).toEqual({ text: '', headers: {} });
    });

    it('take notifications with them that came before their payment was known', async () => {
      const request = aRequest();
      const { paymentId, connectionId } = request;
      const providerReference = uniqueId('obj');
      const about = { connectionId, providerReference, body: BODY };
      const [early, found, late] = [
        await store().inbox.add(aNotification(about)),
        await store().inbox.add(aNotification(about)),
        await store().inbox.add(aNotification({ body: BODY })),
      ];
      const facts = [aFact({ kind: 'created', object: providerReference })];
      await store().recordPayment(aRecord({ request, facts }));
      await store().inbox.markDelivered(found.id, { paymentId });
      expect((await bodyOf(found.id)).text).toBe(BODY.toString());
      await payers().erase(paymentId);
      await store().inbox.markDelivered(late.id, { paymentId });
      for (const { id } of [early, found, late]) {
        expect(await bodyOf(id)).toEqual({ text: '', headers: {} });
      }
    });
  });

  describe(`payers of a store with other keys, on ${backend.name}`, () => {
    let database: OwnDatabase;
    const open: Store[] = [];
    /** An embedded database is gone with its store: there is only the one. */
    const isShared = backend.name === 'PostgreSQL';
    const withKeys = async (keys?: readonly KeyInput[]): Promise<Store> => {
      const store = await openStore(database.settings, keys && createKeyRing(keys));
      open.push(store);
      await store.migrate();
      return store;
    };

    beforeAll(async () => {
      database = await backend.create();
    });
    afterAll(async () => {
      for (const store of open) await store.close();
      await database.drop();
    });

    it('are not kept at all where there is no key', async () => {
      const store = await withKeys();
      await store.payers.remember('pay-1', SEEN);
      expect(await store.payers.read('pay-1')).toBeUndefined();
      const { id } = await store.inbox.add(aNotification({ paymentId: 'pay-1', body: BODY }));
      await store.payers.erase('pay-1');
      expect((await store.inbox.get(id))?.body).toHaveLength(0);
    });

    it.runIf(isShared)('are read with an older key, and with that key only', async () => {
      await (await withKeys([OLD])).payers.remember('pay-2', SEEN);
      const rotated = await withKeys([NEW, OLD]);
      expect(await rotated.payers.read('pay-2')).toEqual(SEEN);
      const without = await withKeys([NEW]);
      await expect(without.payers.read('pay-2')).rejects.toBeInstanceOf(SealError);
      await expect(without.payers.remember('pay-2', SEEN)).rejects.toBeInstanceOf(SealError);
    });

    it.runIf(isShared)('never keep a notification out, whatever key is missing', async () => {
      await (await withKeys([OLD])).payers.remember('pay-3', SEEN);
      const without = await withKeys([NEW]);
      const { id } = await without.inbox.add(aNotification({ paymentId: 'pay-3', body: BODY }));
      expect(Buffer.from((await without.inbox.get(id))!.body)).toEqual(BODY);
      await without.payers.erase('pay-3');
      expect((await without.inbox.get(id))?.body).toHaveLength(0);
    });

    it.runIf(isShared)(
      'tell a notification whose key is missing from one that is erased',
      async () => {
        const writer = await withKeys([OLD]);
        const { id } = await writer.inbox.add(aNotification({ body: BODY }));
        const without = await withKeys([NEW]);
        await expect(without.inbox.get(id)).rejects.toMatchObject({ code: 'unknown_key' });
      },
    );
  });
}
