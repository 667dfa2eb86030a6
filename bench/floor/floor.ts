import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import type { BenchServer } from '../support/stage.js';
import type { floor } from './workflow.js';

export interface FloorActivities {
  openFloor(id: string): Promise<string>;
  captureFloor(id: string): Promise<string>;
}

/** The bare workflow with a worker of its own, beside which a payment is measured. */
export interface Floor {
  readonly temporal: Client;
  /** One whole life; resolves with the workflow's id when it has ended. */
  run(): Promise<string>;
  close(): Promise<void>;
}

const WORKFLOW_PATH = fileURLToPath(new URL('./workflow.ts', import.meta.url));

export async function startFloor(server: BenchServer): Promise<Floor> {
  const { address, namespace } = server;
  const taskQueue = `floor-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address });
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOW_PATH,
    logger: new DefaultLogger('WARN'),
  });
  const activities: FloorActivities = {
    openFloor: (id) => Promise.resolve(id),
    captureFloor: (id) => Promise.resolve(id),
  };
  const worker = await Worker.create({
    ...{ connection, namespace, taskQueue, activities },
    workflowBundle: { code },
    maxCachedWorkflows: 500,
  });
  const stopped = worker.run().finally(() => connection.close());
  const temporal = new Client({ connection: server.connection, namespace });
  return {
    temporal,
    run: () => runFloor(temporal, taskQueue),
    async close() {
      worker.shutdown();
      await stopped;
    },
  };
}

async function runFloor({ workflow }: Client, taskQueue: string): Promise<string> {
  const workflowId = `floor/${randomUUID()}`;
  const startWorkflowOperation = new WithStartWorkflowOperation<typeof floor>('floor', {
    ...{ workflowId, taskQueue, args: [workflowId] },
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
  });
  await workflow.executeUpdateWithStart('open', { startWorkflowOperation, args: [] });
  const handle = workflow.getHandle<typeof floor>(workflowId);
  await handle.signal('notify');
  await handle.result();
  return workflowId;
}
