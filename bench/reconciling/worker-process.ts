/** A worker in a process of its own, so that its memory is nobody else's. Told what by its parent. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { openConnections, type ConnectionSettings } from '../../src/providers/connections.js';
import { TIMING } from '../../src/domain/timing.js';
import { openStore } from '../../src/store/store.js';
import { startWorker } from '../../src/workers/worker.js';

export interface WorkerOrder {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly storeUrl: string;
  readonly connections: readonly ConnectionSettings[];
  readonly workflowBundlePath: string;
}

/** At the end, in bytes. */
export interface WorkerReport {
  readonly peakMemoryBytes: number;
}

process.once('message', (order: WorkerOrder) => void work(order));

async function work(order: WorkerOrder): Promise<void> {
  const { address, namespace, taskQueue, storeUrl, workflowBundlePath } = order;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connections = openConnections({
    connections: order.connections,
    timing: TIMING.production,
    now: Date.now,
    notificationSecret: 'bench',
  });
  const store = await openStore({ kind: 'postgres', url: storeUrl });
  const worker = await startWorker({
    ...{ temporal: { address }, namespace, taskQueue, connections, store, workflowBundlePath },
    timing: 'production',
  });
  process.send?.('ready');
  process.once('message', () => void stop());

  async function stop(): Promise<void> {
    await worker.stop();
    await connections.close();
    await store.close();
    const report: WorkerReport = { peakMemoryBytes: process.resourceUsage().maxRSS * 1_024 };
    process.send?.(report);
    process.disconnect();
  }
}
