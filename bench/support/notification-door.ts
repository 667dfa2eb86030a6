import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HoldfastClient } from '../../src/client/client.js';
import type { Connections } from '../../src/providers/connections.js';

/** Takes the provider's notifications as the HTTP door does: verify, translate, signal. */
export interface NotificationDoor {
  readonly url: string;
  /** Who verifies and who is told; until then every notification is refused. */
  open(to: { readonly connections: Connections; readonly client: HoldfastClient }): void;
  close(): Promise<void>;
}

/**
 * Of each payment only the first notification is passed on, since only that one finds the payment
 * waiting. The next comes while the payment records its end, or after: whether it still adds a
 * signal to the history is a matter of milliseconds, and no cost of the payment's own.
 */
export async function startNotificationDoor(): Promise<NotificationDoor> {
  const told = new Set<string>();
  let to: Parameters<NotificationDoor['open']>[0] | undefined;
  const take = async (request: IncomingMessage): Promise<number> => {
    if (to === undefined) return 503;
    const [, , connectionId = '', paymentId = ''] = (request.url ?? '').split('/');
    const notifications = to.connections.get(connectionId)?.notifications;
    if (notifications === undefined) return 404;
    const body = await bodyOf(request);
    const receipt = await notifications.receive({ headers: headersOf(request), body, paymentId });
    if (receipt.kind !== 'facts') return 401;
    if (told.has(paymentId)) return notifications.successStatus;
    told.add(paymentId);
    await to.client.notify(paymentId, { facts: receipt.facts });
    return notifications.successStatus;
  };
  const server = createServer((request, response) => {
    take(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: (opened) => void (to = opened),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function headersOf(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}
