import { connect } from 'node:net';
import fastify from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import {
  CodecServerError,
  codecRoutes,
  startCodecServer,
  type CodecServer,
} from '../../src/codec/codec-server.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import { VECTORS } from './vectors.js';

const ring = createKeyRing(
  VECTORS.keys.map(({ id, secretBase64 }) => ({ id, secret: secretBase64 })),
);
const UI = 'https://temporal.example.com';
const TOKEN = 'codec-token-for-the-tests';
const OTHER_TOKEN = 'another-token-of-the-tests';
const PLAIN = VECTORS.payloads.map(({ plain }) => plain);
const ENCRYPTED = VECTORS.payloads.map(({ encrypted }) => encrypted);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

type Headers = Record<string, string>;

let server: CodecServer;
let open: CodecServer;

beforeAll(async () => {
  const common = { ring, host: '127.0.0.1', port: 0, origins: [UI] };
  server = await startCodecServer({ ...common, tokens: [TOKEN, OTHER_TOKEN] });
  open = await startCodecServer({ ...common, tokens: [] });
});
afterAll(async () => {
  await server.stop();
  await open.stop();
});

async function post(
  path: string,
  body: unknown,
  { headers = {}, to = server }: { headers?: Headers; to?: { readonly url: string } } = {},
): Promise<{ status: number; headers: Headers; json: unknown }> {
  const response = await fetch(`${to.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    json: await response.json(),
  };
}

describe('decoding', () => {
  it('answers payloads in order, as proto3 JSON', async () => {
    const { status, json, headers } = await post('/decode', { payloads: ENCRYPTED });
    expect(status).toBe(200);
    expect(json).toEqual({ payloads: PLAIN });
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
  });

  it('takes a query string, as the UI sends one', async () => {
    const { json } = await post('/decode?namespace=default', { payloads: ENCRYPTED });
    expect(json).toEqual({ payloads: PLAIN });
  });

  test.each([['{}'], ['{"payloads":[]}'], ['{"payloads":null}']])('answers %s', async (body) => {
    expect(await post('/decode', body)).toMatchObject({ status: 200, json: { payloads: [] } });
    expect(await post('/encode', body)).toMatchObject({ status: 200, json: { payloads: [] } });
  });

  it('leaves what is not encrypted as it is', async () => {
    const payloads = [PLAIN[0], ENCRYPTED[0], { externalPayloads: [{ sizeBytes: '7' }] }, {}];
    const { json } = await post('/decode', { payloads });
    expect(json).toMatchObject({
      payloads: [PLAIN[0], PLAIN[0], { externalPayloads: [{ sizeBytes: '7' }] }, {}],
    });
  });

  it('reads base64url and base64 without padding', async () => {
    const data = ENCRYPTED[0]!.data!;
    const url = data.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    const { json } = await post('/decode', { payloads: [{ ...ENCRYPTED[0], data: url }] });
    expect(json).toEqual({ payloads: [PLAIN[0]] });
  });

  it('names the key that it lacks', async () => {
    const stranger = createKeyRing([{ id: '2031-01', secret: new Uint8Array(32) }]);
    const other = await startCodecServer({ ...LOCAL, ring: stranger });
    try {
      const { json } = await post('/encode', { payloads: [PLAIN[0]] }, { to: other });
      const refused = await post('/decode', json);
      expect(refused).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
      expect(JSON.stringify(refused.json)).toContain('2031-01');
    } finally {
      await other.stop();
    }
  });
});

const LOCAL = { ring, host: '127.0.0.1', port: 0, tokens: [], origins: [] };

describe('encoding', () => {
  it('answers what decodes to the same', async () => {
    const encoded = await post('/encode', { payloads: PLAIN });
    const { payloads } = encoded.json as { payloads: { metadata: Headers }[] };
    expect(payloads.map(({ metadata }) => metadata)).toEqual(
      PLAIN.map(() => ({
        encoding: base64('binary/encrypted'),
        'encryption-key-id': base64('2026-01'),
      })),
    );
    expect((await post('/decode', encoded.json)).json).toEqual({ payloads: PLAIN });
  });
});

describe('a request that is wrong', () => {
  test.each<[string, string, number]>([
    ['no JSON', 'payloads', 400],
    ['an empty body', '', 400],
    ['a list', '[]', 400],
    ['payloads that are none', '{"payloads":["x"]}', 400],
    ['data that is no base64', '{"payloads":[{"data":"**"}]}', 400],
    ['metadata that is no base64', '{"payloads":[{"metadata":{"encoding":"a b"}}]}', 400],
    ['a prototype', '{"payloads":[{"metadata":{"__proto__":"YQ=="}}]}', 400],
    ['sealed data that is none', encryptedWith('YQ=='), 400],
    ['too much', `{"payloads":[{"data":"${'A'.repeat(8 * 1024 * 1024)}"}]}`, 413],
  ])('is refused: %s', async (_name, body, status) => {
    const refused = await post('/decode', body, { headers: { origin: UI } });
    expect(refused.status).toBe(status);
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'access-control-allow-origin': UI,
    });
  });

  it('is told by method, address and media type', async () => {
    const get = await fetch(`${server.url}/decode`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'OPTIONS, POST']);
    expect(await post('/other', {})).toMatchObject({ status: 404 });
    const text = await post('/decode', '{}', { headers: { 'content-type': 'text/plain' } });
    expect(text.status).toBe(415);
  });
});

function encryptedWith(data: string): string {
  return JSON.stringify({
    payloads: [{ metadata: { encoding: base64('binary/encrypted') }, data }],
  });
}

describe('access with tokens', () => {
  test.each([
    ['any of them', `Bearer ${OTHER_TOKEN}`, 200],
    ['the scheme in small letters', `bearer ${TOKEN}`, 200],
    ['a wrong one', `Bearer ${TOKEN}x`, 401],
    ['a part of one', `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['no token', 'Bearer ', 401],
    ['no scheme', TOKEN, 401],
    ['another scheme', `Basic ${TOKEN}`, 401],
    ['two', `Bearer ${TOKEN} ${OTHER_TOKEN}`, 401],
  ])('%s', async (_name, authorization, status) => {
    for (const path of ['/decode', '/encode']) {
      const answer = await post(path, { payloads: ENCRYPTED }, { headers: { authorization } });
      expect(answer.status).toBe(status);
    }
  });

  it('is not given without the header, whatever the body', async () => {
    const response = await fetch(`${server.url}/decode`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
  });
});

