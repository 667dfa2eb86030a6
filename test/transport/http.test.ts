import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import {
  createHttpClient,
  type Exchange,
  type HttpClient,
  type HttpRequest,
} from '../../src/transport/http.js';
import {
  listen,
  selfSignedServer,
  serve,
  serveBytes,
  stopServers,
  untilConnectionsClosed,
  unusedOrigin,
  type Handler,
} from './servers.js';

const clients: HttpClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await stopServers();
});

function clientFor(origin: string, now?: () => number): HttpClient {
  const client = createHttpClient({ origins: [origin], ...(now && { now }) });
  clients.push(client);
  return client;
}

const requestTo = (origin: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url: `${origin}/v3/payments?page=1`,
  headers: { authorization: 'Bearer secret-key', 'content-type': 'application/json' },
  body: Buffer.from('{"amount":1}'),
  timeoutMs: 5_000,
  maxResponseBytes: 1_000,
  connection: 'fresh',
  ...changes,
});
const sendTo = (origin: string, changes: Partial<HttpRequest> = {}): Promise<Exchange> =>
  clientFor(origin).send(requestTo(origin, changes));
const textOf = (exchange: Exchange): string =>
  exchange.kind === 'answered' ? Buffer.from(exchange.body).toString() : exchange.kind;

