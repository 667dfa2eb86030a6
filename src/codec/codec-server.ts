/**
 * Temporal's codec protocol over HTTP, so that the Temporal UI and CLI show what is encrypted.
 *
 * @see https://docs.temporal.io/codec-server
 */
import type { AddressInfo } from 'node:net';
import type { PayloadCodec } from '@temporalio/common';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { isLoopback } from '../http/access.js';
import { errorAnswer, sendAnswer } from '../http/answers.js';
import { refuseUnknownRoutes } from '../http/not-found.js';
import { ApiError, refusedFields } from '../http/problems.js';
import { constantTimeEqual } from '../transport/digest.js';
import type { KeyRing } from '../transport/keyring.js';
import { SealError } from '../transport/seal.js';
import { encryptionCodec } from './payload-codec.js';
import { readPayloads, writePayloads } from './payload-json.js';

export interface CodecRoutesOptions {
  readonly ring: KeyRing;
  /** Any one of them is demanded as `Authorization: Bearer`. None: open, for this machine alone. */
  readonly tokens: readonly string[];
  /** Where the Temporal UI is served: `https://temporal.example.com`, exactly as browsers send it. */
  readonly origins: readonly string[];
  /** Before `/decode` and `/encode`, e.g. `/codec`. */
  readonly prefix?: string;
}

export interface CodecServerOptions extends Omit<CodecRoutesOptions, 'prefix'> {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly logger?: FastifyBaseLogger;
}

export interface CodecServer {
  /** What the UI and the CLI's `--codec-endpoint` are given. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Settings that would leave the codec server open, or useless. No message holds a token. */
export class CodecServerError extends Error {
  override readonly name = 'CodecServerError';
}

/** Holds the largest set of payloads that Temporal takes at once (4 MiB), in base64. */
const BODY_LIMIT = 8 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
const CONNECTION_TIMEOUT_MS = 60_000;
const PREFLIGHT_MAX_AGE_S = 600;
const MIN_TOKEN_LENGTH = 16;
/** What the UI sends. */
const ALLOWED_HEADERS = 'Authorization, Authorization-Extras, Content-Type, X-Namespace';

/**
 * Adds `POST /decode` and `POST /encode` to a server, with rules of their own for access and CORS.
 * Errors are left to that server's error handler, as ApiError.
 *
 * @throws CodecServerError when a token is too short, or an origin is none
 */
export function codecRoutes(app: FastifyInstance, options: CodecRoutesOptions): void {
  checkTokens(options.tokens);
  checkOrigins(options.origins);
  const codec = encryptionCodec(options.ring, { allowPlain: true });
  const routes = (scope: FastifyInstance): void => {
    scope.addHook('onRequest', (request, reply, done) => {
      allowOrigin(request, reply, options.origins);
      if (request.method !== 'OPTIONS') authorize(request, options.tokens);
      done();
    });
    for (const operation of ['decode', 'encode'] as const) {
      scope.options(`/${operation}`, answerPreflight);
      scope.post(`/${operation}`, { bodyLimit: BODY_LIMIT }, ({ body }) =>
        convert(codec[operation], body),
      );
    }
  };
  void app.register(
    (scope, _options, done) => {
      routes(scope);
      done();
    },
    { prefix: options.prefix ?? '' },
  );
}

/**
 * A server of its own for the codec.
 *
 * @throws CodecServerError also when it has no tokens and others than this machine could reach it
 */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const { host, port, tokens } = options;
  if (tokens.length === 0 && !isLoopback(host)) {
    throw new CodecServerError(
      `refusing to decode without tokens on ${host}, where others can reach it`,
    );
  }
  const app = instance(options.logger);
  codecRoutes(app, options);
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw error;
  }
  return { url: urlOf(app.server.address() as AddressInfo), stop: () => app.close() };
}

function instance(logger: FastifyBaseLogger | undefined): FastifyInstance {
  const app = fastify({
    ...(logger && { loggerInstance: logger }),
    // Addresses and headers of requests are not for the log.
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    return503OnClosing: false,
  });
  refuseUnknownRoutes(app);
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler((error, request, reply) => sendAnswer(reply, errorAnswer(error, request)));
  app.addHook('onSend', (_request, reply, payload, done) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    done(null, payload);
  });
  return app;
}

async function convert(work: PayloadCodec['decode'], body: unknown): Promise<unknown> {
  try {
    return writePayloads(await work(readPayloads(body)));
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw refusedFields([{ field: 'payloads', rule: `cannot be decoded: ${error.message}` }]);
  }
}

function allowOrigin(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  origins: readonly string[],
): void {
  void reply.header('vary', 'Origin');
  const { origin } = headers;
  if (origin === undefined || !origins.includes(origin)) return;
  void reply
    .header('access-control-allow-origin', origin)
    .header('access-control-allow-credentials', 'true');
}

/** Without an allowed origin this allows nothing: the origin's own header is missing then. */
function answerPreflight(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .header('access-control-allow-methods', 'POST')
    .header('access-control-allow-headers', ALLOWED_HEADERS)
    .header('access-control-max-age', String(PREFLIGHT_MAX_AGE_S))
    .send();
}

function authorize(request: FastifyRequest, tokens: readonly string[]): void {
  if (tokens.length === 0) {
    refuseOtherMachines(request);
    return;
  }
  const sent = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Every token is compared, so that the time taken does not tell which one came close.
  if (tokens.filter((token) => constantTimeEqual(token, sent)).length > 0) return;
  throw new ApiError({
    code: 'unauthenticated',
    detail: 'Send a codec token as Authorization: Bearer <token>.',
  });
}

/** The name is looked at too: a web page may have made its own name point to this machine. */
function refuseOtherMachines({ hostname, socket }: FastifyRequest): void {
  const isFromHere = isLoopback((socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
  if (isFromHere && isLoopback(hostname)) return;
  throw new ApiError({
    code: 'misdirected_request',
    detail: 'Without codec tokens this server answers to localhost only.',
  });
}

function checkTokens(tokens: readonly string[]): void {
  const index = tokens.findIndex((token) => !/^[\x21-\x7e]+$/.test(token));
  if (index >= 0) throw new CodecServerError(`tokens.${index} must be visible ASCII text`);
  const short = tokens.findIndex((token) => token.length < MIN_TOKEN_LENGTH);
  if (short < 0) return;
  throw new CodecServerError(`tokens.${short} must have ${MIN_TOKEN_LENGTH} characters or more`);
}

function checkOrigins(origins: readonly string[]): void {
  const wrong = origins.find(
    (origin) => !URL.canParse(origin) || new URL(origin).origin !== origin,
  );
  if (wrong === undefined) return;
  throw new CodecServerError(`"${wrong}" is no origin: write scheme, host and port alone`);
}

function urlOf({ address, port, family }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
