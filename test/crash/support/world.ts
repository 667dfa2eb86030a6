import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import type { HoldfastClient } from '../../../src/client/client.js';
import { loadConfig, type Config } from '../../../src/config.js';
import { paymentWorkflowId } from '../../../src/domain/ids.js';
import type { PayconiqSandboxOptions } from '../../../src/sandbox/payconiq/options.js';
import {
  startPayconiqSandbox,
  type PayconiqSandbox,
} from '../../../src/sandbox/payconiq/sandbox.js';
import type { StoreSettings } from '../../../src/store/store.js';
import { freePort } from '../../../src/temporal/ports.js';
import { workerOptions } from '../../../src/workers/dev-stack.js';
import { connectClient, openFoundation, type Foundation } from '../../../src/workers/foundation.js';
import { createLogger } from '../../../src/workers/logger.js';
import { startServer } from '../../../src/workers/server.js';
import { temporalConnection } from '../../../src/workers/temporal-connection.js';
import { startWorker } from '../../../src/workers/worker.js';
import { merchantKeys, SIGNING_KID } from '../../providers/payconiq/merchant.js';
import '../../support/setup.js';
import { sharedWorkflowBundle, startTestDevServer } from '../../support/temporal.js';
import { apiAt, type Api } from './api.js';
import { Gates, type Gate } from './gates.js';
import { startProcess, type ChildOrders, type HoldfastProcess } from './process.js';

export const CONNECTION_ID = 'shop';

/** What outlives every crash of ours: Temporal and the provider. */
export interface World {
  readonly sandbox: PayconiqSandbox;
  /**
   * A place for one set of Holdfast's processes: a task queue, a port, a store; with the task queue
   * of another stage it is one more server of that one.
   */
  openStage(store: StoreSettings, of?: Pick<Stage, 'taskQueue'>): Promise<Stage>;
  /** Ends everything that was started in it. */
  close(): Promise<void>;
}

export interface Stage {
  readonly taskQueue: string;
  readonly api: Api;
  readonly client: HoldfastClient;
  /** What Temporal says of a payment's latest run. */
  hasCompleted(paymentId: string): Promise<boolean>;
  /** In this process. */
  foundation(): Promise<Foundation>;
  serve(): Promise<void>;
  work(gates?: Gates): Promise<void>;
  /** In a process of its own. */
  spawn(
    roles: ChildOrders['roles'],
    gates?: readonly Gate[],
    options?: Pick<ChildOrders, 'maxCachedWorkflows'>,
  ): Promise<HoldfastProcess>;
  /** Lets everything held go on, then ends all processes, workers and servers of this stage. */
  close(): Promise<void>;
}

const CALLBACK_RETRY_MS = 300;
/** By default a task that died with its worker is given to another one after ten seconds. */
const QUICK_TAKEOVER = { 'history.defaultWorkflowTaskTimeout': '3s' };
const MAX_CONNECTIONS = 4;

