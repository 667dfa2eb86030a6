import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PGlite, types } from '@electric-sql/pglite';
import type { PostgresPool } from 'kysely';
import { StoreUnavailable } from '../errors.js';
import { kyselyClient, kyselyOver, once, type Database } from './dialect.js';
import { lockDirectory, type DirectoryLock } from './directory-lock.js';

export interface EmbeddedSettings {
  /** Made if absent; `memory` keeps nothing. */
  readonly directory: string;
}

/** PGlite's own would give numbers and bare Uint8Arrays, where pg gives strings and Buffers. */
const PARSERS = {
  [types.INT8]: (text: string) => text,
  [types.BYTEA]: (text: string) => Buffer.from(text.slice(2), 'hex'),
};

/**
 * PostgreSQL within this process, for trying out: it does not wait for the disk. Throws StoreLocked
 * while another process has the directory open.
 */
export async function openEmbedded({ directory }: EmbeddedSettings): Promise<Database> {
  if (directory === 'memory') return embeddedDatabase(await PGlite.create({ parsers: PARSERS }));
  const root = resolve(directory);
  await mkdir(root, { recursive: true });
  const lock = await lockDirectory(root);
  try {
    const dataDir = join(root, 'pgdata');
    return embeddedDatabase(await PGlite.create({ dataDir, parsers: PARSERS }), lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function embeddedDatabase(lite: PGlite, lock?: DirectoryLock): Database {
  const pool = new SingleSession(lite);
  const db = kyselyOver(pool);
  const close = once(async () => {
    await pool.end();
    await lock?.release();
  });
  return { db, withPatience: (use) => use(db), close };
}

/**
 * PGlite has one session and no pool: it is lent to one borrower after the other, so that the
 * statements of two transactions never mix.
 */
class SingleSession implements PostgresPool {
  readonly #lite: PGlite;
  #lastReturned: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  constructor(lite: PGlite) {
    this.#lite = lite;
  }

  async connect(): ReturnType<PostgresPool['connect']> {
    if (this.#ending) throw new StoreUnavailable('the store is closed');
    const previous = this.#lastReturned;
    const { promise, resolve: giveBack } = deferred();
    this.#lastReturned = promise;
    await previous;
    return kyselyClient({
      query: (text, parameters) => this.#lite.query(text, parameters),
      release: ({ isBroken }) => void (isBroken ? this.#reset() : Promise.resolve()).then(giveBack),
    });
  }

  /** The next borrower must not inherit a transaction. */
  async #reset(): Promise<void> {
    await this.#lite.query('rollback').catch(() => undefined);
  }

  end(): Promise<void> {
    return (this.#ending ??= this.#lastReturned.then(() => this.#lite.close()));
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolvePromise: () => void = () => undefined;
  const promise = new Promise<void>((onResolved) => {
    resolvePromise = onResolved;
  });
  return { promise, resolve: resolvePromise };
}
