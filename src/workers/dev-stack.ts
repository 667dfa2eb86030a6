/**
 * All of Holdfast in one process, for trying it out: Temporal dev server with its UI, embedded
 * store, provider sandboxes, worker, API and notification door. What is configured is used instead.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomToken } from '../transport/digest.js';
import { generateKey } from '../transport/keyring.js';
import type { HoldfastClient } from '../client/client.js';
import { localUrl, type Config, type Encryption } from '../config.js';
import type { Store } from '../store/store.js';
import { startDevServer } from '../temporal/dev-server.js';
import { freePort } from '../temporal/ports.js';
import { resolveDevServer } from '../temporal/resolve.js';
import { SEARCH_ATTRIBUTES } from '../workflows/contract.js';
import { openFoundation, type Foundation } from './foundation.js';
import type { Logger } from './logger.js';
import { startSandboxes, type Sandboxes } from './sandboxes.js';
import { startServer } from './server.js';
import { prepareSchedules, prepareStore, prepareTemporal } from './setup.js';
import { startWorker } from './worker.js';

export interface DevStackOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Where Temporal's dev server keeps its state and log; in memory where undefined. */
  readonly stateDirectory?: string;
  /** Ports of the sandboxes; 0 for any. */
  readonly sandboxPorts: { readonly terminal: number; readonly online: number };
  /** Port of the Temporal UI and of Temporal itself; any free one where undefined. */
  readonly temporalUiPort?: number;
  readonly temporalPort?: number;
  readonly codecPort?: number;
  /** Without Temporal's UI. */
  readonly isHeadless?: boolean;
  /** As of `openFoundation`. */
  readonly now?: () => number;
  /** Told of each part as it is up. */
  readonly onProgress?: (message: string) => void;
}

export interface DevStack {
  readonly apiUrl: string;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string | undefined;
  readonly client: HoldfastClient;
  readonly store: Store;
  /** Undefined where connections are configured. */
  readonly sandboxes: Sandboxes | undefined;
  stop(): Promise<void>;
}

type Stop = () => Promise<void>;

