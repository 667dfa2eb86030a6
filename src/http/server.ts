/** The HTTP server: the API, the providers' notification door, health and documents. */
import type { Socket } from 'node:net';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { ANONYMOUS, guard, isLoopback } from './access.js';
import { errorAnswer, sendAnswer } from './answers.js';
import type { Api, Context, ServerOptions } from './api.js';
import { createBackground } from './background.js';
import { codeRoutes } from './code-routes.js';
import { connectionRoutes } from './connection-routes.js';
import { keySetRoute } from './key-set-route.js';
import { loyaltyDoor } from './loyalty-door.js';
import { loyaltyRoutes } from './loyalty-routes.js';
import { notificationDoor } from './notification-door.js';
import { notificationRoutes } from './notification-routes.js';
import { refuseUnknownRoutes } from './not-found.js';
import { documentApi, serveDocument } from './openapi.js';
import { payerRoutes } from './payer-routes.js';
import { commandRoutes } from './payment-commands.js';
import { openingRoute } from './payment-opening.js';
import { readingRoutes } from './payment-reads.js';
import { reconciliationRoutes } from './reconciliation-routes.js';
import { refundRoutes } from './refund-routes.js';
import { refundIbanRoutes } from './refund-iban.js';
import { problemBody, problemStatus, type ApiCode } from './problems.js';
import { systemRoutes } from './system-routes.js';
import { validatorCompiler } from './validation.js';

export interface HttpServer {
  /** For requests without a socket. */
  readonly app: FastifyInstance;
  /**
   * Serves from now on. Resolves with the base URL.
   *
   * @throws OpenServerError when there are no API keys and others than this machine could reach it
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
  /** Resolves when nothing is running any more that no answer waits for. */
  settled(): Promise<void>;
  /** Takes no new calls, answers those it has, and ends what it does alongside. */
  close(): Promise<void>;
}

/** A server that everybody could use must not be reachable from elsewhere. */
export class OpenServerError extends Error {
  override readonly name = 'OpenServerError';
}

const API_BODY_LIMIT = 64 * 1024;
/** A request, head and body, must have arrived within it. */
const REQUEST_TIMEOUT_MS = 15_000;
/** A connection on which nothing moves; longer than the slowest answer. */
const CONNECTION_TIMEOUT_MS = 90_000;
/** Longer than a connection's id, a payment's id or a token. */
const MAX_PARAM_LENGTH = 128;

/** Makes the server; it begins to serve with `listen`. */
export async function createServer(options: ServerOptions): Promise<HttpServer> {
  const app = instance(options.logger);
  const context: Context = { ...options, background: createBackground(app.log) };
  app.decorateRequest('clientId', ANONYMOUS);
  logAccess(app);
  refuseUnknownRoutes(app);
  answerErrors(app);
  app.addHook('onClose', () => context.background.settled());
  await documentApi(app, options.version);
  for (const open of [notificationDoor, loyaltyDoor]) {
    await app.register((door, _options, done) => {
      open(door, context);
      done();
    });
  }
  await app.register(
    (api, _options, done) => {
      registerApi(api, context);
      done();
    },
    { prefix: '/v1' },
  );
  keySetRoute(app.withTypeProvider<ZodTypeProvider>(), context);
  systemRoutes(app.withTypeProvider<ZodTypeProvider>(), context);
  await serveDocument(app);
  await app.ready();
  return {
    app,
    listen: (address) => listen(app, options, address),
    settled: () => context.background.settled(),
    close: () => app.close(),
  };
}

function instance(logger: Logger): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = logger.child({}, { serializers: SERIALIZERS });
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: API_BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    trustProxy: false,
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      void sendAnswer(reply, errorAnswer(error, request));
    },
    clientErrorHandler: refuseUnreadable,
  });
  app.setValidatorCompiler(validatorCompiler);
  // What is documented is held by tests: a shape that is out of date must not turn success into 500.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeContentTypeParser('text/plain');
  takeEmptyJson(app);
  return app;
}

/** Many clients send their JSON header with a body that is empty: then there is none. */
function takeEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length > 0) return parse(request, body.toString(), done);
    done(null, undefined);
  });
}

/** Nothing of a request goes to the log but what is named here: addresses may be secret. */
const SERIALIZERS = {
  req: ({ method }: { method?: string }) => ({ method }),
  res: ({ statusCode }: { statusCode?: number }) => ({ statusCode }),
};

function logAccess(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      client: request.clientId,
    };
    request.log.info(line, 'request');
    done();
  });
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendAnswer(reply, errorAnswer(error, request)));
  app.setNotFoundHandler(() => undefined);
  app.addHook('onSend', (_request, reply, payload, done) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    done(null, payload);
  });
}

function registerApi(app: FastifyInstance, context: Context): void {
  guard(app, context.apiKeys);
  const api: Api = app.withTypeProvider<ZodTypeProvider>();
  openingRoute(api, context);
  readingRoutes(api, context);
  refundIbanRoutes(api, context);
  commandRoutes(api, context);
  refundRoutes(api, context);
  reconciliationRoutes(api, context);
  payerRoutes(api, context);
  connectionRoutes(api, context);
  codeRoutes(api, context);
  notificationRoutes(api, context);
  loyaltyRoutes(api, context);
}

async function listen(
  app: FastifyInstance,
  { apiKeys }: ServerOptions,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  if (apiKeys.length === 0 && !isLoopback(host)) {
    throw new OpenServerError(
      `refusing to serve without API keys on ${host}, where others can reach it: ` +
        'set apiKeys, or set http.host to 127.0.0.1',
    );
  }
  return app.listen({ host, port });
}

const UNREADABLE: Readonly<Record<string, readonly [ApiCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'The header fields are larger than this server takes.',
  ],
};

/** What is no HTTP that can be read gets its answer on the bare socket. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [code, detail] = UNREADABLE[error.code ?? ''] ?? [
    'invalid_request' as const,
    'The request is not well-formed.',
  ];
  const status = problemStatus(code);
  const body = JSON.stringify(problemBody({ code, detail }));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} Refused\r\ncontent-type: application/problem+json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
