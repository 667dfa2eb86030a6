/** What Temporal starts by itself: one sweep for each connection, again and again. */
import {
  ScheduleAlreadyRunning,
  ScheduleClient,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Connection,
  type ScheduleOptions,
} from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { TIMING, type TimingProfile } from '../domain/timing.js';
import { SWEEP_WORKFLOW, sweepId, type SweepInput } from '../workflows/contract.js';

export interface SweepSchedules {
  readonly connection: Connection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly timing: TimingProfile;
  readonly dataConverter: DataConverter;
  /** The connections that can list their payments. */
  readonly connectionIds: readonly string[];
}

/** Makes the schedules as they have to be: new, changed or gone. May run at any time. */
export async function keepSweepSchedules(wanted: SweepSchedules): Promise<void> {
  const { connection, namespace, dataConverter, connectionIds } = wanted;
  const schedules = new ScheduleClient({ connection, namespace, dataConverter });
  for (const connectionId of connectionIds) {
    await createOrUpdate(schedules, sweepSchedule(wanted, connectionId));
  }
  const kept = new Set(connectionIds.map(sweepId));
  for await (const { scheduleId, action } of schedules.list()) {
    const isOurs = scheduleId.startsWith(sweepId('')) && action?.workflowType === SWEEP_WORKFLOW;
    if (isOurs && !kept.has(scheduleId)) await remove(schedules, scheduleId);
  }
}

/** The list is behind what it lists: somebody else may have been here first. */
async function remove(schedules: ScheduleClient, scheduleId: string): Promise<void> {
  try {
    await schedules.getHandle(scheduleId).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

async function createOrUpdate(schedules: ScheduleClient, options: ScheduleOptions): Promise<void> {
  try {
    await schedules.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { scheduleId, spec, action, policies } = options;
    await schedules
      .getHandle(scheduleId)
      .update(({ state }) => ({ spec, action, state, ...(policies && { policies }) }));
  }
}

function sweepSchedule(
  { taskQueue, timing }: SweepSchedules,
  connectionId: string,
): ScheduleOptions {
  const input: SweepInput = { connectionId, ...(timing !== 'production' && { timing }) };
  return {
    scheduleId: sweepId(connectionId),
    spec: { intervals: [{ every: TIMING[timing].sweepEveryMs }] },
    action: {
      type: 'startWorkflow',
      workflowType: SWEEP_WORKFLOW,
      workflowId: sweepId(connectionId),
      taskQueue,
      args: [input],
    },
    // Each goes on where the last one ended, so nothing is gained by making up for missed ones.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  };
}
