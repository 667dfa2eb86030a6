/** What every part of the server is built on. */
import type { IncomingMessage, ServerResponse, Server } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { HoldfastClient } from '../client/client.js';
import type { Timing } from '../domain/timing.js';
import type { Connections } from '../providers/connections.js';
import type { Store } from '../store/store.js';
import type { ApiKey } from './access.js';
import type { Background } from './background.js';

export interface ServerOptions {
  readonly client: HoldfastClient;
  readonly store: Store;
  readonly connections: Connections;
  readonly timing: Timing;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** None: an open server, for this machine alone. */
  readonly apiKeys: readonly ApiKey[];
  /** Of Holdfast, as the API's document and `/health` tell it. */
  readonly version: string;
}

/** What routes get. */
export interface Context extends ServerOptions {
  readonly background: Background;
}

export type Api = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
