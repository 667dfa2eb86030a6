import { randomUUID } from 'node:crypto';
import { Client, type Connection, type WorkflowHandle } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { HoldfastClient, type OpenRequest } from '../../src/client/client.js';
import { connectTemporal } from '../../src/client/connection.js';
import { paymentWorkflowId } from '../../src/domain/ids.js';
import type { Payment, PaymentRequest } from '../../src/domain/payment.js';
import { TIMING, type TimingProfile } from '../../src/domain/timing.js';
import { openConnections, type Connections } from '../../src/providers/connections.js';
import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import type { SandboxPayment } from '../../src/sandbox/payconiq/payment.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import { openStore, type Store } from '../../src/store/store.js';
import { startWorker, type RunningWorker } from '../../src/workers/worker.js';
import { merchantKeys, SIGNING_KID } from '../providers/payconiq/merchant.js';
import { openDoor, type Door } from './door.js';
import './setup.js';
import { sharedTemporal, sharedWorkflowBundle } from './temporal.js';

/** Everything a payment needs, really running: Temporal, worker, store, client, provider. */
export interface Harness {
  readonly client: HoldfastClient;
  readonly connections: Connections;
  readonly sandbox: PayconiqSandbox;
  readonly store: Store;
  readonly taskQueue: string;
  readonly temporal: Connection;
  /** Temporal's own client, for what ours does not do. */
  readonly temporalClient: Client;
  /** A request that is fine, with a fresh id and reference. */
  request(changes?: Partial<OpenRequest>): OpenRequest;
  /** The same as workflows get it, where the client is passed by. */
  fullRequest(changes?: Partial<PaymentRequest>): PaymentRequest;
  /** Opens a payment that the provider creates, and answers with what the provider has of it. */
  open(changes?: Partial<OpenRequest>): Promise<OpenedPayment>;
  /** The workflow of a payment, its latest run. */
  handle(paymentId: string): WorkflowHandle;
  /** The payment as soon as it is as wanted; rejects with the payment as it is after `timeoutMs`. */
  until(
    paymentId: string,
    isWanted: (payment: Payment) => boolean,
    timeoutMs?: number,
  ): Promise<Payment>;
  /** The payment when its workflow has ended, by the workflow's own result. */
  ended(paymentId: string): Promise<Payment>;
  startWorker(overrides?: Partial<WorkerOptions>): Promise<RunningWorker>;
  stopWorker(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedPayment {
  readonly request: OpenRequest;
  readonly paymentId: string;
  /** The provider's payment as it was created; its `paymentId` is the provider's. */
  readonly created: SandboxPayment;
}

export interface HarnessOptions {
  readonly sandbox?: PayconiqSandboxOptions;
  readonly settings?: Record<string, unknown>;
  /** Requests are signed, as refunds and reports need. */
  readonly signed?: boolean;
  readonly publicUrl?: string;
  /** With a notification door of its own, unless a `publicUrl` is given. */
  readonly notifications?: boolean;
  readonly worker?: Partial<WorkerOptions>;
  /** By default the dev server that all test files share. */
  readonly temporal?: { readonly address: string; readonly namespace: string };
  /** By default `fast`. */
  readonly timing?: TimingProfile;
  readonly now?: () => number;
  /** The caller's own, left open at the end; by default an empty one. */
  readonly store?: Store;
  /** Stands between the worker and the store. */
  readonly workerStore?: (store: Store) => Store;
}

export const CONNECTION_ID = 'shop';

const UNTIL_TIMEOUT_MS = 15_000;
const UNTIL_PAUSE_MS = 40;

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { timing = 'fast', now = Date.now } = options;
  const { address, namespace } = options.temporal ?? (await sharedTemporal());
  const { codePath } = await sharedWorkflowBundle();
  const keys = options.signed === true ? merchantKeys() : undefined;
  const sandbox = await startPayconiqSandbox({
    voidSupport: true,
    ...(keys && { merchantKeys: keys.keySet }),
    ...options.sandbox,
  });
  const store = options.store ?? (await openEmptyStore());
  const door = options.notifications === true ? await openDoor() : undefined;
  const publicUrl = options.publicUrl ?? door?.url;
  const connections = openConnections({
    connections: [
      {
        id: CONNECTION_ID,
        provider: 'payconiq',
        settings: connectionSettings(sandbox, {
          ...(keys && { signing: { kid: SIGNING_KID, privateKeyPem: keys.privateKeyPem } }),
          ...options.settings,
        }),
      },
    ],
    timing: TIMING[timing],
    now,
    notificationSecret: 'test',
    ...(publicUrl !== undefined && { publicUrl }),
  });
  const taskQueue = `test-${randomUUID()}`;
  const temporal = await connectTemporal({ address });
  const client = new HoldfastClient({ connection: temporal, namespace, taskQueue, timing });
  const temporalClient = new Client({ connection: temporal, namespace });
  door?.serve({ connections, client, store });
  let worker: RunningWorker | undefined;
  const tools = paymentTools({ client, sandbox, temporalClient });

  return {
    client,
    connections,
    sandbox,
    store,
    taskQueue,
    temporal,
    temporalClient,
    ...tools,
    async startWorker(overrides) {
      worker = await startWorker({
        temporal: { address },
        namespace,
        taskQueue,
        connections,
        store: options.workerStore?.(store) ?? store,
        timing,
        now,
        workflowBundlePath: codePath,
        overrides: { ...options.worker, ...overrides },
      });
      return worker;
    },
    async stopWorker() {
      await worker?.stop();
      worker = undefined;
    },
    close: () =>
      closeAll({
        worker: { close: async () => worker?.stop() },
        door,
        temporal,
        connections,
        ...(!options.store && { store }),
        sandbox,
      }),
  };
}

/** An embedded store takes seconds of work to open: harnesses of one test file can share one. */
export async function openEmptyStore(): Promise<Store> {
  const store = await openStore({ kind: 'embedded', directory: 'memory' });
  await store.migrate();
  return store;
}

function connectionSettings(
  sandbox: PayconiqSandbox,
  changes: Record<string, unknown> | undefined,
): Record<string, unknown> {
  return {
    apiBaseUrl: sandbox.url,
    jwksUrl: sandbox.jwksUrl,
    profileId: sandbox.profileId,
    merchantId: sandbox.merchantId,
    apiKey: sandbox.apiKey,
    voidSupport: true,
    ...changes,
  };
}

function paymentTools(parts: {
  readonly client: HoldfastClient;
  readonly sandbox: PayconiqSandbox;
  readonly temporalClient: Client;
}): Pick<Harness, 'request' | 'fullRequest' | 'open' | 'handle' | 'until' | 'ended'> {
  const { client, sandbox, temporalClient } = parts;
  const request: Harness['request'] = (changes) => ({
    paymentId: randomUUID(),
    connectionId: CONNECTION_ID,
    amount: { minor: '1250', currency: 'EUR' },
    merchantReference: randomUUID().slice(0, 35),
    ...changes,
  });
  const handle: Harness['handle'] = (paymentId) =>
    temporalClient.workflow.getHandle(paymentWorkflowId(paymentId));
  return {
    request,
    fullRequest: (changes) => ({
      captureMode: 'automatic',
      requestedAt: new Date().toISOString(),
      ...request(),
      ...changes,
    }),
    async open(changes) {
      const asked = request(changes);
      const answer = await client.open(asked);
      const created = sandbox.payments({ reference: asked.merchantReference }).at(-1);
      if (!created) throw new Error(`not created: ${JSON.stringify(answer)}`);
      return { request: asked, paymentId: asked.paymentId, created };
    },
    handle,
    async until(paymentId, isWanted, timeoutMs = UNTIL_TIMEOUT_MS) {
      const deadlineMs = Date.now() + timeoutMs;
      for (;;) {
        // A query is refused while a task of the workflow is to be done again.
        const payment = await client.get(paymentId).catch(() => undefined);
        if (payment && isWanted(payment)) return payment;
        if (Date.now() > deadlineMs) throw new Error(`still ${JSON.stringify(payment)}`);
        await new Promise((resume) => setTimeout(resume, UNTIL_PAUSE_MS));
      }
    },
    ended: (paymentId) => handle(paymentId).result() as Promise<Payment>,
  };
}

interface Parts {
  readonly worker: { close(): Promise<void> };
  readonly door: Door | undefined;
  readonly temporal: Connection;
  readonly connections: Connections;
  readonly store?: Store;
  readonly sandbox: PayconiqSandbox;
}

/** Held answers are let go first: a worker waits for its running calls. */
async function closeAll(parts: Parts): Promise<void> {
  parts.sandbox.faults.clear();
  await parts.worker.close();
  await parts.temporal.close();
  await parts.connections.close();
  await parts.store?.close();
  await parts.sandbox.close();
  await parts.door?.close();
}
