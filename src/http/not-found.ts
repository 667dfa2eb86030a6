/** 404 and 405, told before a body is read. */
import type { FastifyInstance } from 'fastify';
import { pathOf } from './answers.js';
import { ApiError } from './problems.js';

/** To be called before the routes. */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    for (const each of [method].flat()) routes.push({ path: pathPattern(url), method: each });
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.is404) {
      done();
      return;
    }
    const path = pathOf(request.url);
    const allowed = routes.filter((route) => route.path.test(path)).map(({ method }) => method);
    throw allowed.length === 0 ? notFound() : notAllowed(request.method, [...new Set(allowed)]);
  });
}

function pathPattern(url: string): RegExp {
  const literal = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/:[^/]+/g, '[^/]+')}$`);
}

function notFound(): ApiError {
  return new ApiError({ code: 'route_not_found', detail: 'There is nothing at this address.' });
}

function notAllowed(method: string, allowed: readonly string[]): ApiError {
  return new ApiError({
    code: 'method_not_allowed',
    detail: `${method} is not taken here, but ${allowed.join(', ')}.`,
    headers: { allow: allowed.join(', ') },
  });
}
