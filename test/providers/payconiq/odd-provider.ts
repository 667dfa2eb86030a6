import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createSigningKeys,
  providerClaims,
  signAs,
} from '../../../src/sandbox/payconiq/signing-keys.js';
import type { Connected, Merchant } from './merchant.js';

/** A provider that signs as Payconiq does, and answers what its document does not have. */
export interface OddProvider {
  /** A merchant's connection to it. */
  readonly connection: Connected;
  /** Of every request since the last answer was set, oldest first. */
  readonly requests: readonly { readonly url: URL; readonly headers: IncomingMessage['headers'] }[];
  /** What it answers from now on; an object is sent as JSON. */
  answer(status: number, body: object | string, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

export async function startOddProvider(merchant: Merchant): Promise<OddProvider> {
  const keys = await createSigningKeys();
  const requests: { url: URL; headers: IncomingMessage['headers'] }[] = [];
  let next = { status: 500, body: '', headers: {} };
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '', 'http://odd');
    if (url.pathname === '/certificates') return response.end(JSON.stringify(keys.published()));
    requests.push({ url, headers: incoming.headers });
    const { status, body, headers } = next;
    const claims = { subject: merchant.sandbox.profileId, path: url.pathname, at: Date.now() };
    const signed = { header: providerClaims(claims), payload: Buffer.from(body) };
    incoming.resume().on('end', () => {
      void signAs(keys.current(), signed).then((signature) =>
        response
          .writeHead(status, { ...headers, signature })
          .end(status === 204 ? undefined : body),
      );
    });
    return response;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    connection: merchant.connect({
      settings: { apiBaseUrl, jwksUrl: `${apiBaseUrl}/certificates` },
    }),
    requests,
    answer(status, body, headers = {}) {
      next = { status, body: typeof body === 'string' ? body : JSON.stringify(body), headers };
      requests.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
