import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../src/store/store.js';
import { BACKENDS, type OwnDatabase } from './backends.js';
import { aRecord } from './examples.js';

for (const backend of BACKENDS) {
  describe(`migrating on ${backend.name}`, () => {
    let database: OwnDatabase;
    let stores: Store[];

    beforeAll(async () => {
      database = await backend.create();
      // An embedded store belongs to one process: there, one store migrates several times at once.
      const count = database.settings.kind === 'postgres' ? 4 : 1;
      stores = await Promise.all(Array.from({ length: count }, () => openStore(database.settings)));
    });

    afterAll(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    });

    it('works in several processes at once, and again on what is there', async () => {
      await Promise.all(stores.flatMap((store) => [store.migrate(), store.migrate()]));
      const record = aRecord();
      await stores[0]?.recordPayment(record);
      await stores[0]?.migrate();
      const kept = await stores.at(-1)?.getPayment(record.request.paymentId);
      expect(kept?.paymentId).toBe(record.request.paymentId);
    });
  });
}
