import { activityInfo } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import type { HarnessOptions } from '../support/harness.js';

/** Everybody goes by the clock of a server that skips time. */
export function inSkippedTime(
  environment: TestWorkflowEnvironment,
  sandbox: () => PayconiqSandbox,
): Pick<HarnessOptions, 'temporal' | 'timing' | 'now' | 'worker'> {
  // Before each call of ours, the provider's clock catches up with the server's.
  const inbound: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      await catchUp(sandbox(), activityInfo().currentAttemptScheduledTimestampMs);
      return next(input);
    },
  };
  return {
    temporal: { address: environment.address, namespace: environment.namespace ?? 'default' },
    timing: 'production',
    now: skippedNow,
    worker: { interceptors: { activity: [() => ({ inbound })] } },
  };
}

/** Lets this time pass for everybody. */
export async function passTime(
  environment: TestWorkflowEnvironment,
  sandbox: PayconiqSandbox,
  ms: number,
): Promise<void> {
  await environment.sleep(ms);
  await catchUp(sandbox, await environment.currentTimeMs());
}

/** Within an activity, the server's time of this attempt; the attempt itself takes no time. */
function skippedNow(): number {
  try {
    return activityInfo().currentAttemptScheduledTimestampMs;
  } catch {
    return Date.now();
  }
}

async function catchUp({ clock }: PayconiqSandbox, nowMs: number): Promise<void> {
  const behindMs = nowMs - clock.now();
  if (behindMs > 0) await clock.advance(behindMs);
}
