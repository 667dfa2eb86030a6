import type { FastifyBaseLogger } from 'fastify';
import { described } from './answers.js';

/** Work that an answer does not wait for, but the end of the server does. */
export interface Background {
  /** Starts it. A failure is logged as `what`. */
  run(what: string, work: () => Promise<unknown>): void;
  /** Resolves when nothing is running any more. */
  settled(): Promise<void>;
}

export function createBackground(logger: FastifyBaseLogger): Background {
  const running = new Set<Promise<unknown>>();
  return {
    run(what, work) {
      const done = work()
        .catch((error: unknown) => logger.warn({ error: described(error) }, `${what} failed`))
        .finally(() => running.delete(done));
      running.add(done);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
