import { describe, expect, it } from 'vitest';
import { BACKENDS, useStore } from './backends.js';
import { uniqueId } from './examples.js';

const RESPONSE = {
  status: 201,
  headers: { 'content-type': 'application/json', location: '/payments/1' },
  body: new Uint8Array([123, 0, 255, 125]),
};

for (const backend of BACKENDS) {
  describe(`API requests on ${backend.name}`, () => {
    const store = useStore(backend);
    const requests = () => store().requests;

    function aRequest() {
      const key = { client: uniqueId('client'), key: 'k1' };
      const begin = (options: { leaseMs?: number; fingerprint?: string } = {}) =>
        requests().begin({ ...key, fingerprint: 'f1', leaseMs: 60_000, ...options });
      const fresh = async (options: { leaseMs?: number } = {}): Promise<string> => {
        const start = await begin(options);
        if (start.kind !== 'fresh') throw new Error(`expected a fresh request, got ${start.kind}`);
        return start.token;
      };
      return { key, begin, fresh };
    }

    it('replays the same bytes once it is complete', async () => {
      const { key, begin, fresh } = aRequest();
      const token = await fresh();
      expect(await requests().complete({ ...key, token, response: RESPONSE })).toBe(true);
      expect(await begin()).toEqual({ kind: 'replay', response: RESPONSE });
    });

    it('is running while its lease lasts', async () => {
      const { begin, fresh } = aRequest();
      await fresh();
      const second = await begin();
      expect(second.kind).toBe('running');
      if (second.kind !== 'running') return;
      expect(second.retryAfterMs).toBeGreaterThan(0);
      expect(second.retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    it('belongs to one of many that begin it at once', async () => {
      const { begin } = aRequest();
      const starts = await Promise.all(Array.from({ length: 8 }, () => begin()));
      const kinds = starts.map(({ kind }) => kind).sort();
      expect(kinds).toEqual(['fresh', ...Array.from({ length: 7 }, () => 'running')]);
    });

    it('refuses another request under the same key, running or complete', async () => {
      const { key, begin, fresh } = aRequest();
      const token = await fresh();
      expect(await begin({ fingerprint: 'f2' })).toEqual({ kind: 'mismatch' });
      await requests().complete({ ...key, token, response: RESPONSE });
      expect(await begin({ fingerprint: 'f2' })).toEqual({ kind: 'mismatch' });
    });

    it('keeps clients apart', async () => {
      const { key, fresh } = aRequest();
      await fresh();
      const other = { client: uniqueId('client'), key: key.key, fingerprint: 'f2', leaseMs: 1 };
      expect((await requests().begin(other)).kind).toBe('fresh');
    });

    it('is taken over when its lease has ended, and the former holder can do nothing', async () => {
      const { key, begin, fresh } = aRequest();
      const stale = await fresh({ leaseMs: 0 });
      const token = await fresh();
      expect(token).not.toBe(stale);
      const late = { ...RESPONSE, status: 500 };
      expect(await requests().complete({ ...key, token: stale, response: late })).toBe(false);
      expect(await requests().release({ ...key, token: stale })).toBe(false);
      expect((await begin()).kind).toBe('running');
      expect(await requests().complete({ ...key, token, response: RESPONSE })).toBe(true);
      expect(await begin()).toEqual({ kind: 'replay', response: RESPONSE });
    });

    it('is not taken over by another request', async () => {
      const { begin, fresh } = aRequest();
      await fresh({ leaseMs: 0 });
      expect(await begin({ fingerprint: 'f2' })).toEqual({ kind: 'mismatch' });
    });

    it('is taken over by one of many', async () => {
      const { begin, fresh } = aRequest();
      await fresh({ leaseMs: 0 });
      const starts = await Promise.all(Array.from({ length: 8 }, () => begin()));
      expect(starts.filter(({ kind }) => kind === 'fresh')).toHaveLength(1);
    });

    it('frees the key when it is released', async () => {
      const { key, begin, fresh } = aRequest();
      const token = await fresh();
      expect(await requests().release({ ...key, token })).toBe(true);
      expect((await begin({ fingerprint: 'f2' })).kind).toBe('fresh');
    });

    it('keeps a response for good: it can be neither replaced nor released', async () => {
      const { key, begin, fresh } = aRequest();
      const token = await fresh();
      await requests().complete({ ...key, token, response: RESPONSE });
      const other = { ...RESPONSE, status: 500 };
      expect(await requests().complete({ ...key, token, response: other })).toBe(false);
      expect(await requests().release({ ...key, token })).toBe(false);
      expect(await begin()).toEqual({ kind: 'replay', response: RESPONSE });
    });

    it('forgets what is old and not running', async () => {
      const done = aRequest();
      const token = await done.fresh();
      await requests().complete({ ...done.key, token, response: RESPONSE });
      const abandoned = aRequest();
      await abandoned.fresh({ leaseMs: 0 });
      const running = aRequest();
      await running.fresh();
      await requests().purge(60_000);
      expect((await done.begin()).kind).toBe('replay');
      expect(await requests().purge(0)).toBeGreaterThanOrEqual(2);
      expect((await done.begin()).kind).toBe('fresh');
      expect((await running.begin()).kind).toBe('running');
    });
  });
}
