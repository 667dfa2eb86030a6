import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MAX_BODY_BYTES = 1024 * 1024;

export interface Listener {
  /** `http://host:port` */
  readonly url: string;
  /** Refuses new connections and closes idle ones; requests under way go on. */
  refuse(): Promise<void>;
  /** Listens again, at the same port. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => Promise<void>;

/** An HTTP server that can stop and resume listening at one address. */
export async function listen(
  { host, port }: { readonly host: string; readonly port: number },
  handle: RequestHandler,
): Promise<Listener> {
  const server = createServer((request, response) => {
    response.once('finish', () => {
      if (!server.listening) request.socket.end();
    });
    void serve(request, response, handle);
  });
  await start(server, { host, port });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;

  const refuse = (): Promise<void> => {
    if (server.listening) server.close();
    server.closeIdleConnections();
    return Promise.resolve();
  };
  const accept = async (): Promise<void> => {
    if (!server.listening) await start(server, { host, port: address.port });
  };
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://${name}:${address.port}`, refuse, accept, close };
}

function start(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handle: RequestHandler,
): Promise<void> {
  try {
    const body = await readBody(request);
    if (body === undefined) response.writeHead(413, { connection: 'close' }).end();
    else await handle(request, response, body);
  } catch {
    response.destroy();
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
