/** Who may call what: API keys and their scopes. */
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { constantTimeEqual } from '../transport/digest.js';
import { ApiError } from './problems.js';

/**
 * What a key may be used for. `operations`: the raw notifications, and their replay.
 * `personal_data`: what is known of payers, their IBANs, and erasing it.
 */
export type Scope = 'payments:read' | 'payments:write' | 'operations' | 'personal_data';

export interface ApiKey {
  /** Names the client in logs and owns its Idempotency-Keys. */
  readonly id: string;
  readonly secret: string;
  readonly scopes: readonly Scope[];
}

/** Whoever calls a server that has no keys. */
export const ANONYMOUS = 'anonymous';

declare module 'fastify' {
  interface FastifyRequest {
    /** The id of the API key it came with. */
    clientId: string;
  }
  interface FastifyContextConfig {
    /** What the caller's key must allow, all of it. */
    scope?: Scope | readonly Scope[];
  }
}

/**
 * Guards all routes of an instance: each must name its scope. Without keys everybody is
 * `anonymous` and may do everything, but only by a name of this machine, so that no web page can
 * reach the server under a name of its own.
 */
export function guard(app: FastifyInstance, apiKeys: readonly ApiKey[]): void {
  app.addHook('onRoute', ({ url, config }) => {
    if (!config?.scope) throw new Error(`the route ${url} does not name its scope`);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (apiKeys.length === 0) refuseForeignName(request);
    else authenticate(request, apiKeys);
    done();
  });
}

function authenticate(request: FastifyRequest, apiKeys: readonly ApiKey[]): void {
  const secret = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  // Every key is compared, so that the time taken does not tell which one came close.
  const matching = apiKeys.filter((key) => constantTimeEqual(key.secret, secret ?? ''));
  const [key] = secret === undefined ? [] : matching;
  if (!key) {
    throw new ApiError({
      code: 'unauthenticated',
      detail: 'Send an API key as Authorization: Bearer <key>.',
    });
  }
  request.clientId = key.id;
  const needed = [request.routeOptions.config.scope ?? []].flat();
  if (needed.length === 0 || !needed.every((scope) => key.scopes.includes(scope))) {
    const named = needed.length === 0 ? 'unknown' : needed.join(' and ');
    throw new ApiError({ code: 'forbidden', detail: `This needs the scope ${named}.` });
  }
}

function refuseForeignName({ hostname }: FastifyRequest): void {
  if (isLoopback(hostname)) return;
  throw new ApiError({
    code: 'misdirected_request',
    detail: 'Without API keys this server answers to localhost only.',
  });
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine can reach a host of this name. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(bare);
  if (version === 0) return bare.toLowerCase() === 'localhost';
  return LOOPBACK.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}
