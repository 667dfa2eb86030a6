/** The ways of waiting that payments and refunds share. */
import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';

/**
 * Runs something that may take for ever, and leaves it as soon as it is no longer wanted: facts may
 * have come another way. Undefined when it was left.
 */
export async function whileWanted<T>(
  isWanted: () => boolean,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const scope = new CancellationScope();
  const result = scope.run(work).then((value) => ({ value }));
  const overtaken = condition(() => !isWanted()).then(() => undefined);
  try {
    return (await Promise.race([result, overtaken]))?.value;
  } finally {
    scope.cancel();
    result.catch(ignoreCancellation);
  }
}

/** Does `ring` when `work` takes longer than this. */
export async function withAlarm<T>(
  alarm: { readonly afterMs: number; readonly ring: () => Promise<void> },
  work: () => Promise<T>,
): Promise<T> {
  const scope = new CancellationScope();
  const ringing = scope.run(async () => {
    await sleep(alarm.afterMs);
    await alarm.ring();
  });
  ringing.catch(ignoreCancellation);
  try {
    return await work();
  } finally {
    scope.cancel();
  }
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
