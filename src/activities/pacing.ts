/** Failures that only say "not yet": retried by the server, costing no history, raising no alarm. */
import { ApplicationFailureCategory } from '@temporalio/common';
import { ApplicationFailure, activityInfo } from '@temporalio/activity';

export interface Delay {
  readonly delayMs: number;
  /** Epoch milliseconds; the next attempt is not later than that. Infinity where it may be. */
  readonly untilMs: number;
  readonly nowMs: number;
}

/** Doubles with every attempt of this activity, up to a limit. */
export function growing(firstMs: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(activityInfo().attempt - 1, 30), maxMs);
}

export function notYet(message: string, { delayMs, untilMs, nowMs }: Delay): ApplicationFailure {
  const untilLimitMs = Math.max(untilMs - nowMs, 1);
  return ApplicationFailure.create({
    message,
    type: 'not_yet',
    nextRetryDelay: Math.max(Math.min(delayMs, untilLimitMs), 1),
    category: ApplicationFailureCategory.BENIGN,
  });
}
