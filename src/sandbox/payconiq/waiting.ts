import { SandboxStateError } from './payment-book.js';

interface Observed<T> {
  /** Oldest first. */
  list(): readonly T[];
  /** Calls for each that comes or changes; answers how to stop. */
  onChange(listener: (item: T) => void): () => void;
}

export interface Waiting<T> {
  /** Resolves with the newest that is wanted, as soon as there is one. Rejects at `close`. */
  wait(isWanted: (item: T) => boolean): Promise<T>;
  close(): void;
}

export function createWaiting<T>({ list, onChange }: Observed<T>): Waiting<T> {
  const rejections = new Set<(reason: Error) => void>();

  const wait: Waiting<T>['wait'] = (isWanted) => {
    const present = list().findLast(isWanted);
    if (present !== undefined) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      rejections.add(reject);
      const stop = onChange((item) => {
        if (!isWanted(item)) return;
        stop();
        rejections.delete(reject);
        resolve(item);
      });
    });
  };

  const close = (): void => {
    const reason = new SandboxStateError('the sandbox was closed');
    rejections.forEach((reject) => reject(reason));
  };
  return { wait, close };
}
