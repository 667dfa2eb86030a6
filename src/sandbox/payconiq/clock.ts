/** Undoes one `at`. */
export type Cancel = () => void;

export interface SandboxClock {
  /** Milliseconds since the epoch: real time plus all that was advanced. */
  now(): number;
  /**
   * Moves the clock forward and does everything that falls due on the way (expiry, automatic void,
   * callback repeats), each at its own instant and in order. Resolves when all of it is done,
   * callback attempts that it caused included.
   * Rejects with RangeError when `ms` is negative or not finite.
   */
  advance(ms: number): Promise<void>;
}

/** The clock as the sandbox's own parts use it. */
export interface Scheduler extends SandboxClock {
  /** Calls `run` once when the clock reaches `dueAt`; a promise it returns delays `advance` alone. */
  at(dueAt: number, run: () => void | Promise<void>): Cancel;
  /** Does at once what is already due, without waiting for what it causes. */
  settle(): void;
  close(): void;
}

interface Due {
  readonly dueAt: number;
  readonly run: () => void | Promise<void>;
}

const LONGEST_TIMER_MS = 2_147_483_647;

/** One real timer stands for the next item alone; it never keeps the process alive. */
export function createClock(): Scheduler {
  const queue: Due[] = [];
  const running = new Set<Promise<void>>();
  let offsetMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let lastAdvance: Promise<void> = Promise.resolve();
  let isClosed = false;

  const now = (): number => Date.now() + offsetMs;

  const arm = (): void => {
    clearTimeout(timer);
    const next = queue[0];
    if (next === undefined || isClosed) return;
    const delayMs = Math.min(Math.max(next.dueAt - now(), 0), LONGEST_TIMER_MS);
    timer = setTimeout(settle, delayMs).unref();
  };

  const fire = (item: Due): void => {
    const work = Promise.resolve(item.run()).finally(() => running.delete(work));
    running.add(work);
  };

  const settle = (): void => {
    for (let next = queue[0]; next !== undefined && next.dueAt <= now(); next = queue[0]) {
      queue.shift();
      fire(next);
    }
    arm();
  };

  const at = (dueAt: number, run: () => void | Promise<void>): Cancel => {
    const item = { dueAt, run };
    const index = queue.findIndex((other) => other.dueAt > dueAt);
    queue.splice(index === -1 ? queue.length : index, 0, item);
    arm();
    return () => {
      const found = queue.indexOf(item);
      if (found !== -1) queue.splice(found, 1);
    };
  };

  const stepTo = async (target: number): Promise<void> => {
    for (let next = queue[0]; next !== undefined && next.dueAt <= target; next = queue[0]) {
      offsetMs += Math.max(next.dueAt - now(), 0);
      settle();
      await Promise.all(running);
      if (isClosed) return;
    }
    offsetMs += Math.max(target - now(), 0);
    arm();
  };

  const advance = (ms: number): Promise<void> => {
    if (!Number.isFinite(ms) || ms < 0) {
      return Promise.reject(new RangeError('ms must be a positive number'));
    }
    lastAdvance = lastAdvance.then(() => stepTo(now() + ms));
    return lastAdvance;
  };

  const close = (): void => {
    isClosed = true;
    queue.length = 0;
    clearTimeout(timer);
  };

  return { now, advance, at, settle, close };
}