describe.each(['fresh', 'kept'] as const)('on a %s connection', (connection) => {
  describe('a whole answer', () => {
    it('comes with status, headers and body', async () => {
      const { origin } = await serve((request, response) => {
        response.setHeader('X-Mixed-Case', 'a');
        response.setHeader('x-twice', ['b', 'c']);
        response.writeHead(201).end(`${request.method} ${request.url}`);
      });
      const exchange = await sendTo(origin, { connection });
      expect(exchange).toMatchObject({ kind: 'answered', status: 201 });
      expect(textOf(exchange)).toBe('POST /v3/payments?page=1');
      expect((exchange as { headers: object }).headers).toMatchObject({
        'x-mixed-case': 'a',
        'x-twice': 'b, c',
      });
    });

    it('may have no body', async () => {
      const { origin } = await serve((_request, response) => response.writeHead(204).end());
      const exchange = await sendTo(origin, { connection, method: 'DELETE' });
      expect(exchange).toMatchObject({ kind: 'answered', status: 204, body: Buffer.alloc(0) });
    });

    it('may follow early hints', async () => {
      const { origin } = await serve((_request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('ok'));
      });
      const exchange = await sendTo(origin, { connection });
      expect(exchange).toMatchObject({ kind: 'answered', status: 200 });
      expect(textOf(exchange)).toBe('ok');
    });

    it('may be exactly as long as its limit', async () => {
      const { origin } = await serve((_request, response) => response.end('x'.repeat(1_000)));
      expect(textOf(await sendTo(origin, { connection }))).toHaveLength(1_000);
    });

    test.each([301, 302, 303, 307, 308])('of status %d is not followed', async (status) => {
      const { origin, requests } = await serve((_request, response) =>
        response.writeHead(status, { location: '/elsewhere' }).end(),
      );
      expect(await sendTo(origin, { connection })).toMatchObject({ kind: 'answered', status });
      expect(requests()).toBe(1);
    });
  });

  describe('nothing was sent', () => {
    it('when the connection is refused', async () => {
      const origin = await unusedOrigin();
      expect(await sendTo(origin, { connection })).toEqual({
        kind: 'not_sent',
        cause: 'unreachable',
        reason: 'ECONNREFUSED',
      });
    });

    it('when the name is not known', async () => {
      const exchange = await sendTo('http://host.invalid', { connection });
      expect(exchange).toMatchObject({ kind: 'not_sent', cause: 'unreachable' });
      expect((exchange as { reason: string }).reason).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
    });

    it('when the certificate is not to be trusted', async () => {
      const { at, count } = await listen(await selfSignedServer());
      const exchange = await sendTo(`https://${at}`, { connection });
      expect(exchange).toMatchObject({ kind: 'not_sent', cause: 'unreachable' });
      expect((exchange as { reason: string }).reason).toMatch(/SELF_SIGNED|CERT/);
      expect(count.connections).toBe(1);
    });

    it('when the other side speaks no TLS', async () => {
      const { origin } = await serveBytes((socket) =>
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      );
      const secure = origin.replace('http:', 'https:');
      expect(await sendTo(secure, { connection })).toMatchObject({
        kind: 'not_sent',
        cause: 'unreachable',
      });
    });

    it('when the handshake does not end in time, not even later', async () => {
      const { origin } = await serveBytes();
      const secure = origin.replace('http:', 'https:');
      expect(await sendTo(secure, { connection, timeoutMs: 50 })).toEqual({
        kind: 'not_sent',
        cause: 'unreachable',
        reason: 'no whole answer within 50 ms',
      });
    });

    it('when the moment for it had passed once the connection stood: not one byte arrives', async () => {
      const { origin, count, firstSign } = await serveBytes();
      const client = clientFor(origin, () => 1_001);
      const exchange = await client.send(requestTo(origin, { connection, latestWriteAtMs: 1_000 }));
      expect(exchange).toMatchObject({ kind: 'not_sent', cause: 'too_late' });
      await firstSign;
      expect(count).toEqual({ connections: 1, bytes: 0 });
    });

    it('when the process was stopped between the order and the write', async () => {
      const { origin, count, firstSign } = await serveBytes();
      let clock = 1_000;
      const client = clientFor(origin, () => clock);
      const sending = client.send(requestTo(origin, { connection, latestWriteAtMs: 1_000 }));
      clock = 9_000;
      expect(await sending).toMatchObject({ kind: 'not_sent', cause: 'too_late' });
      await firstSign;
      expect(count).toEqual({ connections: 1, bytes: 0 });
    });

    // Once the exchange has been declared not sent, a connection that stands later must stay silent.
    it('when the time was over before the connection stood, and nothing is sent after', async () => {
      const { origin, count, firstSign } = await serveBytes();
      const sending = clientFor(origin).send(requestTo(origin, { connection, timeoutMs: 20 }));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      expect(await sending).toMatchObject({ kind: 'not_sent', cause: 'unreachable' });
      await firstSign;
      expect(count).toEqual({ connections: 1, bytes: 0 });
    });

    it('when the request itself cannot be written', async () => {
      const { origin, requests } = await serve((_request, response) => response.end());
      const exchange = await sendTo(origin, { connection, headers: { authorization: 'a\nb' } });
      expect(exchange).toMatchObject({ kind: 'not_sent', cause: 'unreachable' });
      expect(requests()).toBe(0);
    });
  });

  describe('it is unknown what happened', () => {
    test.each<[string, Handler]>([
      ['the connection is reset', (_request, response) => void response.socket?.resetAndDestroy()],
      ['the connection is closed', (_request, response) => void response.socket?.destroy()],
      [
        'the answer is cut in its head',
        (_request, response) => void response.socket?.end('HTTP/1.1 20'),
      ],
      [
        'the answer is cut in its body',
        (_request, response) => {
          response.writeHead(200, { 'content-length': '100' });
          response.write('half', () => response.socket?.destroy());
        },
      ],
      [
        'a chunked answer is cut',
        (_request, response) => {
          response.write('half', () => response.socket?.destroy());
        },
      ],
      ['the answer is no HTTP', (_request, response) => void response.socket?.end('hello\r\n\r\n')],
      [
        'the head of the answer is endless',
        (_request, response) => void response.setHeader('x', 'x'.repeat(64_000)).end(),
      ],
    ])('when %s', async (_name, handle) => {
      const { origin, requests } = await serve(handle);
      expect(await sendTo(origin, { connection })).toMatchObject({ kind: 'unknown' });
      expect(requests()).toBe(1);
    });

    test.each<[string, Handler]>([
      ['no answer', () => undefined],
      [
        'a head without body',
        (_request, response) => response.writeHead(200, { 'content-length': '9' }).flushHeaders(),
      ],
      [
        'half a body',
        (_request, response) =>
          void response.writeHead(200, { 'content-length': '9' }).write('half'),
      ],
    ])('when %s comes in time', async (_name, handle) => {
      const { origin, requests } = await serve(handle);
      expect(await sendTo(origin, { connection, timeoutMs: 200 })).toEqual({
        kind: 'unknown',
        reason: 'no whole answer within 200 ms',
      });
      expect(requests()).toBe(1);
    });

    test.each([
      ['declared', (response: ServerResponse) => response.setHeader('content-length', '1001')],
      ['found', (response: ServerResponse) => response],
    ])('when the answer is %s to be too long', async (_name, prepare) => {
      const { origin } = await serve((_request, response) =>
        prepare(response).end('x'.repeat(1_001)),
      );
      expect(await sendTo(origin, { connection })).toEqual({
        kind: 'unknown',
        reason: 'the answer was longer than its limit',
      });
    });

    it('and never says a header’s content', async () => {
      const { origin } = await serve(
        (_request, response) => void response.socket?.resetAndDestroy(),
      );
      expect(JSON.stringify(await sendTo(origin, { connection }))).not.toContain('secret-key');
    });
  });

  it('calls no origin that is not configured', async () => {
    const { origin, requests } = await serve((_request, response) => response.end());
    const client = clientFor('https://api.example');
    for (const foreign of [
      origin,
      'http://api.example',
      'https://api.example:444',
      'https://api.example.evil.test',
    ]) {
      const sending = client.send(requestTo(foreign, { connection }));
      await expect(sending).rejects.toThrow('is not a configured origin');
    }
    expect(requests()).toBe(0);
  });
});

