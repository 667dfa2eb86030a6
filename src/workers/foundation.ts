/** What every process of Holdfast is built on: store, connections and a way to Temporal. */
import { Connection } from '@temporalio/client';
import { HoldfastClient } from '../client/client.js';
import type { Config } from '../config.js';
import { TIMING } from '../domain/timing.js';
import { openConnections, type Connections } from '../providers/connections.js';
import { openStore, type Store } from '../store/store.js';
import { temporalConnection, type TemporalConnection } from './temporal-connection.js';

export interface Foundation {
  readonly config: Config;
  readonly temporal: TemporalConnection;
  readonly store: Store;
  readonly connections: Connections;
  close(): Promise<void>;
}

/** @throws Error when Temporal's address is missing; ConnectionSettingsError; StoreLocked */
export async function openFoundation(config: Config): Promise<Foundation> {
  const temporal = temporalConnection(config);
  const { publicUrl } = config.http;
  const connections = openConnections({
    connections: config.connections,
    timing: TIMING[config.timing],
    now: Date.now,
    notificationSecret: config.notificationSecret ?? '',
    ...(publicUrl !== undefined && { publicUrl }),
  });
  const store = await openStore(config.store);
  return {
    config,
    temporal,
    store,
    connections,
    async close() {
      await connections.close();
      await store.close();
    },
  };
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
  const connection = await Connection.connect(temporal);
  const client = new HoldfastClient({ connection, namespace, taskQueue, timing: config.timing });
  return { client, connection };
}
