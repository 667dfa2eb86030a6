/** What a workflow has cost, counted from its history. */
import proto from '@temporalio/proto';
import type { Client } from '@temporalio/client';

type History = proto.temporal.api.history.v1.IHistory;
type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

export interface Cost {
  readonly events: number;
  /** Of the serialized history. */
  readonly bytes: number;
  /** Billable, repeated attempts at activities left out: those are not in the history. */
  readonly actions: number;
  /** Names of the events in order. */
  readonly trail: readonly string[];
}

/**
 * What Temporal bills an event with. Two kinds are billed otherwise than by their number: the local
 * activities of one workflow task are one action together, and search attributes given at the start
 * are free. Queries are billed too, but leave no event. A type that is missing here cannot be
 * counted, which is an error.
 * @see https://docs.temporal.io/cloud/actions
 */
const BILLED = {
  WORKFLOW_EXECUTION_STARTED: 1,
  WORKFLOW_EXECUTION_COMPLETED: 0,
  // The run that follows begins with a started event of its own.
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 0,
  WORKFLOW_EXECUTION_SIGNALED: 1,
  WORKFLOW_EXECUTION_UPDATE_ACCEPTED: 1,
  WORKFLOW_EXECUTION_UPDATE_COMPLETED: 0,
  WORKFLOW_TASK_SCHEDULED: 0,
  WORKFLOW_TASK_STARTED: 0,
  WORKFLOW_TASK_COMPLETED: 0,
  ACTIVITY_TASK_SCHEDULED: 1,
  ACTIVITY_TASK_STARTED: 0,
  ACTIVITY_TASK_COMPLETED: 0,
  ACTIVITY_TASK_CANCEL_REQUESTED: 0,
  ACTIVITY_TASK_CANCELED: 0,
  TIMER_STARTED: 1,
  TIMER_FIRED: 0,
  TIMER_CANCELED: 0,
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 1,
  MARKER_RECORDED: 0,
} as const satisfies Record<string, number>;

const LOCAL_ACTIVITY_MARKER = 'core_local_activity';

/** @throws Error for an event whose price this bench does not know */
export function costOf(history: History): Cost {
  const events = history.events ?? [];
  const trail = events.map(nameOf);
  const billed = trail.reduce((sum, name) => sum + priceOf(name), 0);
  return {
    events: events.length,
    bytes: proto.temporal.api.history.v1.History.encode(history).finish().length,
    actions: billed + tasksWithLocalActivities(events),
    trail,
  };
}

/** The history of a closed workflow of one run. */
export async function fetchCost(client: Client, workflowId: string): Promise<Cost> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const { trail, ...cost } = costOf(history);
  if (trail.at(-1) !== 'WORKFLOW_EXECUTION_COMPLETED') {
    throw new Error(`${workflowId} ended with ${String(trail.at(-1))}`);
  }
  return { ...cost, trail };
}

function nameOf({ eventType }: HistoryEvent): string {
  const name = proto.temporal.api.enums.v1.EventType[eventType ?? 0] ?? String(eventType);
  return name.replace(/^EVENT_TYPE_/, '');
}

function priceOf(name: string): number {
  if (!Object.hasOwn(BILLED, name)) throw new Error(`the price of ${name} is not known`);
  return BILLED[name as keyof typeof BILLED];
}

function tasksWithLocalActivities(events: readonly HistoryEvent[]): number {
  const tasks = events.flatMap(({ markerRecordedEventAttributes: marker }) =>
    marker?.markerName === LOCAL_ACTIVITY_MARKER
      ? [String(marker.workflowTaskCompletedEventId)]
      : [],
  );
  return new Set(tasks).size;
}