describe('an open server', () => {
  it('decodes for this machine', async () => {
    const answer = await post('/decode', { payloads: ENCRYPTED }, { to: open });
    expect(answer.json).toEqual({ payloads: PLAIN });
  });

  // A web page can make its own name point to 127.0.0.1; the browser then sends that name as Host.
  it('does not answer to another name', async () => {
    expect(await statusWithHost(open.url, 'evil.example')).toBe(421);
    expect(await statusWithHost(open.url, 'localhost')).toBe(200);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'temporal.example.com'])(
    'is refused where others can reach it: %s',
    async (host) => {
      await expect(startCodecServer({ ...LOCAL, host })).rejects.toThrow(CodecServerError);
    },
  );

  it('may listen everywhere once it has tokens', async () => {
    const everywhere = await startCodecServer({ ...LOCAL, host: '0.0.0.0', tokens: [TOKEN] });
    try {
      const to = { url: everywhere.url.replace('0.0.0.0', '127.0.0.1') };
      expect(await post('/decode', {}, { to })).toMatchObject({ status: 200 });
    } finally {
      await everywhere.stop();
    }
  });
});

function statusWithHost(url: string, host: string): Promise<number> {
  const { port } = new URL(url);
  const request =
    `POST /decode HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
    'Content-Length: 2\r\nConnection: close\r\n\r\n{}';
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(request));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('end', () => resolve(Number(answer.split(' ')[1])));
    socket.on('error', reject);
  });
}

describe('browsers', () => {
  const preflight = (origin: string, path = '/decode?namespace=default') =>
    fetch(`${server.url}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-namespace',
      },
    });

  it.each(['/decode', '/encode?namespace=default'])(
    'may call %s from the UI, with token, namespace and cookies',
    async (path) => {
      const { status, headers } = await preflight(UI, path);
      expect(status).toBe(204);
      expect(Object.fromEntries(headers)).toMatchObject({
        'access-control-allow-origin': UI,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST',
        vary: 'Origin',
      });
      const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ');
      expect(allowed).toEqual(
        expect.arrayContaining(['authorization', 'content-type', 'x-namespace']),
      );
    },
  );

  it('may read the answers there, refusals too', async () => {
    const origin = { origin: UI, 'x-namespace': 'default' };
    for (const authorization of [`Bearer ${TOKEN}`, 'Bearer wrong']) {
      const { headers } = await post('/decode', {}, { headers: { ...origin, authorization } });
      expect(headers).toMatchObject({
        'access-control-allow-origin': UI,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      });
    }
  });

  it.each(['https://evil.example', 'http://temporal.example.com', `${UI}.evil.example`, 'null'])(
    'may not from %s',
    async (origin) => {
      const { headers } = await preflight(origin);
      expect(headers.get('access-control-allow-origin')).toBeNull();
      const answer = await post('/decode', {}, { headers: { origin } });
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    },
  );
});

describe('settings', () => {
  it.each(['*', 'null', 'temporal.example.com', `${UI}/`, `${UI}/path`, 'https://Example.com'])(
    'take no %s for an origin',
    async (origin) => {
      await expect(startCodecServer({ ...LOCAL, origins: [origin] })).rejects.toThrow('no origin');
    },
  );

  it.each(['', 'short', 'with spaces in it, which no header can hold'])(
    'take no "%s" for a token, and do not repeat it',
    async (token) => {
      const refused = startCodecServer({ ...LOCAL, tokens: [TOKEN, token] });
      await expect(refused).rejects.toThrow(/^tokens\.1 must /);
      await expect(refused).rejects.not.toThrow('spaces in it');
    },
  );
});

describe('within another server', () => {
  const app = fastify();
  afterEach(() => app.close());

  it('keeps to its prefix', async () => {
    app.get('/codec', () => 'open to all');
    codecRoutes(app, { ring, tokens: [TOKEN], origins: [UI], prefix: '/codec' });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    expect((await fetch(`${url}/codec`)).status).toBe(200);
    const decoded = await post('/codec/decode', { payloads: ENCRYPTED }, { to: { url } });
    expect(decoded.json).toEqual({ payloads: PLAIN });
    const preflight = await fetch(`${url}/codec/decode`, {
      method: 'OPTIONS',
      headers: { origin: UI },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(UI);
  });
});
