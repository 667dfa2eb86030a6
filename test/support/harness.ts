import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { HoldfastClient, type OpenRequest } from '../../src/client/client.js';
import { TIMING } from '../../src/domain/timing.js';
import { openConnections, type Connections } from '../../src/providers/connections.js';
import {
  startPayconiqSandbox,
  type PayconiqSandbox,
} from '../../src/sandbox/payconiq/sandbox.js';
import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import { openStore, type Store } from '../../src/store/store.js';
import { startWorker, type RunningWorker } from '../../src/workers/worker.js';
import { sharedTemporal, sharedWorkflowBundle } from './temporal.js';

/** Everything a payment needs, really running: Temporal, worker, store, client, provider. */
export interface Harness {
  readonly client: HoldfastClient;
  readonly connections: Connections;
  readonly sandbox: PayconiqSandbox;
  readonly store: Store;
  readonly taskQueue: string;
  readonly temporal: Connection;
  /** A request that is fine, with a fresh id and reference. */
  request(changes?: Partial<OpenRequest>): OpenRequest;
  startWorker(): Promise<RunningWorker>;
  stopWorker(): Promise<void>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly sandbox?: PayconiqSandboxOptions;
  readonly settings?: Record<string, unknown>;
  readonly publicUrl?: string;
  readonly worker?: Partial<WorkerOptions>;
}

export const CONNECTION_ID = 'shop';

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { address, namespace } = await sharedTemporal();
  const { codePath } = await sharedWorkflowBundle();
  const sandbox = await startPayconiqSandbox({ voidSupport: true, ...options.sandbox });
  const store = await openStore({ kind: 'embedded', directory: 'memory' });
  await store.migrate();
  const connections = openConnections({
    connections: [
      {
        id: CONNECTION_ID,
        provider: 'payconiq',
        settings: {
          apiBaseUrl: sandbox.url,
          jwksUrl: sandbox.jwksUrl,
          profileId: sandbox.profileId,
          merchantId: sandbox.merchantId,
          apiKey: sandbox.apiKey,
          voidSupport: true,
          ...options.settings,
        },
      },
    ],
    timing: TIMING.fast,
    now: Date.now,
    notificationSecret: 'test',
    ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
  });
  const taskQueue = `test-${randomUUID()}`;
  const temporal = await Connection.connect({ address });
  const client = new HoldfastClient({ connection: temporal, namespace, taskQueue, timing: 'fast' });
  let worker: RunningWorker | undefined;

  return {
    client,
    connections,
    sandbox,
    store,
    taskQueue,
    temporal,
    request: (changes) => ({
      paymentId: randomUUID(),
      connectionId: CONNECTION_ID,
      amount: { minor: '1250', currency: 'EUR' },
      merchantReference: randomUUID().slice(0, 35),
      ...changes,
    }),
    async startWorker() {
      worker = await startWorker({
        address,
        namespace,
        taskQueue,
        connections,
        store,
        timing: 'fast',
        workflowBundlePath: codePath,
        ...(options.worker && { overrides: options.worker }),
      });
      return worker;
    },
    async stopWorker() {
      await worker?.stop();
      worker = undefined;
    },
    async close() {
      await worker?.stop();
      await temporal.close();
      await connections.close();
      await store.close();
      await sandbox.close();
    },
  };
}
