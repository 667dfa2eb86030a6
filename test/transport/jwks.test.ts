import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { request } from 'undici';
import { createJwksCache, staticKeySource } from '../../src/transport/jwks.js';
import type { FetchBytes, JwksCacheOptions } from '../../src/transport/jwks.js';
import { generateSigningKey } from '../../src/transport/jws.js';
import type { KeySource } from '../../src/transport/jws.js';

const HOUR_MS = 3_600_000;
const COOLDOWN_MS = 30_000;

const fetchBytes: FetchBytes = async (url, { timeoutMs }) => {
  const { statusCode, body } = await request(url, {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  return { status: statusCode, body: await body.bytes() };
};

type Answer = (response: ServerResponse) => void;

let server: Server;
let answer: Answer;
let fetches: number;
let clock: number;
let url: string;

const json =
  (value: unknown): Answer =>
  (response) =>
    response.end(JSON.stringify(value));
const status =
  (code: number): Answer =>
  (response) =>
    response.writeHead(code).end();
const reset: Answer = (response) => response.socket?.resetAndDestroy();
const publishes = async (...kids: string[]): Promise<Answer> =>
  json({
    keys: await Promise.all(kids.map(async (kid) => (await generateSigningKey(kid)).publicJwk)),
  });
const cacheWith = (changes: Partial<JwksCacheOptions> = {}): KeySource =>
  createJwksCache({ url, fetchBytes, now: () => clock, cooldownMs: COOLDOWN_MS, ...changes });
const kindOf = async (cache: KeySource, kid: string): Promise<string> =>
  (await cache.find(kid)).kind;

beforeEach(async () => {
  fetches = 0;
  clock = Date.parse('2026-03-01T10:00:00Z');
  server = createServer((_request, response) => {
    fetches += 1;
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/certificates`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a key set cache', () => {
  it('fetches once and serves for twelve hours', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    expect(await kindOf(cache, 'k1')).toBe('found');
    clock += 12 * HOUR_MS - 1;
    expect(await kindOf(cache, 'k1')).toBe('found');
    expect(fetches).toBe(1);
    clock += 1;
    expect(await kindOf(cache, 'k1')).toBe('found');
    expect(fetches).toBe(2);
  });

  it('shares one fetch among simultaneous questions', async () => {
    answer = await publishes('k1', 'k2');
    const cache = cacheWith();
    const kinds = await Promise.all(['k1', 'k2', 'k1', 'k2'].map((kid) => kindOf(cache, kid)));
    expect(kinds).toEqual(['found', 'found', 'found', 'found']);
    expect(fetches).toBe(1);
  });

  it('fetches again for an unknown key id and finds a key published meanwhile', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    await cache.find('k1');
    clock += COOLDOWN_MS;
    answer = await publishes('k1', 'k2');
    expect(await kindOf(cache, 'k2')).toBe('found');
    expect(fetches).toBe(2);
  });

  it('calls a key id unknown only after a fetch that began after the question', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    expect(await kindOf(cache, 'forged')).toBe('unknown');
    expect(await kindOf(cache, 'forged')).toBe('unavailable');
    clock += COOLDOWN_MS;
    expect(await kindOf(cache, 'forged')).toBe('unknown');
  });

  it('makes one fetch per cool-down, however many forged key ids arrive', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    await cache.find('k1');
    for (let second = 0; second < 60; second += 1) {
      clock += 1_000;
      await cache.find(`forged-${second}`);
    }
    expect(fetches).toBe(3);
  });

  it('never calls a new key unknown in the cool-down, and finds it after', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    await cache.find('forged');
    answer = await publishes('k1', 'k2');
    expect(await kindOf(cache, 'k2')).toBe('unavailable');
    clock += COOLDOWN_MS;
    expect(await kindOf(cache, 'k2')).toBe('found');
  });

  it('does not call a key unknown for a fetch that was already under way', async () => {
    const old = await publishes('k1');
    let arrived: () => void = () => undefined;
    const underWay = new Promise<void>((resolve) => (arrived = resolve));
    let respond: () => void = () => undefined;
    answer = (response) => {
      respond = () => old(response);
      arrived();
    };
    const cache = cacheWith();
    const first = kindOf(cache, 'k1');
    await underWay;
    const second = kindOf(cache, 'k2');
    respond();
    expect([await first, await second]).toEqual(['found', 'unavailable']);
    expect(fetches).toBe(1);
  });

  it('drops a key that the provider has removed', async () => {
    answer = await publishes('k1', 'k2');
    const cache = cacheWith();
    await cache.find('k1');
    clock += 12 * HOUR_MS;
    answer = await publishes('k2');
    expect(await kindOf(cache, 'k1')).toBe('unknown');
  });

  it('bears a clock that was set back', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    await cache.find('k1');
    clock -= 48 * HOUR_MS;
    expect(await kindOf(cache, 'k1')).toBe('found');
    expect(fetches).toBe(2);
  });

  it('serves cached keys up to a day while fetching fails, and nothing else', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    await cache.find('k1');
    answer = status(503);
    clock += 13 * HOUR_MS;
    expect(await kindOf(cache, 'k1')).toBe('found');
    expect(await kindOf(cache, 'k2')).toBe('unavailable');
    clock += 11 * HOUR_MS;
    expect(await kindOf(cache, 'k1')).toBe('unavailable');
    answer = await publishes('k1');
    clock += COOLDOWN_MS;
    expect(await kindOf(cache, 'k1')).toBe('found');
  });

  it('survives a fetch function that throws at once', async () => {
    let calls = 0;
    const cache = cacheWith({
      fetchBytes: () => {
        calls += 1;
        throw new Error('no such host');
      },
    });
    expect(await kindOf(cache, 'k1')).toBe('unavailable');
    clock += COOLDOWN_MS;
    expect(await kindOf(cache, 'k1')).toBe('unavailable');
    expect(calls).toBe(2);
  });

  it('gives up on an answer that does not come', async () => {
    answer = () => undefined;
    expect(await kindOf(cacheWith({ timeoutMs: 30 }), 'k1')).toBe('unavailable');
  });

  it('follows no redirect', async () => {
    answer = (response) => response.writeHead(302, { location: url }).end();
    expect(await kindOf(cacheWith(), 'k1')).toBe('unavailable');
    expect(fetches).toBe(1);
  });

  it('asks the configured URL alone', async () => {
    answer = await publishes('k1');
    const asked: string[] = [];
    const cache = cacheWith({
      fetchBytes: (target, limits) => {
        asked.push(target);
        return fetchBytes(target, limits);
      },
    });
    await cache.find('https://evil.test/certificates#k1');
    expect(asked).toEqual([url]);
  });
});

describe('a key set that cannot be used', () => {
  it.each<[string, Answer]>([
    ['an error status', status(500)],
    ['a missing page', status(404)],
    ['a reset connection', reset],
    ['no JSON', (response) => response.end('<html>')],
    ['no list', json({ keys: {} })],
    ['null', json(null)],
    ['no key at all', json({ keys: [] })],
    ['no ES256 key', json({ keys: [{ kty: 'RSA', kid: 'k1', n: 'AQAB', e: 'AQAB' }, null, 7] })],
    ['too many bytes', (response) => response.end(' '.repeat(256 * 1024 + 1))],
  ])('(%s) is never proof of a forgery', async (_name, bad) => {
    answer = bad;
    const cache = cacheWith();
    expect(await kindOf(cache, 'k1')).toBe('unavailable');
    answer = await publishes('k1');
    expect(await kindOf(cache, 'k1')).toBe('unavailable');
    clock += COOLDOWN_MS;
    expect(await kindOf(cache, 'k1')).toBe('found');
  });

  it('is refused for two keys of one id', async () => {
    answer = await publishes('k1', 'k1');
    expect(await kindOf(cacheWith(), 'k1')).toBe('unavailable');
  });

  it('does not take the good keys with the malformed one', async () => {
    const { publicJwk } = await generateSigningKey('good');
    answer = json({ keys: [publicJwk, { ...publicJwk, kid: 'bad', x: 'AAAA' }] });
    const cache = cacheWith();
    expect(await kindOf(cache, 'good')).toBe('found');
    expect(await kindOf(cache, 'bad')).toBe('unavailable');
  });

  it('leaves the cached one as it is', async () => {
    answer = await publishes('k1');
    const cache = cacheWith();
    await cache.find('k1');
    clock += COOLDOWN_MS;
    answer = json({ keys: [] });
    expect(await kindOf(cache, 'k2')).toBe('unavailable');
    expect(await kindOf(cache, 'k1')).toBe('found');
  });
});

describe('a static key source', () => {
  it('knows its keys and no others', async () => {
    const { publicJwk } = await generateSigningKey('k1');
    const source = await staticKeySource({ keys: [publicJwk] });
    expect([await kindOf(source, 'k1'), await kindOf(source, 'k2')]).toEqual(['found', 'unknown']);
  });

  it('refuses what is no key set', async () => {
    await expect(staticKeySource([])).rejects.toThrow('list of keys');
  });
});
