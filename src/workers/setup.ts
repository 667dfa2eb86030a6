/** Prepares what Holdfast stands on: tables and search attributes. May run again at any time. */
import { Connection } from '@temporalio/client';
import type { Store } from '../store/store.js';
import { SEARCH_ATTRIBUTES } from '../workflows/contract.js';

const ALREADY_EXISTS = 6;
/** temporal.api.enums.v1.IndexedValueType.KEYWORD */
const KEYWORD = 2;

export async function prepareStore(store: Store): Promise<void> {
  await store.migrate();
}

/** Registers the search attributes that are missing, one by one: one that exists is no error. */
export async function prepareTemporal(target: {
  readonly address: string;
  readonly namespace: string;
}): Promise<void> {
  const connection = await Connection.connect({ address: target.address });
  try {
    for (const name of Object.values(SEARCH_ATTRIBUTES)) {
      await registerAttribute(connection, target.namespace, name);
    }
  } finally {
    await connection.close();
  }
}

async function registerAttribute(
  connection: Connection,
  namespace: string,
  name: string,
): Promise<void> {
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { [name]: KEYWORD },
    });
  } catch (error) {
    if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
  }
}
