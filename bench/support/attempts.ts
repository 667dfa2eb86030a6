import { Context, type Info } from '@temporalio/activity';
import type { WorkerOptions } from '@temporalio/worker';

/** What a worker was given to do. A history does not tell: retries leave no event in it. */
export interface Attempts {
  /** Beyond the first of each activity, over all of this workflow. Local activities left out. */
  retried(workflowId: string): number;
  /** Resolves when the n-th attempt at an activity of this workflow begins, or has begun. */
  reached(workflowId: string, activity: string, n: number): Promise<void>;
  /** For the worker whose attempts are to be counted. */
  readonly interceptors: NonNullable<WorkerOptions['interceptors']>;
}

interface Waiting {
  readonly isReached: () => boolean;
  readonly resolve: () => void;
}

export function countAttempts(onAttempt: (info: Info) => void = () => undefined): Attempts {
  const seen: Info[] = [];
  const waiting = new Set<Waiting>();

  const note = (info: Info): void => {
    seen.push(info);
    onAttempt(info);
    for (const one of waiting) {
      if (!one.isReached()) continue;
      waiting.delete(one);
      one.resolve();
    }
  };
  const of = (workflowId: string): Info[] =>
    seen.filter((info) => info.workflowExecution?.workflowId === workflowId && !info.isLocal);

  return {
    retried: (workflowId) => of(workflowId).filter(({ attempt }) => attempt > 1).length,
    reached(workflowId, activity, n) {
      const isReached = (): boolean =>
        of(workflowId).filter(({ activityType }) => activityType === activity).length >= n;
      return new Promise((resolve) => {
        if (isReached()) resolve();
        else waiting.add({ isReached, resolve });
      });
    },
    interceptors: {
      activity: [
        () => ({
          inbound: {
            execute(input, next) {
              note(Context.current().info);
              return next(input);
            },
          },
        }),
      ],
    },
  };
}
