import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connectTemporal } from '../../src/client/connection.js';
import { sharedTemporal } from '../support/temporal.js';

/** A way to Temporal that can be cut: what is open is broken off, what comes next is refused. */
async function openWay(address: string) {
  const [host, port] = address.split(':');
  const sockets = new Set<Socket>();
  let cut = false;
  let tellRefused = (): void => undefined;
  const refused = new Promise<void>((resolve) => (tellRefused = resolve));
  const server = createServer((near) => {
    if (cut) {
      near.destroy();
      tellRefused();
      return;
    }
    const far = connectSocket(Number(port), host);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    cut() {
      cut = true;
      sockets.forEach((socket) => socket.destroy());
    },
    close: () => new Promise((closed) => server.close(closed)),
  };
}

test('a call that waits for its next attempt is cancelled when the connection is closed', async () => {
  const way = await openWay((await sharedTemporal()).address);
  const connection = await connectTemporal({ address: way.address });
  way.cut();
  const call = connection.workflowService.getSystemInfo({});
  const ended = expect(call).rejects.toMatchObject({ code: 1 });
  await way.refused;
  await connection.close();
  await ended;
  await way.close();
});
