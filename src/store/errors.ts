/**
 * The database cannot serve now: unreachable, shutting down, out of connections, or too slow. The
 * same call may be made again later; nothing of it is half done. (A commit whose answer was lost
 * may have taken effect, which is why every write of this store can be repeated.)
 */
export class StoreUnavailable extends Error {
  readonly code = 'store_unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
  }
}

/** The directory of an embedded store is in use by another process, or may be. */
export class StoreLocked extends Error {
  readonly code = 'store_locked';
  readonly directory: string;

  constructor(directory: string, message: string) {
    super(message);
    this.name = 'StoreLocked';
    this.directory = directory;
  }
}

/** A cursor that this store did not make. `field` names the argument it came in. */
export class InvalidCursor extends Error {
  readonly code = 'invalid_cursor';
  readonly field = 'after';

  constructor() {
    super('after: is no cursor of this list');
    this.name = 'InvalidCursor';
  }
}

/** No reconciliation run has this id. */
export class UnknownRun extends Error {
  readonly code = 'unknown_run';

  constructor(runId: string) {
    super(`there is no reconciliation run "${runId}"`);
    this.name = 'UnknownRun';
  }
}
