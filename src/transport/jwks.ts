import { importPublicJwk } from './jws.js';
import type { KeyLookup, KeySource, SignatureKey } from './jws.js';

const HOUR_MS = 3_600_000;
const MAX_KEY_SET_BYTES = 256 * 1024;

/**
 * Fetches one URL once: no redirect followed, no retry. Rejects on network failure, past
 * `timeoutMs`, and when the body grows past `maxBytes`.
 */
export type FetchBytes = (
  url: string,
  limits: { readonly timeoutMs: number; readonly maxBytes: number },
) => Promise<{ readonly status: number; readonly body: Uint8Array }>;

export interface JwksCacheOptions {
  readonly url: string;
  readonly fetchBytes: FetchBytes;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Age at which the set is fetched again. Default 12 hours. */
  readonly maxAgeMs?: number;
  /** Age up to which a cached key still verifies while fetching fails. Default 24 hours. */
  readonly graceMs?: number;
  /** Least time between the end of a fetch and the start of the next. Default 30 seconds. */
  readonly cooldownMs?: number;
  /** Default 5 seconds. */
  readonly timeoutMs?: number;
}

type KeyEntry = SignatureKey | 'broken';
type KeySet = ReadonlyMap<string, KeyEntry>;
type FetchOutcome = 'ok' | 'failed';

/** A key set that cannot be used as it was received. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/**
 * A cache of one published key set (JWKS).
 *
 * - A key is served from the cache up to `maxAgeMs`; then the set is fetched again, and a key that
 *   is no longer in it no longer verifies.
 * - While that fetch fails, a key already cached verifies up to `graceMs`: the provider leaves an
 *   old key published for 24 hours beside the new one, so within that age the key was certainly
 *   meant to be in use. Past it, nothing verifies (`unavailable`).
 * - A key id that is not cached causes a fetch, at most one per `cooldownMs` however many forged ids
 *   arrive; simultaneous questions share one fetch. It is `unknown` only when a fetch that began
 *   after the question succeeded and lacks it. In the cool-down, or after joining a fetch that
 *   began earlier, the set at hand may be older than a key published a moment ago: `unavailable`,
 *   so that the sender repeats, by when the set has been fetched again.
 * - A set that does not parse, holds two keys of one id, or no ES256 key at all, is a failed fetch
 *   and leaves the cached set as it is. Keys of other types are ignored.
 *
 * @see payconiq.txt L611-663, L11935-11940
 */
export function createJwksCache(options: JwksCacheOptions): KeySource {
  const { url, fetchBytes, now } = options;
  const { maxAgeMs = 12 * HOUR_MS, graceMs = 24 * HOUR_MS } = options;
  const { cooldownMs = 30_000, timeoutMs = 5_000 } = options;
  let cached: { readonly keys: KeySet; readonly fetchedAt: number } | undefined;
  let inFlight: Promise<FetchOutcome> | undefined;
  let lastEndedAt: number | undefined;
  let lastFailure = 'key set was not fetched yet';

  /** A clock that was set back counts as expired: better one fetch too many than none for long. */
  const isWithin = (since: number, limitMs: number): boolean => {
    const elapsedMs = now() - since;
    return elapsedMs >= 0 && elapsedMs < limitMs;
  };

  const cachedKey = (kid: string, limitMs: number): KeyLookup | undefined => {
    const entry = cached?.keys.get(kid);
    if (entry === undefined || !isWithin(cached?.fetchedAt ?? 0, limitMs)) return undefined;
    if (entry !== 'broken') return { kind: 'found', key: entry };
    return { kind: 'unavailable', reason: 'the published key is malformed' };
  };

  const fetchSet = async (): Promise<FetchOutcome> => {
    const fetchedAt = now();
    try {
      const limits = { timeoutMs, maxBytes: MAX_KEY_SET_BYTES };
      const response = await withTimeout(fetchBytes(url, limits), timeoutMs);
      cached = { keys: await readResponse(response), fetchedAt };
      return 'ok';
    } catch (error) {
      lastFailure =
        error instanceof KeySetError ? error.message : 'key set could not be fetched in time';
      return 'failed';
    } finally {
      lastEndedAt = now();
    }
  };

  const startFetch = (): Promise<FetchOutcome> | undefined => {
    if (lastEndedAt !== undefined && isWithin(lastEndedAt, cooldownMs)) return undefined;
    inFlight = fetchSet().finally(() => (inFlight = undefined));
    return inFlight;
  };

  const find = async (kid: string): Promise<KeyLookup> => {
    const fresh = cachedKey(kid, maxAgeMs);
    if (fresh !== undefined) return fresh;
    const joined = inFlight;
    const attempt = joined ?? startFetch();
    const outcome = await attempt;
    const known = cachedKey(kid, outcome === 'ok' ? maxAgeMs : graceMs);
    if (known !== undefined) return known;
    if (outcome === 'failed') return { kind: 'unavailable', reason: lastFailure };
    if (attempt !== undefined && joined === undefined) return { kind: 'unknown' };
    return { kind: 'unavailable', reason: 'key set was fetched too recently to be fetched again' };
  };

  return { find };
}

/**
 * A key source over a key set at hand.
 *
 * @throws KeySetError as for a fetched set
 */
export async function staticKeySource(keySet: unknown): Promise<KeySource> {
  const keys = await readKeySet(keySet);
  const find = (kid: string): Promise<KeyLookup> => {
    const key = keys.get(kid);
    if (key === 'broken') {
      return Promise.resolve({ kind: 'unavailable', reason: 'the key is malformed' });
    }
    return Promise.resolve(key === undefined ? { kind: 'unknown' } : { kind: 'found', key });
  };
  return { find };
}

async function readResponse(response: { status: number; body: Uint8Array }): Promise<KeySet> {
  if (response.status !== 200) {
    throw new KeySetError(`key set answered with status ${response.status}`);
  }
  if (response.body.byteLength > MAX_KEY_SET_BYTES) throw new KeySetError('key set is too large');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(response.body).toString('utf8'));
  } catch (cause) {
    throw new KeySetError('key set is not JSON', { cause });
  }
  return readKeySet(parsed);
}

async function readKeySet(value: unknown): Promise<KeySet> {
  const list = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new KeySetError('key set has no list of keys');
  const keys = new Map<string, KeyEntry>();
  for (const jwk of list.filter(isEs256Key)) {
    if (keys.has(jwk.kid)) throw new KeySetError('key set has two keys with one id');
    keys.set(jwk.kid, await importPublicJwk(jwk).catch(() => 'broken' as const));
  }
  if (keys.size === 0) throw new KeySetError('key set has no ES256 key');
  return keys;
}

function isEs256Key(jwk: unknown): jwk is { kid: string } {
  if (typeof jwk !== 'object' || jwk === null) return false;
  const { kty, crv, kid, use = 'sig', alg = 'ES256' } = jwk as Record<string, unknown>;
  const isForUse = use === 'sig' && alg === 'ES256';
  return kty === 'EC' && crv === 'P-256' && isForUse && typeof kid === 'string' && kid !== '';
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new KeySetError('key set could not be fetched in time')),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
