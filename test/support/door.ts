import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HoldfastClient } from '../../src/client/client.js';
import type { Connections } from '../../src/providers/connections.js';
import { deliver } from '../../src/http/delivery.js';
import type { Store } from '../../src/store/store.js';

/** Takes the provider's notifications in: verified by the adapter, handed to the payment. */
export interface Door {
  readonly url: string;
  /** From now on; it is opened before those who give its address out exist. */
  serve(to: {
    readonly connections: Connections;
    readonly client: HoldfastClient;
    readonly store: Store;
  }): void;
  close(): Promise<void>;
}

type Served = Parameters<Door['serve']>[0];

export async function openDoor(): Promise<Door> {
  let served: Served | undefined;
  const server = createServer((request, response) => {
    const taken = served ? takeIn(served, request) : Promise.resolve(503);
    taken.then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    serve: (to) => void (served = to),
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function takeIn(served: Served, request: IncomingMessage): Promise<number> {
  const { connections } = served;
  const [, , connectionId = '', ...rest] = (request.url ?? '').split('/');
  const token = rest.at(-1) ?? '';
  const named = rest.length > 1 ? { paymentId: rest[0]! } : {};
  const { notifications } = connections.get(connectionId) ?? {};
  if (!notifications || !connections.isNotificationToken(connectionId, named.paymentId, token)) {
    return 404;
  }
  const body = Buffer.concat(await request.toArray());
  const headers = request.headers as Readonly<Record<string, string>>;
  const receipt = await notifications.receive({ headers, body, ...named });
  if (receipt.kind === 'forged') return 401;
  if (receipt.kind === 'unverifiable') return 503;
  await deliver(served, {
    ...{ id: '', connectionId, ...named, ...receipt, verdict: receipt.kind },
    facts: receipt.kind === 'facts' ? receipt.facts : [],
    ...{ headers: {}, receivedAt: new Date().toISOString() },
    ...{ state: 'undelivered', deliveries: 1, attempts: 0 },
  });
  return notifications.successStatus;
}
