import { afterAll, beforeAll } from 'vitest';
import type { Database } from '../../src/store/dialects/dialect.js';
import { openEmbedded } from '../../src/store/dialects/embedded.js';
import { openPostgres } from '../../src/store/dialects/postgres.js';
import { migrateToLatest } from '../../src/store/migrations/migrate.js';
import { openStore, type Store, type StoreSettings } from '../../src/store/store.js';
import { createKeyRing, type KeyInput } from '../../src/transport/keyring.js';
import { createDatabase, sharedPostgres } from '../support/postgres.js';

/** A database of a test file's own. */
export interface OwnDatabase {
  readonly settings: StoreSettings;
  drop(): Promise<void>;
}

export interface Backend {
  readonly name: string;
  create(): Promise<OwnDatabase>;
}

const EMBEDDED: Backend = {
  name: 'PGlite',
  create: () =>
    Promise.resolve({
      settings: { kind: 'embedded', directory: 'memory' },
      drop: () => Promise.resolve(),
    }),
};

/** PostgreSQL, where this machine has one. */
export const POSTGRES: Backend | undefined = await findPostgres();

export const BACKENDS: readonly Backend[] = POSTGRES ? [EMBEDDED, POSTGRES] : [EMBEDDED];

async function findPostgres(): Promise<Backend | undefined> {
  const server = await sharedPostgres();
  return (
    server && {
      name: 'PostgreSQL',
      create: async () => {
        const { url, drop } = await createDatabase(server.url);
        return { settings: { kind: 'postgres', url }, drop };
      },
    }
  );
}

/** A migrated store for the tests of the surrounding `describe`; without `keys` it seals nothing. */
export function useStore(backend: Backend, keys?: readonly KeyInput[]): () => Store {
  let store: Store | undefined;
  let database: OwnDatabase | undefined;
  beforeAll(async () => {
    database = await backend.create();
    store = await openStore(database.settings, keys && createKeyRing(keys));
    await store.migrate();
  });
  afterAll(async () => {
    await store?.close();
    await database?.drop();
  });
  return () => {
    if (!store) throw new Error('the store is open only while tests run');
    return store;
  };
}

/** A migrated database for tests that look beneath the store. */
export function useDatabase(backend: Backend): () => Database['db'] {
  let database: Database | undefined;
  let own: OwnDatabase | undefined;
  beforeAll(async () => {
    own = await backend.create();
    const { settings } = own;
    database = settings.kind === 'postgres' ? openPostgres(settings) : await openEmbedded(settings);
    await database.withPatience(migrateToLatest);
  });
  afterAll(async () => {
    await database?.close();
    await own?.drop();
  });
  return () => {
    if (!database) throw new Error('the database is open only while tests run');
    return database.db;
  };
}
