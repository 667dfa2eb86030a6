/** What Temporal starts by itself, for each connection that has it. */
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
import {
  RECONCILIATION_WORKFLOW,
  reconciliationScheduleId,
  SWEEP_WORKFLOW,
  sweepId,
  type ReconciliationInput,
  type SweepInput,
} from '../workflows/contract.js';

/** Where schedules are, and what they start. */
export interface SchedulePlace {
  readonly connection: Connection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly timing: TimingProfile;
  readonly dataConverter: DataConverter;
}

export interface WantedSchedules extends SchedulePlace {
  /** The connections that can list their payments: gone through every few minutes. */
  readonly swept: readonly string[];
  /** Those with reports: reconciled day by day. */
  readonly reconciled: readonly DailyReport[];
}

/** When the report of the day before is complete. */
export interface DailyReport {
  readonly connectionId: string;
  /** Local time, `HH:MM`. */
  readonly completeAt: string;
  /** An IANA time zone. */
  readonly timeZone: string;
}

/** Makes the schedules as they have to be: new, changed or gone. May run at any time. */
export async function keepSchedules(wanted: WantedSchedules): Promise<void> {
  const { connection, namespace, dataConverter, swept, reconciled } = wanted;
  const schedules = new ScheduleClient({ connection, namespace, dataConverter });
  const kept = [
    ...swept.map((connectionId) => sweepSchedule(wanted, connectionId)),
    ...reconciled.map((report) => reconciliationSchedule(wanted, report)),
  ];
  for (const options of kept) await createOrUpdate(schedules, options);
  const keptIds = new Set(kept.map(({ scheduleId }) => scheduleId));
  for await (const { scheduleId, action } of schedules.list()) {
    const isGone = isOurs(scheduleId, action?.workflowType) && !keptIds.has(scheduleId);
    if (isGone) await remove(schedules, scheduleId);
  }
}

/** By the names that we give: others may have schedules in the same namespace. */
function isOurs(scheduleId: string, workflowType: string | undefined): boolean {
  const [prefix] = scheduleId.split('/', 1);
  return (
    [SWEEP_WORKFLOW, RECONCILIATION_WORKFLOW].some((name) => name === prefix) &&
    prefix === workflowType
  );
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

function sweepSchedule(place: SchedulePlace, connectionId: string): ScheduleOptions {
  const input: SweepInput = { connectionId, ...profileOf(place) };
  return {
    scheduleId: sweepId(connectionId),
    spec: { intervals: [{ every: TIMING[place.timing].sweepEveryMs }] },
    action: starting(place, { workflowType: SWEEP_WORKFLOW, id: sweepId(connectionId), input }),
    // Each goes on where the last one ended, so nothing is gained by making up for missed ones.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  };
}

function reconciliationSchedule(
  place: SchedulePlace,
  { connectionId, completeAt, timeZone }: DailyReport,
): ScheduleOptions {
  const id = reconciliationScheduleId(connectionId);
  const input: ReconciliationInput = { connectionId, ...profileOf(place) };
  const [hour, minute] = completeAt.split(':').map(Number);
  return {
    scheduleId: id,
    spec: { calendars: [{ hour: hour ?? 0, minute: minute ?? 0 }], timezone: timeZone },
    action: starting(place, { workflowType: RECONCILIATION_WORKFLOW, id, input }),
    // Each covers the days since the last that ended, so a missed one is made up for by the next.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
  };
}

function profileOf({ timing }: SchedulePlace): { readonly timing?: TimingProfile } {
  return timing === 'production' ? {} : { timing };
}

function starting(
  { taskQueue }: SchedulePlace,
  { workflowType, id, input }: Record<'workflowType' | 'id', string> & { readonly input: object },
): ScheduleOptions['action'] {
  return { type: 'startWorkflow', workflowType, workflowId: id, taskQueue, args: [input] };
}
