/** The long-running commands: start, then run until told to stop. */
import pc from 'picocolors';
import type { Config } from '../config.js';
import { startDevStack, workerOptions } from '../workers/dev-stack.js';
import { openFoundation } from '../workers/foundation.js';
import { isWorkerPolling } from '../workers/health.js';
import { createLogger, installTemporalLogger } from '../workers/logger.js';
import { startServer } from '../workers/server.js';
import { prepareSchedules, prepareStore, prepareTemporal } from '../workers/setup.js';
import { temporalConnection } from '../workers/temporal-connection.js';
import { startWorker } from '../workers/worker.js';

const STATE_DIRECTORY = '.holdfast';
/** Fixed, so that addresses given out before a restart go on working. */
const DEV_PORTS = {
  temporal: 7233,
  temporalUi: 8233,
  codec: 8234,
  terminal: 8081,
  online: 8082,
} as const;

export async function runDev(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  installTemporalLogger(logger);
  const stack = await startDevStack({
    config,
    logger,
    stateDirectory: STATE_DIRECTORY,
    sandboxPorts: { terminal: DEV_PORTS.terminal, online: DEV_PORTS.online },
    temporalPort: DEV_PORTS.temporal,
    temporalUiPort: DEV_PORTS.temporalUi,
    codecPort: DEV_PORTS.codec,
    onProgress: say,
  });
  say(pc.green('Holdfast is up. Ctrl-C stops it.'));
  await untilTold();
  await stack.stop();
}

export async function runWorker(config: Config): Promise<void> {
  installTemporalLogger(createLogger(config.logLevel));
  const foundation = await openFoundation(config);
  const worker = await startWorker(workerOptions(foundation));
  say(`worker on task queue ${config.temporal.taskQueue}`);
  await Promise.race([untilTold(), worker.stopped]);
  await worker.stop();
  await foundation.close();
}

export async function runServer(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  const foundation = await openFoundation(config);
  const server = await startServer(foundation, logger);
  say(`API on ${server.url}`);
  await untilTold();
  await server.stop();
  await foundation.close();
}

export async function runSetup(config: Config): Promise<void> {
  const foundation = await openFoundation(config);
  try {
    await prepareStore(foundation.store);
    say('store: tables are up to date');
    await prepareTemporal(foundation.temporal, config.temporal.namespace);
    say('Temporal: namespace and search attributes are registered');
    await prepareSchedules(foundation);
    say('Temporal: a sweep of each connection is scheduled');
  } finally {
    await foundation.close();
  }
}

/** @throws Error when no worker of this machine is at work */
export async function runHealth(config: Config): Promise<void> {
  const { taskQueue } = config.temporal;
  if (!(await isWorkerPolling(temporalConnection(config), config.temporal))) {
    throw new Error(`no worker of this machine asks for work on task queue ${taskQueue}`);
  }
  say(`a worker of this machine asks for work on task queue ${taskQueue}`);
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    let isTold = false;
    const hear = (): void => {
      if (isTold) process.exit(1);
      isTold = true;
      resolve();
    };
    process.on('SIGINT', hear);
    process.on('SIGTERM', hear);
  });
}

export function say(message: string): void {
  process.stdout.write(`${message}\n`);
}
