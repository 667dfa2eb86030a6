import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keySet } from '../../src/http/connection-schemas.js';
import { TIMING } from '../../src/domain/timing.js';
import { openConnections } from '../../src/providers/connections.js';
import { staticKeySource } from '../../src/transport/jwks.js';
import { certificateChain, newKeyPair } from '../support/certificates.js';
import { clientWithoutTemporal, serve, storeThatIsDown, type TestServer } from './support.js';

const IDS = { profileId: 'p', merchantId: 'm' };
const pair = newKeyPair();
const next = newKeyPair();
const { d: secret = '' } = pair.privateKey.export({ format: 'jwk' });

let server: TestServer;
beforeAll(async () => {
  const { privateKeyPem } = pair;
  const keys = [
    { kid: 'k1', privateKeyPem, certificatePem: certificateChain(pair) },
    { kid: 'k2', privateKeyPem: next.privateKeyPem, publishedAt: new Date().toISOString() },
  ];
  const connection = (id: string, settings: object) => ({
    ...{ id, provider: 'payconiq' },
    settings: { ...IDS, ...settings },
  });
  const connections = openConnections({
    connections: [
      connection('signing', { signing: { keys } }),
      connection('with-a-key', { apiKey: 'x' }),
    ],
    timing: TIMING.fast,
    now: Date.now,
    notificationSecret: 'test',
  });
  // Neither database nor Temporal is there: what is published must not depend on them.
  const store = await storeThatIsDown();
  server = await serve({ client: clientWithoutTemporal(), store, connections });
});
afterAll(() => server.close());

const get = (connectionId: string) =>
  server.call('GET', `/connections/${connectionId}/jwks.json`, { key: 'none' });

describe('PCQ-18: our public keys', () => {
  it('are served to everybody, though database and Temporal are down', async () => {
    expect((await server.call('GET', '/ready', { key: 'none' })).status).toBe(503);
    const { status, headers, body } = await get('signing');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json\b/);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = keySet.parse(body);
    expect(keys.map(({ kid }) => kid)).toEqual(['k1', 'k2']);
    expect(keys.map(({ x5c }) => x5c?.length)).toEqual([2, undefined]);
  });

  it('hold nothing of the private ones', async () => {
    const { text, body } = await get('signing');
    const names = new Set(keySet.parse(body).keys.flatMap((key) => Object.keys(key)));
    expect(names).toEqual(new Set(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'x5c', 'y']));
    expect(secret.length).toBeGreaterThan(40);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('PRIVATE');
  });

  it('are a key set that a strict reader takes', async () => {
    const source = await staticKeySource((await get('signing')).body);
    expect((await source.find('k1')).kind).toBe('found');
    expect((await source.find('k2')).kind).toBe('found');
  });

  it.each(['with-a-key', 'nowhere', '..%2Fsigning'])('are not there for %s', async (id) => {
    const { status, body, headers } = await get(id);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'route_not_found' });
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
