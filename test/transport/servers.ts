import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import {
  createServer as createNetServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: { server: Server; sockets: Set<Socket> }[] = [];

/** Stops every server that this module has started. */
export async function stopServers(): Promise<void> {
  for (const { server, sockets } of servers.splice(0)) {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((closed) => server.close(closed));
  }
}

/** Listens on a free port; returns `host:port` and what was counted of the traffic. */
export async function listen(
  server: Server,
): Promise<{ at: string; count: { connections: number; bytes: number } }> {
  const sockets = new Set<Socket>();
  const count = { connections: 0, bytes: 0 };
  server.on('connection', (socket) => {
    count.connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({ server, sockets });
  return { at: `127.0.0.1:${(server.address() as AddressInfo).port}`, count };
}

/** An HTTP server that counts requests and connections. */
export async function serve(handle: Handler) {
  let requests = 0;
  const { at, count } = await listen(
    createHttpServer((request, response) => {
      requests += 1;
      request.resume().on('end', () => handle(request, response));
    }),
  );
  return { origin: `http://${at}`, count, requests: () => requests };
}

/**
 * A plain TCP server that counts the bytes which reach it. `firstSign` resolves when its first
 * connection has brought some, or was closed without.
 */
export async function serveBytes(onData: (socket: Socket, text: string) => void = () => undefined) {
  const server = createNetServer((socket) => {
    socket.on('data', (chunk) => {
      count.bytes += chunk.length;
      onData(socket, chunk.toString());
    });
  });
  const { at, count } = await listen(server);
  const firstSign = once(server, 'connection').then(([socket]) =>
    Promise.race([once(socket as Socket, 'data'), once(socket as Socket, 'close')]),
  );
  return { origin: `http://${at}`, count, firstSign };
}

/** Waits until the server behind `origin` has no connection left: whatever was coming has come. */
export async function untilConnectionsClosed(origin: string): Promise<void> {
  const port = Number(new URL(origin).port);
  const found = servers.find(({ server }) => (server.address() as AddressInfo).port === port);
  const open = [...(found?.sockets ?? [])].filter((socket) => !socket.destroyed);
  await Promise.all(open.map((socket) => once(socket.resume(), 'close')));
}

/** A TLS server whose certificate nobody but itself has signed. */
export async function selfSignedServer(): Promise<Server> {
  const read = (name: string) => readFile(new URL(`../vectors/tls/${name}.pem`, import.meta.url));
  const server = createTlsServer({
    key: await read('self-signed.key'),
    cert: await read('self-signed.cert'),
  });
  server.on('tlsClientError', () => undefined);
  return server;
}

/** An address where nobody listens any more. */
export async function unusedOrigin(): Promise<string> {
  const server = createNetServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}`;
}
