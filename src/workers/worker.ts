/** The composition of a worker process: activities over connections and store, and the workflows. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { paymentActivities } from '../activities/payments.js';
import { reconciliationActivities } from '../activities/reconciliations.js';
import { refundActivities } from '../activities/refunds.js';
import { reportedFactActivities } from '../activities/reported-facts.js';
import { sweepActivities } from '../activities/sweeps.js';
import { TIMING, type TimingProfile } from '../domain/timing.js';
import type { Connections } from '../providers/connections.js';
import type { Store } from '../store/store.js';
import type { TemporalConnection } from './temporal-connection.js';

export interface PaymentWorkerOptions {
  readonly temporal: TemporalConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly connections: Connections;
  readonly store: Store;
  readonly timing: TimingProfile;
  readonly now?: () => number;
  /** A prebuilt bundle of the workflows; by default the one that was built with this program. */
  readonly workflowBundlePath?: string;
  /** How payloads are encrypted; the same for everyone who talks to these workflows. */
  readonly dataConverter?: DataConverter;
  /** Passed on to the SDK: interceptors, cache size and the like. */
  readonly overrides?: Partial<WorkerOptions>;
}

export interface RunningWorker {
  /** Settles when the worker has stopped; rejects when it failed. */
  readonly stopped: Promise<void>;
  /** Lets running sends end, then stops. */
  stop(): Promise<void>;
}

const MAX_CACHED_WORKFLOWS = 500;

export async function startWorker(options: PaymentWorkerOptions): Promise<RunningWorker> {
  const { connections, store, timing: profile, now = Date.now } = options;
  const timing = TIMING[profile];
  const connection = await NativeConnection.connect(options.temporal);
  const longestSendMs = 2 * (timing.providerTimeoutMs + timing.activityMarginMs);
  const worker = await Worker.create({
    connection,
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    activities: {
      ...paymentActivities({ connections, store, timing, now }),
      ...refundActivities({ connections, store, timing, now }),
      ...sweepActivities({ connections, store, timing, now }),
      ...reconciliationActivities({ connections, store, timing, now }),
      ...reportedFactActivities({ store, timing, now }),
    },
    ...workflowsOf(options.workflowBundlePath),
    ...(options.dataConverter && { dataConverter: options.dataConverter }),
    maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
    // A send must never be cut off by our own shutdown: its outcome would be unknown.
    shutdownGraceTime: longestSendMs + timing.activityMarginMs,
    shutdownForceTime: 2 * longestSendMs,
    ...options.overrides,
  });
  const stopped = worker.run().finally(() => connection.close());
  stopped.catch(() => undefined);
  return {
    stopped,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await stopped;
    },
  };
}

/** Built with the program, so that a worker is up in a moment; from source where it was not. */
function workflowsOf(
  bundlePath: string | undefined,
): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  const codePath = bundlePath ?? (existsSync(built) ? built : undefined);
  const source = `../workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;
  return codePath === undefined
    ? { workflowsPath: fileURLToPath(new URL(source, import.meta.url)) }
    : { workflowBundle: { codePath } };
}
