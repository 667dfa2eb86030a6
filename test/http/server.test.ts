import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/http/access.js';
import { startHarness, type Harness } from '../support/harness.js';
import {
  clientWithoutTemporal,
  openBody,
  serve,
  storeThatIsDown,
  type TestServer,
} from './support.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});

afterAll(() => harness.close());

async function withServer(
  changes: Parameters<typeof serve>[1],
  test: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await serve(harness, changes);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

describe('a server without API keys', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'pay.example.com', ''])(
    'does not start on %s, and says what to set',
    (host) =>
      withServer({ apiKeys: [] }, async ({ server }) => {
        await expect(server.listen({ host, port: 0 })).rejects.toThrow(
          `refusing to serve without API keys on ${host}, where others can reach it: ` +
            'set apiKeys, or set http.host to 127.0.0.1',
        );
      }),
  );

  it.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['localhost', true],
    ['::1', true],
    ['[::1]', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['localhost.example.com', false],
    ['127.0.0.1.example.com', false],
  ])('knows whether only this machine reaches %s: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it('serves this machine without a key', () =>
    withServer({ apiKeys: [] }, async ({ call, log }) => {
      expect((await call('GET', '/v1/payments', { key: 'none' })).status).toBe(200);
      expect(log()).toContain('"client":"anonymous"');
    }));

  it('does not answer to a name of somebody else', () =>
    withServer({ apiKeys: [] }, async ({ url }) => {
      const { port } = new URL(url);
      const status = await new Promise((resolve) => {
        get({ port, path: '/v1/payments', headers: { host: `evil.example:${port}` } }, (answer) =>
          resolve(answer.resume().statusCode),
        );
      });
      expect(status).toBe(421);
    }));
});

describe('health and readiness', () => {
  it('is up and ready while database and Temporal answer', () =>
    withServer({}, async ({ call }) => {
      const health = await call('GET', '/health', { key: 'none' });
      expect(health.body).toEqual({ status: 'up', version: '1.2.3' });
      const ready = await call('GET', '/ready', { key: 'none' });
      expect(ready.status).toBe(200);
      expect(ready.body).toEqual({ store: 'up', temporal: 'up' });
    }));

  it('is up but not ready while they do not', async () => {
    const client = clientWithoutTemporal();
    await withServer({ store: await storeThatIsDown(), client }, async ({ call }) => {
      expect((await call('GET', '/health')).status).toBe(200);
      const ready = await call('GET', '/ready');
      expect(ready.headers.get('retry-after')).toBe('5');
      expect(ready.body).toMatchObject({
        status: 503,
        code: 'store_unavailable',
        checks: { store: 'down', temporal: 'down' },
      });
    });
  });
});

describe('with the database down', () => {
  it('refuses to open a payment before anything starts, and to list', async () => {
    await withServer({ store: await storeThatIsDown() }, async ({ call }) => {
      const opening = await call('POST', '/v1/payments', { body: openBody(), idempotencyKey: 'k' });
      const listing = await call('GET', '/v1/payments');
      for (const answer of [opening, listing]) {
        expect(answer.body).toMatchObject({ status: 503, code: 'store_unavailable' });
        expect(answer.headers.get('retry-after')).toBe('5');
      }
      expect(harness.sandbox.requests()).toEqual([]);
    });
  });

  it('cannot tell whether a payment exists that has no workflow', async () => {
    await withServer({ store: await storeThatIsDown() }, async ({ call }) => {
      expect((await call('GET', '/v1/payments/nothing')).body).toMatchObject({
        status: 503,
        code: 'store_unavailable',
      });
    });
  });
});