describe('a fresh connection', () => {
  it('is made for every call and closed after it', async () => {
    const { origin, count } = await serve((request, response) =>
      response.end(request.headers.connection),
    );
    const client = clientFor(origin);
    for (const calls of [1, 2, 3]) {
      expect(textOf(await client.send(requestTo(origin)))).toBe('close');
      expect(count.connections).toBe(calls);
    }
    await untilConnectionsClosed(origin);
  });
});

describe('a kept connection', () => {
  const kept = { connection: 'kept', method: 'GET' } as const;
  /** An answer is told before its connection is given back, in the same turn of the event loop. */
  const connectionIsFree = (): Promise<void> => nextTurn();

  it('serves many calls', async () => {
    const { origin, count } = await serve((_request, response) => response.end('ok'));
    const client = clientFor(origin);
    for (let calls = 0; calls < 3; calls += 1) {
      await client.send(requestTo(origin, kept));
      await connectionIsFree();
    }
    expect(count.connections).toBe(1);
  });

  test.each(['GET', 'DELETE', 'POST'] as const)(
    'that drops a %s in the middle does not make it go out again',
    async (method) => {
      const { origin, count, requests } = await serve((_request, response) => {
        if (requests() === 1) response.end('ok');
        else response.socket?.destroy();
      });
      const client = clientFor(origin);
      await client.send(requestTo(origin, kept));
      await connectionIsFree();
      const second = await client.send(requestTo(origin, { ...kept, method }));
      expect(second).toMatchObject({ kind: 'unknown' });
      expect({ requests: requests(), ...count }).toMatchObject({ requests: 2, connections: 1 });
    },
  );

  it('is not made any more once the client was closed', async () => {
    const { origin, count } = await serve((_request, response) => response.end('ok'));
    const client = clientFor(origin);
    await client.close();
    expect(await client.send(requestTo(origin, kept))).toMatchObject({
      kind: 'not_sent',
      cause: 'unreachable',
    });
    expect(count.connections).toBe(0);
  });

  it('is replaced after it failed', async () => {
    const { origin, count } = await serve((_request, response) => {
      if (count.connections === 1) response.socket?.destroy();
      else response.end('ok');
    });
    const client = clientFor(origin);
    expect((await client.send(requestTo(origin, kept))).kind).toBe('unknown');
    expect((await client.send(requestTo(origin, kept))).kind).toBe('answered');
  });
});

describe('calls side by side', () => {
  let requests = 0;
  let origin = '';
  beforeEach(async () => {
    requests = 0;
    ({ origin } = await serve((request, response) => {
      requests += 1;
      if (request.url?.includes('bad')) response.socket?.resetAndDestroy();
      else response.end(request.url);
    }));
  });

  test.each(['fresh', 'kept'] as const)('do not share their fate (%s)', async (connection) => {
    const client = clientFor(origin);
    const paths = ['/1', '/bad', '/2', '/bad', '/3'];
    const exchanges = await Promise.all(
      paths.map((path) => client.send(requestTo(origin, { connection, url: origin + path }))),
    );
    expect(exchanges.map(textOf)).toEqual(['/1', 'unknown', '/2', 'unknown', '/3']);
    expect(requests).toBe(5);
  });
});
