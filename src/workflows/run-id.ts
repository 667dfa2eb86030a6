import { workflowInfo } from '@temporalio/workflow';
import type { Proxies } from './proxies.js';

/**
 * The id of this run as its history has it: after a reset the server runs it under another one. A
 * run that continues an earlier one has to ask, since it looks like a reset from outside.
 */
export async function ownRunId(
  identify: Proxies['identify'],
  isContinued: boolean,
): Promise<string> {
  return isContinued ? identify.identifyRun() : workflowInfo().firstExecutionRunId;
}
