import { workflowInfo } from '@temporalio/workflow';

/** More changes than one workflow task makes. */
const REVISIONS_PER_EVENT = 1_000;

/**
 * The revision after this one. It counts from the length of the history, so that a workflow task
 * that was lost after recording, and is done again otherwise, still overrules what the lost one
 * recorded.
 *
 * @param first with which this run began
 */
export function nextRevision(current: number, first: number): number {
  return Math.max(current + 1, first + workflowInfo().historyLength * REVISIONS_PER_EVENT);
}
