/** Goes through a connection's payments at its provider, for what no notification told. */
import { proxyActivities } from '@temporalio/workflow';
import type { SweepActivities } from '../activities/sweeps.js';
import { TIMING } from '../domain/timing.js';
import type { SweepInput, SweepResult } from './contract.js';

/** The next one of the schedule goes on where this one failed. */
const ATTEMPTS = 3;

export function sweep({ connectionId, timing: profile }: SweepInput): Promise<SweepResult> {
  const timing = TIMING[profile ?? 'production'];
  const callMs = timing.providerTimeoutMs + timing.activityMarginMs;
  const { sweepConnection } = proxyActivities<SweepActivities>({
    startToCloseTimeout: timing.sweepWithinMs,
    heartbeatTimeout: 2 * callMs,
    retry: { maximumAttempts: ATTEMPTS, initialInterval: timing.resolveFirstMs },
  });
  return sweepConnection(connectionId);
}
