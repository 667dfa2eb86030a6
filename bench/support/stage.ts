import { randomUUID } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import { HoldfastClient, type OpenRequest } from '../../src/client/client.js';
import { paymentWorkflowId } from '../../src/domain/ids.js';
import type { Payment } from '../../src/domain/payment.js';
import { TIMING, type TimingProfile } from '../../src/domain/timing.js';
import { openConnections } from '../../src/providers/connections.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import type { SandboxPayment } from '../../src/sandbox/payconiq/payment.js';
import type { Store } from '../../src/store/store.js';
import { startWorker } from '../../src/workers/worker.js';
import { fetchCost, type Cost } from '../cost/count.js';
import { countAttempts, type Attempts } from './attempts.js';
import { startNotificationDoor } from './notification-door.js';

/** Everything a payment needs, really running, on a Temporal server that is given. */
export interface Stage {
  readonly client: HoldfastClient;
  readonly sandbox: PayconiqSandbox;
  readonly attempts: Attempts;
  /** Opens a payment; it waits for its payer when this resolves. */
  open(changes?: Partial<OpenRequest>): Promise<OpenedPayment>;
  close(): Promise<void>;
}

export interface OpenedPayment {
  readonly paymentId: string;
  readonly workflowId: string;
  /** As the provider knows it. */
  readonly atProvider: SandboxPayment;
  /** Resolves with the payment once its workflow has ended. */
  ended(): Promise<Payment>;
  /** Of the ended workflow. */
  cost(): Promise<PaymentCost>;
}

export interface PaymentCost extends Cost {
  /** Attempts at activities beyond the first of each. Billed, but no events. */
  readonly retriedAttempts: number;
}

/** Temporal as the bench reaches it; workers make a connection of their own. */
export interface BenchServer {
  readonly address: string;
  readonly namespace: string;
  readonly connection: Connection;
}

export interface StageOptions {
  readonly server: BenchServer;
  readonly workflowBundlePath: string;
  readonly store: Store;
  readonly timing: TimingProfile;
}

export const CONNECTION_ID = 'shop';

let opened = 0;

export async function openStage(options: StageOptions): Promise<Stage> {
  const { server, store, timing } = options;
  const clock = serverClock();
  const attempts = countAttempts((info) => clock.reach(info.currentAttemptScheduledTimestampMs));
  const sandbox = await startPayconiqSandbox({ voidSupport: true });
  const door = await startNotificationDoor();
  const connections = openConnections({
    connections: [{ id: CONNECTION_ID, provider: 'payconiq', settings: settingsFor(sandbox) }],
    timing: TIMING[timing],
    now: clock.now,
    publicUrl: door.url,
    notificationSecret: 'bench',
  });
  const taskQueue = `bench-${randomUUID()}`;
  const { address, namespace, connection } = server;
  const client = new HoldfastClient({ connection, namespace, taskQueue, timing });
  door.open({ connections, client });
  const worker = await startWorker({
    ...{ temporal: { address }, namespace, taskQueue, connections, store, timing, now: clock.now },
    workflowBundlePath: options.workflowBundlePath,
    overrides: { interceptors: attempts.interceptors },
  });
  const temporal = new Client({ connection, namespace });

  return {
    client,
    sandbox,
    attempts,
    open: (changes = {}) => open({ client, sandbox, attempts, temporal }, changes),
    async close() {
      await worker.stop();
      await door.close();
      await connections.close();
      await sandbox.close();
    },
  };
}

async function open(
  stage: Pick<Stage, 'client' | 'sandbox' | 'attempts'> & { readonly temporal: Client },
  changes: Partial<OpenRequest>,
): Promise<OpenedPayment> {
  const { client, sandbox, attempts, temporal } = stage;
  const paymentId = randomUUID();
  const merchantReference = `bench-${(opened += 1)}`;
  const answer = await client.open({
    ...{ paymentId, connectionId: CONNECTION_ID, merchantReference },
    amount: { minor: '1250', currency: 'EUR' },
    ...changes,
  });
  const [atProvider] = sandbox.payments({ reference: merchantReference });
  if (answer.kind !== 'answered' || atProvider === undefined) {
    throw new Error(`payment ${paymentId} was not opened: ${JSON.stringify(answer)}`);
  }
  const workflowId = paymentWorkflowId(paymentId);
  return {
    paymentId,
    workflowId,
    atProvider,
    ended: () => temporal.workflow.getHandle(workflowId).result() as Promise<Payment>,
    cost: async () => ({
      ...(await fetchCost(temporal, workflowId)),
      retriedAttempts: attempts.retried(workflowId),
    }),
  };
}

function settingsFor(sandbox: PayconiqSandbox): Record<string, unknown> {
  const { url: apiBaseUrl, jwksUrl, profileId, merchantId, apiKey } = sandbox;
  return { apiBaseUrl, jwksUrl, profileId, merchantId, apiKey, voidSupport: true };
}

/** Of a server whose time may run ahead of ours: as far on as the newest of its tasks. */
function serverClock(): { now(): number; reach(serverTimeMs: number): void } {
  let aheadMs = 0;
  return {
    now: () => Date.now() + aheadMs,
    reach: (serverTimeMs) => void (aheadMs = Math.max(aheadMs, serverTimeMs - Date.now())),
  };
}
