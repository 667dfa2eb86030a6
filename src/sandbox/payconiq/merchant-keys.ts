import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { agreesWithX5c } from '../../transport/certificates.js';
import { KeySetError, createJwksCache, staticKeySource } from '../../transport/jwks.js';
import type { FetchBytes } from '../../transport/jwks.js';
import type { KeySource } from '../../transport/jws.js';

/**
 * The merchant's keys as the provider reads them: cached for 12 hours, and not fetched earlier for
 * a key id that is new. A set with a key that is not the one of its certificate is no key set.
 *
 * @throws KeySetError when `keys` is an object but no key set
 * @see payconiq.txt L11896-11925
 */
export async function merchantKeySource(
  keys: object | string | undefined,
  now: () => number,
): Promise<KeySource | undefined> {
  if (keys === undefined) return undefined;
  if (typeof keys !== 'string') return staticKeySource(certified(keys));
  return createJwksCache({
    url: keys,
    fetchBytes: async (url, limits) => {
      const answer = await fetchBytes(url, limits);
      certified(JSON.parse(Buffer.from(answer.body).toString('utf8')));
      return answer;
    },
    now,
    maxAgeMs: CACHED_MS,
    cooldownMs: CACHED_MS,
  });
}

/** @throws KeySetError when a key is not the one that its certificate names */
function certified<Keys>(keySet: Keys): Keys {
  const { keys = [] } = (keySet ?? {}) as { readonly keys?: readonly object[] };
  if (keys.every(agreesWithX5c)) return keySet;
  throw new KeySetError('a key is not the one of its certificate');
}

const CACHED_MS = 12 * 3_600_000;

const fetchBytes: FetchBytes = (url, { timeoutMs }) => {
  const get = url.startsWith('https:') ? secureRequest : request;
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
      );
    });
    sent.end();
  });
};
