/** Whether a worker does its work, as Temporal sees it: workers have no port of their own. */
import { hostname } from 'node:os';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { connectTemporal } from '../client/connection.js';
import type { TemporalConnection } from './temporal-connection.js';

/** A worker asks for work again at least once a minute. */
const ASKED_WITHIN_MS = 120_000;
const ANSWER_WITHIN_MS = 10_000;
/** temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW */
const WORKFLOW_TASKS = 1;

/**
 * Whether a worker of this machine (in a container: of this container) asks for work.
 *
 * @throws Error when Temporal does not answer within 10 s
 */
export async function isWorkerPolling(
  temporal: TemporalConnection,
  { namespace, taskQueue }: { readonly namespace: string; readonly taskQueue: string },
): Promise<boolean> {
  const connection = await connectTemporal(temporal);
  try {
    const { pollers } = await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: WORKFLOW_TASKS,
      }),
    );
    const earliestMs = Date.now() - ASKED_WITHIN_MS;
    return pollers.some(
      ({ identity, lastAccessTime }) =>
        identity?.endsWith(`@${hostname()}`) === true && tsToMs(lastAccessTime) >= earliestMs,
    );
  } finally {
    await connection.close();
  }
}
