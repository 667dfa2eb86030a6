import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HoldfastClient } from '../../src/client/client.js';
import type { Connections } from '../../src/providers/connections.js';
import type { Store } from '../../src/store/store.js';
import type { Notice } from '../../src/workflows/contract.js';

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
  const [, , connectionId = '', paymentId = '', token = ''] = (request.url ?? '').split('/');
  const { notifications } = connections.get(connectionId) ?? {};
  if (!notifications || !connections.isNotificationToken(connectionId, paymentId, token)) {
    return 404;
  }
  const body = Buffer.concat(await request.toArray());
  const headers = request.headers as Readonly<Record<string, string>>;
  const receipt = await notifications.receive({ headers, body, paymentId });
  if (receipt.kind === 'forged') return 401;
  if (receipt.kind === 'unverifiable') return 503;
  const facts = receipt.kind === 'facts' ? receipt.facts : [];
  await tell(served, paymentId, { facts, hint: receipt.kind === 'hint' });
  return notifications.successStatus;
}

/** An ended payment is taken up again for what it does not know yet. */
async function tell({ client, store }: Served, paymentId: string, notice: Notice): Promise<void> {
  if ((await client.notify(paymentId, notice)) === 'delivered') return;
  const ids = notice.facts.map(({ id }) => id);
  if (!(await store.hasFacts(paymentId, ids))) await client.resume(paymentId, notice);
}
