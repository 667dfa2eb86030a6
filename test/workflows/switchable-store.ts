import { StoreUnavailable } from '../../src/store/errors.js';
import type { Store } from '../../src/store/store.js';

/** A real store that can be out of reach for those who record. */
export interface SwitchableStore {
  isDown: boolean;
  /** How often somebody tried in vain. */
  failures: number;
  /** Stands before the real one. */
  readonly over: (store: Store) => Store;
}

export function switchableStore(): SwitchableStore {
  const state: SwitchableStore = {
    isDown: false,
    failures: 0,
    over: (store) => ({
      ...store,
      recordPayment: async (record) => {
        if (!state.isDown) return store.recordPayment(record);
        state.failures += 1;
        throw new StoreUnavailable('switched off');
      },
    }),
  };
  return state;
}
