import { sql, type Kysely } from 'kysely';
import type { Tables } from './database.js';
import { milliseconds, toJson } from './values.js';

/** An API request, by its client and the Idempotency-Key that client chose. */
export interface RequestKey {
  readonly client: string;
  readonly key: string;
}

export interface RequestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type RequestStart =
  /** Ours to do. `token` proves it to `complete` and `release`. */
  | { readonly kind: 'fresh'; readonly token: string }
  /** Done before; answer the same bytes. */
  | { readonly kind: 'replay'; readonly response: RequestResponse }
  /** Another is doing it, or crashed over it: then its lease ends after `retryAfterMs`. */
  | { readonly kind: 'running'; readonly retryAfterMs: number }
  /** The key was used for another request. */
  | { readonly kind: 'mismatch' };

/** What the API answered under which idempotency key. */
export interface Requests {
  /**
   * Begins a request, or says what became of it. `fingerprint` is a hash of method, path and body.
   * A request left unfinished is taken over when its lease ends, so a crash blocks for `leaseMs`.
   */
  begin(
    request: RequestKey & { readonly fingerprint: string; readonly leaseMs: number },
  ): Promise<RequestStart>;
  /** Keeps the response. False, and nothing kept, when the request was taken over meanwhile. */
  complete(
    request: RequestKey & { readonly token: string; readonly response: RequestResponse },
  ): Promise<boolean>;
  /** Nothing happened, so the key is free again. False when the request was taken over. */
  release(request: RequestKey & { readonly token: string }): Promise<boolean>;
  /** Forgets what began longer ago than this and is not running. Returns how many. */
  purge(olderThanMs: number): Promise<number>;
}

export function createRequests(db: Kysely<Tables>): Requests {
  return {
    begin: (request) => begin(db, request),
    complete: (request) => complete(db, request),
    release: (request) => release(db, request),
    purge: (olderThanMs) => purge(db, olderThanMs),
  };
}

type Beginning = RequestKey & { readonly fingerprint: string; readonly leaseMs: number };

async function begin(db: Kysely<Tables>, request: Beginning): Promise<RequestStart> {
  const { client, key, fingerprint, leaseMs } = request;
  const found = await db
    .insertInto('api_requests')
    .values({ client, key, fingerprint, token: newToken, lease_until: leaseEnd(leaseMs) })
    // An update that changes nothing, to be given the row that is there.
    .onConflict((conflict) =>
      conflict.columns(['client', 'key']).doUpdateSet({ client: sql`api_requests.client` }),
    )
    .returning([
      'token',
      'fingerprint',
      'status',
      'headers',
      'body',
      sql<boolean>`xmax = 0`.as('is_new'),
      sql<number>`extract(epoch from lease_until - clock_timestamp())::float8 * 1000`.as(
        'lease_ms',
      ),
    ])
    .executeTakeFirstOrThrow();
  const { token, status, headers, body, is_new: isNew, lease_ms: remainingMs } = found;
  if (isNew) return { kind: 'fresh', token };
  if (found.fingerprint !== fingerprint) return { kind: 'mismatch' };
  if (status !== null && headers && body) {
    return { kind: 'replay', response: { status, headers, body: new Uint8Array(body) } };
  }
  if (remainingMs > 0) return { kind: 'running', retryAfterMs: Math.ceil(remainingMs) };
  return takeOver(db, { ...request, abandoned: token });
}

/** One of many succeeds: the new token makes all others' worthless. */
async function takeOver(
  db: Kysely<Tables>,
  { client, key, leaseMs, abandoned }: Beginning & { readonly abandoned: string },
): Promise<RequestStart> {
  const taken = await db
    .updateTable('api_requests')
    .set({ token: newToken, lease_until: leaseEnd(leaseMs) })
    .where('client', '=', client)
    .where('key', '=', key)
    .where('token', '=', abandoned)
    .where('status', 'is', null)
    .returning('token')
    .executeTakeFirst();
  return taken ? { kind: 'fresh', token: taken.token } : { kind: 'running', retryAfterMs: leaseMs };
}

const newToken = sql<string>`gen_random_uuid()::text`;

function leaseEnd(leaseMs: number) {
  return sql<string>`clock_timestamp() + ${milliseconds(leaseMs)}`;
}

async function complete(
  db: Kysely<Tables>,
  request: RequestKey & { readonly token: string; readonly response: RequestResponse },
): Promise<boolean> {
  const { client, key, token, response } = request;
  const { numUpdatedRows } = await db
    .updateTable('api_requests')
    .set({
      status: response.status,
      headers: toJson(response.headers),
      body: Buffer.from(response.body),
    })
    .where('client', '=', client)
    .where('key', '=', key)
    .where('token', '=', token)
    .where('status', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

async function release(
  db: Kysely<Tables>,
  { client, key, token }: RequestKey & { readonly token: string },
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('api_requests')
    .where('client', '=', client)
    .where('key', '=', key)
    .where('token', '=', token)
    .where('status', 'is', null)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

async function purge(db: Kysely<Tables>, olderThanMs: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('api_requests')
    .where('created_at', '<=', sql<Date>`now() - ${milliseconds(olderThanMs)}`)
    .where((eb) => eb.or([eb('status', 'is not', null), eb('lease_until', '<', sql<Date>`now()`)]))
    .executeTakeFirst();
  return Number(numDeletedRows);
}
