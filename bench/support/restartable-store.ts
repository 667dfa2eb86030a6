import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../src/store/store.js';

/** An embedded store that goes down and comes back with its data, as a server does. */
export interface RestartableStore {
  /** Stays the same; throws StoreUnavailable while the store is down. */
  readonly store: Store;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export async function openRestartableStore(): Promise<RestartableStore> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
  let current = await openStore({ kind: 'embedded', directory });
  await current.migrate();
  const store = new Proxy({} as Store, { get: (_target, name) => current[name as keyof Store] });
  return {
    store,
    stop: () => current.close(),
    async start() {
      current = await openStore({ kind: 'embedded', directory });
    },
    async remove() {
      await current.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
