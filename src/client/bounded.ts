import type { Client } from '@temporalio/client';
import type { Timing } from '../domain/timing.js';
import { LateAnswer, unavailable } from './failures.js';

/** What a call may take, and after what time it makes sure that Temporal is there at all. */
type Limits = Pick<Timing, 'answerWithinMs' | 'unreachableAfterMs'>;

/**
 * Sets a deadline on a call and races it: a server that is away must not hang the caller. A call
 * that takes long is told from a Temporal that is down by asking Temporal for a sign of life.
 */
export async function bounded<T>(
  client: Client,
  limits: Limits,
  work: () => Promise<T>,
): Promise<T> {
  const { answerWithinMs, unreachableAfterMs } = limits;
  const timers: NodeJS.Timeout[] = [];
  const given = new Promise<never>((_resolve, reject) => {
    timers.push(setTimeout(() => reject(new LateAnswer()), answerWithinMs));
    timers.push(
      setTimeout(() => void proveAlive(client, limits).catch(reject), unreachableAfterMs),
    );
  });
  given.catch(() => undefined);
  const working = client.withDeadline(Date.now() + answerWithinMs, work);
  working.catch(() => undefined);
  try {
    return await Promise.race([working, given]);
  } finally {
    timers.forEach(clearTimeout);
  }
}

async function proveAlive({ connection }: Client, { unreachableAfterMs }: Limits): Promise<void> {
  const deadlineMs = Date.now() + unreachableAfterMs;
  try {
    await connection.withDeadline(deadlineMs, () => connection.workflowService.getSystemInfo({}));
  } catch (cause) {
    throw unavailable('Temporal cannot be reached; a repeat with the same id is safe', cause);
  }
}
