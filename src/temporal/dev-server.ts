import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { startChild, type ServerChild } from './child.js';
import { freePort, isListening } from './ports.js';

/** Kinds of search attributes, as the Temporal CLI spells them. */
export type SearchAttributeKind =
  'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface DevServerOptions {
  /** The `temporal` program. */
  readonly executable: string;
  /** The gRPC port on 127.0.0.1; a free one by default. */
  readonly port?: number | undefined;
  readonly uiPort?: number | undefined;
  /** Where the server keeps its state; in memory by default. */
  readonly dbFilename?: string | undefined;
  /** Made at the start, beside `default`. */
  readonly namespace: string;
  readonly searchAttributes: Readonly<Record<string, SearchAttributeKind>>;
  /** Without the UI. */
  readonly headless?: boolean | undefined;
  /** Where the UI finds a codec server that decrypts what it shows. */
  readonly codecEndpoint?: string | undefined;
  /** Gets what the server prints; appended to. */
  readonly logFile: string;
  /** Server settings by their Temporal names, values as JSON. */
  readonly dynamicConfig?: Readonly<Record<string, unknown>> | undefined;
  readonly startTimeoutMs?: number | undefined;
}

export interface DevServer {
  /** `host:port` for gRPC. */
  readonly address: string;
  /** Undefined where the server runs headless. */
  readonly uiUrl: string | undefined;
  readonly namespace: string;
  readonly pid: number;
  /** Settles when the server is gone, with the reason in words. */
  readonly exited: Promise<string>;
  /** Graceful, then by SIGKILL; returns when the server is gone. */
  stop(): Promise<void>;
}

const DEFAULT_START_TIMEOUT_MS = 30_000;
const MAX_STARTS = 5;
const POLL_MS = 25;
const LOG_TAIL_LINES = 5;

interface Ports {
  readonly grpc: number;
  readonly ui: number | undefined;
}

/**
 * Starts `temporal server start-dev` on 127.0.0.1 and waits until it answers for its namespace.
 * A free port that somebody else takes first is replaced by another one; a given port is not.
 *
 * @throws Error with the end of the server's log where it ends early or never answers.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  for (let start = 1; ; start += 1) {
    const ports = await choosePorts(options);
    const log = await logSince(options.logFile);
    const child = await launch(options, ports);
    try {
      await untilReady(child, { options, ports });
      return runningServer(child, { options, ports });
    } catch (error) {
      await child.stop();
      const printed = await log.read();
      if (start < MAX_STARTS && mayChooseOthers(options) && isPortTaken(printed)) continue;
      throw startFailure(error, printed);
    }
  }
}

async function choosePorts(options: DevServerOptions): Promise<Ports> {
  const grpc = options.port ?? (await freePort());
  if (options.headless === true) return { grpc, ui: undefined };
  let ui = options.uiPort ?? (await freePort());
  while (ui === grpc) ui = await freePort();
  return { grpc, ui };
}

async function launch(options: DevServerOptions, ports: Ports): Promise<ServerChild> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, 'a');
  try {
    return await startChild([options.executable, ...startArguments(options, ports)], {
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
}

function startArguments(options: DevServerOptions, ports: Ports): string[] {
  const { dbFilename, namespace, searchAttributes, dynamicConfig = {} } = options;
  const codec = options.codecEndpoint ? ['--ui-codec-endpoint', options.codecEndpoint] : [];
  const ui = ports.ui === undefined ? ['--headless'] : ['--ui-port', String(ports.ui), ...codec];
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.grpc), ...ui],
    ...['--namespace', namespace, '--log-level', 'warn'],
    ...(dbFilename === undefined ? [] : ['--db-filename', dbFilename]),
    ...Object.entries(searchAttributes).flatMap(([name, kind]) => [
      '--search-attribute',
      `${name}=${kind}`,
    ]),
    ...Object.entries(dynamicConfig).flatMap(([name, value]) => [
      '--dynamic-config-value',
      `${name}=${JSON.stringify(value)}`,
    ]),
  ];
}

async function untilReady(
  child: ServerChild,
  { options, ports }: { options: DevServerOptions; ports: Ports },
): Promise<void> {
  const endedEarly = child.exited.then((reason) => {
    throw new Error(`it ended early: ${reason}`);
  });
  const timeoutMs = options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS;
  const deadline = Date.now() + timeoutMs;
  const giveUp = new AbortController();
  const { namespace } = options;
  try {
    // A server of somebody else's may answer on the port while ours is failing to take it.
    await Promise.race([
      endedEarly,
      untilAnswering(ports, { namespace, deadline, signal: giveUp.signal }),
    ]);
    if (child.hasExited()) await endedEarly;
  } catch (error) {
    throw Date.now() < deadline ? error : new Error(`no answer within ${String(timeoutMs)} ms`);
  } finally {
    giveUp.abort();
  }
}

interface Patience {
  readonly namespace: string;
  /** In milliseconds since the epoch. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

async function untilAnswering(ports: Ports, patience: Patience): Promise<void> {
  while (!(await isAnswering(ports, patience))) {
    if (Date.now() > patience.deadline) throw new Error('no answer');
    await delay(POLL_MS, undefined, { signal: patience.signal });
  }
}

async function isAnswering(ports: Ports, patience: Patience): Promise<boolean> {
  // Looked at first, as a refused gRPC connection backs off for a second.
  if (!(await isListening(ports.grpc))) return false;
  if (ports.ui !== undefined && !(await isListening(ports.ui))) return false;
  return knowsNamespace(addressOf(ports), patience);
}

async function knowsNamespace(
  address: string,
  { namespace, deadline, signal }: Patience,
): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    const ask = () => connection.workflowService.describeNamespace({ namespace });
    await connection.withDeadline(deadline, () => connection.withAbortSignal(signal, ask));
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

function runningServer(
  child: ServerChild,
  { options, ports }: { options: DevServerOptions; ports: Ports },
): DevServer {
  return {
    address: addressOf(ports),
    uiUrl: ports.ui === undefined ? undefined : `http://127.0.0.1:${String(ports.ui)}`,
    namespace: options.namespace,
    pid: child.pid,
    exited: child.exited,
    stop: () => child.stop(),
  };
}

function addressOf({ grpc }: Ports): string {
  return `127.0.0.1:${String(grpc)}`;
}

function mayChooseOthers({ port, uiPort, headless }: DevServerOptions): boolean {
  return port === undefined || (uiPort === undefined && headless !== true);
}

function isPortTaken(printed: string): boolean {
  return printed.includes('address already in use');
}

/** The log is appended to; what this start printed begins where the file ends now. */
async function logSince(path: string): Promise<{ read(): Promise<string> }> {
  const start = (await contentOf(path)).length;
  return { read: async () => (await contentOf(path)).subarray(start).toString('utf8') };
}

async function contentOf(path: string): Promise<Buffer> {
  return readFile(path).catch(() => Buffer.alloc(0));
}

function startFailure(cause: unknown, printed: string): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const tail = printed.trim().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  return new Error(`Temporal's dev server did not start: ${reason}\n${tail}`, { cause });
}