/** With `signed`, requests are signed, as refunds and reports need. */
export async function openWorld(
  auth: 'key' | 'signed' = 'key',
  options: PayconiqSandboxOptions = {},
): Promise<World> {
  const keys = auth === 'signed' ? merchantKeys() : undefined;
  const temporal = await startTestDevServer({ dynamicConfig: QUICK_TAKEOVER });
  const { codePath: bundlePath } = await sharedWorkflowBundle();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
  const sandbox = await startPayconiqSandbox({
    voidSupport: true,
    callbackRetryIntervalMs: () => CALLBACK_RETRY_MS,
    ...(keys && { merchantKeys: keys.keySet }),
    ...options,
  });
  const stages: Stage[] = [];
  return {
    sandbox,
    async openStage(store, of) {
      const taskQueue = of?.taskQueue ?? `crash-${randomUUID()}`;
      const port = await freePort();
      const signingPem = keys?.privateKeyPem;
      const from = { sandbox, temporal, store, port, folder, taskQueue, signingPem };
      const config = await configOf(from);
      const stage = await openStage({ config, bundlePath });
      stages.push(stage);
      return stage;
    },
    async close() {
      sandbox.faults.clear();
      await Promise.all(stages.map((stage) => stage.close()));
      await sandbox.close();
      await temporal.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A configuration as a process would read it from a file, defaults and all. */
async function configOf(from: {
  readonly sandbox: PayconiqSandbox;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly store: StoreSettings;
  readonly port: number;
  readonly folder: string;
  readonly taskQueue: string;
  readonly signingPem: string | undefined;
}): Promise<Config> {
  const { sandbox, store, port, taskQueue, signingPem = '' } = from;
  const { address, namespace } = from.temporal;
  const { url: apiBaseUrl, jwksUrl, profileId, merchantId } = sandbox;
  const settings = {
    ...{ apiBaseUrl, jwksUrl, profileId, merchantId, voidSupport: true },
    ...(signingPem === ''
      ? { apiKey: { env: 'API_KEY' } }
      : { signing: { kid: SIGNING_KID, privateKeyPem: { env: 'SIGNING' } } }),
  };
  const host = '127.0.0.1';
  const file = join(from.folder, `${port}.json`);
  const written = {
    temporal: { address, namespace, taskQueue },
    store:
      store.kind === 'postgres'
        ? { kind: 'postgres', url: { env: 'STORE' }, maxConnections: MAX_CONNECTIONS }
        : store,
    http: { host, port, publicUrl: `http://${host}:${port}` },
    notificationSecret: { env: 'SECRET' },
    encryption: { keys: [{ id: 'tests', secret: { env: 'KEY' } }] },
    connections: [{ id: CONNECTION_ID, provider: 'payconiq', settings }],
    timing: 'fast',
    logLevel: 'silent',
  };
  await writeFile(file, JSON.stringify(written));
  const STORE = store.kind === 'postgres' ? store.url : '';
  return loadConfig({
    file,
    environment: {
      API_KEY: sandbox.apiKey,
      SIGNING: signingPem,
      SECRET: 'a secret of the tests',
      KEY: Buffer.alloc(32, 'key').toString('base64'),
      STORE,
    },
  });
}

async function openStage({
  config,
  bundlePath,
}: {
  readonly config: Config;
  readonly bundlePath: string;
}): Promise<Stage> {
  const { client, connection } = await connectClient({
    temporal: temporalConnection(config),
    config,
  });
  const temporal = new Client({ connection, namespace: config.temporal.namespace });
  const processes: HoldfastProcess[] = [];
  const running: { stop(): Promise<void> }[] = [];
  const gatesHere: Gates[] = [];
  let opened: Promise<Foundation> | undefined;
  let closing: Promise<void> | undefined;
  const foundation = (): Promise<Foundation> => (opened ??= openFoundation(config));

  return {
    taskQueue: config.temporal.taskQueue,
    api: apiAt(config.http.publicUrl ?? ''),
    client,
    foundation,
    async hasCompleted(paymentId) {
      const handle = temporal.workflow.getHandle(paymentWorkflowId(paymentId));
      return (await handle.describe()).status.name === 'COMPLETED';
    },
    async serve() {
      running.push(await startServer(await foundation(), createLogger('silent')));
    },
    async work(gates = new Gates()) {
      gatesHere.push(gates);
      running.push(
        await startWorker({
          ...workerOptions(await foundation()),
          workflowBundlePath: bundlePath,
          overrides: gates.overrides,
        }),
      );
    },
    async spawn(roles, gates = [], options = {}) {
      const child = await startProcess({ config, roles, gates, bundlePath, ...options });
      processes.push(child);
      return child;
    },
    close: () => (closing ??= close()),
  };

  async function close(): Promise<void> {
    gatesHere.forEach((gates) => gates.letOn());
    await Promise.all(processes.map((child) => child.kill()));
    for (const part of running.reverse()) await part.stop();
    await (await opened)?.close();
    await connection.close();
  }
}
