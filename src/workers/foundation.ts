/** What every process of Holdfast is built on: store, connections and a way to Temporal. */
import type { Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { HoldfastClient } from '../client/client.js';
import { connectTemporal } from '../client/connection.js';
import { encryptedDataConverter } from '../codec/payload-codec.js';
import type { Config } from '../config.js';
import { TIMING } from '../domain/timing.js';
import { openConnections, type Connections } from '../providers/connections.js';
import { openStore, type Store } from '../store/store.js';
import { createKeyRing, type KeyRing } from '../transport/keyring.js';
import { temporalConnection, type TemporalConnection } from './temporal-connection.js';

export interface Foundation {
  readonly config: Config;
  readonly temporal: TemporalConnection;
  readonly store: Store;
  readonly connections: Connections;
  readonly keys: KeyRing;
  readonly dataConverter: DataConverter;
  /** Epoch milliseconds. */
  readonly now: () => number;
  close(): Promise<void>;
}

/**
 * @param now a clock that runs ahead is for telling in minutes what takes days
 * @throws Error when address or keys are missing; ConnectionSettingsError; StoreLocked
 */
export async function openFoundation(
  config: Config,
  now: () => number = Date.now,
): Promise<Foundation> {
  const temporal = temporalConnection(config);
  const { keys, dataConverter } = encryptionOf(config);
  const { publicUrl } = config.http;
  const connections = openConnections({
    connections: config.connections,
    timing: TIMING[config.timing],
    now,
    notificationSecret: config.notificationSecret ?? '',
    ...(publicUrl !== undefined && { publicUrl }),
  });
  const store = await openStore(config.store, keys);
  return {
    config,
    temporal,
    store,
    connections,
    keys,
    dataConverter,
    now,
    async close() {
      await connections.close();
      await store.close();
    },
  };
}

/** @throws Error when there is no key: what Temporal stores is never left readable */
function encryptionOf({ encryption }: Config): Pick<Foundation, 'keys' | 'dataConverter'> {
  if (!encryption) {
    throw new Error(
      'encryption.keys is needed: what Temporal stores is never left readable. ' +
        'Make a key with `holdfast key`; only `holdfast dev` makes one by itself',
    );
  }
  const keys = createKeyRing(encryption.keys);
  const { allowPlain } = encryption;
  return { keys, dataConverter: encryptedDataConverter(keys, { allowPlain }) };
}

/** A client of our workflows over a gRPC connection, which obeys deadlines. */
export async function connectClient({
  temporal,
  config,
}: Pick<Foundation, 'temporal' | 'config'>): Promise<{
  client: HoldfastClient;
  connection: Connection;
}> {
  const { namespace, taskQueue } = config.temporal;
  const connection = await connectTemporal(temporal);
  const { timing } = config;
  const { dataConverter } = encryptionOf(config);
  const client = new HoldfastClient({ connection, namespace, taskQueue, timing, dataConverter });
  return { client, connection };
}
