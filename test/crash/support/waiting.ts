export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

const WITHIN_MS = 60_000;
const PAUSE_MS = 100;

/** The probe's first answer; rejects, naming what was waited for and why it is not, in the end. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  withinMs = WITHIN_MS,
): Promise<T> {
  const deadlineMs = Date.now() + withinMs;
  for (let last: unknown; ;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadlineMs) throw new Error(`in vain: ${what}`, { cause: last });
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

/** The promise, or a rejection naming what it was waited for. */
export async function inTime<T>(
  what: string,
  promise: Promise<T>,
  withinMs = WITHIN_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`in vain: ${what}`)), withinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs what it is given, so many at a time. */
export function limited(atATime: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = atATime;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((go) => waiting.push(go));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
