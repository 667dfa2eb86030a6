import type { WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** What one run has cost: its events, and what the server's operator would be billed for. */
export interface Cost {
  readonly events: number;
  readonly actions: number;
}

export async function eventsOf(handle: WorkflowHandle): Promise<readonly HistoryEvent[]> {
  return (await handle.fetchHistory()).events ?? [];
}

/** The activities that the run scheduled, in order; local ones are not among them. */
export async function activitiesOf(handle: WorkflowHandle): Promise<readonly string[]> {
  const events = await eventsOf(handle);
  return events.flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
  );
}

export async function costOf(handle: WorkflowHandle): Promise<Cost> {
  const events = await eventsOf(handle);
  return { events: events.length, actions: events.reduce((sum, each) => sum + actionsOf(each), 0) };
}

/** One for each start, signal, update, activity attempt, timer, upsert and continue-as-new. */
function actionsOf(event: HistoryEvent): number {
  if (event.activityTaskStartedEventAttributes) {
    return event.activityTaskStartedEventAttributes.attempt ?? 1;
  }
  const isBilled =
    event.workflowExecutionStartedEventAttributes ??
    event.workflowExecutionSignaledEventAttributes ??
    event.workflowExecutionUpdateAcceptedEventAttributes ??
    event.timerStartedEventAttributes ??
    event.markerRecordedEventAttributes ??
    event.upsertWorkflowSearchAttributesEventAttributes ??
    event.workflowExecutionContinuedAsNewEventAttributes;
  return isBilled ? 1 : 0;
}