/** Starts everything in order; on failure stops what was started. */
export async function startDevStack(options: DevStackOptions): Promise<DevStack> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return { ...(await startParts(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  options: DevStackOptions,
  stops: Stop[],
): Promise<Omit<DevStack, 'stop'>> {
  const { logger, onProgress = () => undefined } = options;
  const temporal = await startTemporal(options, stops);
  onProgress(`Temporal       ${temporal.address}`);
  if (temporal.uiUrl !== undefined) onProgress(`Temporal UI    ${temporal.uiUrl}`);

  const sandboxes = await startSandboxesIfNeeded(options, stops);
  const foundation = await openDevFoundation(options, { temporal, sandboxes });
  stops.push(() => foundation.close());
  reportToUs(sandboxes, foundation);
  await prepareStore(foundation.store);
  await prepareTemporal(foundation.temporal, foundation.config.temporal.namespace);
  await prepareSchedules(foundation);
  onProgress(`Store          ${describeStore(foundation.config)}`);

  const server = await startServer(foundation, logger);
  stops.push(() => server.stop());
  if (server.codecUrl !== undefined) onProgress(`Codec server   ${server.codecUrl}`);
  onProgress(`API            ${server.url}  (reference at ${server.url}/docs)`);
  if (sandboxes) {
    onProgress(`Payconiq       ${sandboxes.terminal.url}/sandbox  (terminal, void enabled)`);
    onProgress(`Payconiq       ${sandboxes.online.url}/sandbox  (online)`);
  }
  const worker = await startWorker(workerOptions(foundation));
  stops.push(() => worker.stop());
  onProgress(`Worker         task queue ${foundation.config.temporal.taskQueue}`);
  return {
    apiUrl: server.url,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    client: server.client,
    store: foundation.store,
    sandboxes,
  };
}

interface Temporal {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** Where the UI will look for the codec server. */
  readonly codecPort: number;
}

async function startTemporal(options: DevStackOptions, stops: Stop[]): Promise<Temporal> {
  const { temporal } = options.config;
  const { stateDirectory, temporalPort, temporalUiPort } = options;
  const codecPort =
    options.config.encryption?.codec?.port ?? options.codecPort ?? (await freePort());
  const resolved = await resolveDevServer(temporal);
  if (resolved.kind === 'address') {
    return { address: resolved.address, uiUrl: undefined, codecPort };
  }
  const directory = stateDirectory ?? (await temporaryDirectory(stops));
  await mkdir(directory, { recursive: true });
  const server = await startDevServer({
    executable: resolved.path,
    namespace: temporal.namespace,
    searchAttributes: Object.fromEntries(
      Object.values(SEARCH_ATTRIBUTES).map((name) => [name, 'Keyword']),
    ),
    port: temporalPort,
    uiPort: temporalUiPort,
    headless: options.isHeadless,
    codecEndpoint: `http://127.0.0.1:${codecPort}`,
    logFile: join(directory, 'temporal.log'),
    ...(stateDirectory !== undefined && { dbFilename: join(directory, 'temporal.db') }),
  });
  stops.push(() => server.stop());
  return { address: server.address, uiUrl: server.uiUrl, codecPort };
}

async function temporaryDirectory(stops: Stop[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-'));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Kept beside Temporal's state: what was given out or written before a restart must stay good. */
async function keptSecret(
  { stateDirectory }: DevStackOptions,
  name: string,
  make: () => string,
): Promise<string> {
  if (stateDirectory === undefined) return make();
  const path = join(stateDirectory, name);
  await writeFile(path, make(), { flag: 'wx', mode: 0o600 }).catch(ignoreExisting);
  return readFile(path, 'utf8');
}

/** A key of this installation's own, and the codec server that lets the UI use it. */
async function devEncryption(
  options: DevStackOptions,
  { codecPort, uiUrl }: Temporal,
): Promise<Encryption> {
  const made = await keptSecret(options, 'encryption-key', () => JSON.stringify(generateKey()));
  const { id, base64 } = JSON.parse(made) as ReturnType<typeof generateKey>;
  const port = uiUrl === undefined ? '' : new URL(uiUrl).port;
  return {
    keys: [{ id, secret: base64 }],
    allowPlain: false,
    codec: {
      host: '127.0.0.1',
      port: codecPort,
      tokens: [],
      origins: uiUrl === undefined ? [] : [`http://127.0.0.1:${port}`, `http://localhost:${port}`],
    },
  };
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function startSandboxesIfNeeded(
  { config, sandboxPorts }: DevStackOptions,
  stops: Stop[],
): Promise<Sandboxes | undefined> {
  if (config.connections.length > 0) return undefined;
  const sandboxes = await startSandboxes(sandboxPorts);
  stops.push(() => sandboxes.close());
  return sandboxes;
}

async function openDevFoundation(
  options: DevStackOptions,
  started: { readonly temporal: Temporal; readonly sandboxes: Sandboxes | undefined },
): Promise<Foundation> {
  const { config, now } = options;
  const { temporal, sandboxes } = started;
  const secret = keptSecret(options, 'notification-secret', () => randomToken(32));
  const whole = {
    ...config,
    temporal: { ...config.temporal, address: temporal.address },
    connections: sandboxes?.connections ?? config.connections,
    notificationSecret: config.notificationSecret ?? (await secret),
    encryption: config.encryption ?? (await devEncryption(options, temporal)),
    http: {
      ...config.http,
      publicUrl: config.http.publicUrl ?? localUrl(config.http),
    },
  };
  return openFoundation(whole, now);
}

/** What printed codes begin is reported to the URL that stands in the provider's profile. */
function reportToUs(sandboxes: Sandboxes | undefined, { connections }: Foundation): void {
  sandboxes?.connections.forEach(({ id }) => {
    sandboxes.sandboxOf(id).reportTo(connections.notificationUrl(id));
  });
}

/** What a worker of this foundation needs. */
export function workerOptions(foundation: Foundation) {
  const { temporal, config, connections, store, dataConverter, now } = foundation;
  const { namespace, taskQueue } = config.temporal;
  return {
    temporal,
    namespace,
    taskQueue,
    connections,
    store,
    dataConverter,
    now,
    timing: config.timing,
  };
}

function describeStore({ store }: Config): string {
  return store.kind === 'postgres'
    ? 'PostgreSQL'
    : `embedded, in ${store.directory} (for trying out only)`;
}
