import { sql, type Kysely } from 'kysely';
import type { Tables } from './database.js';
import { toTime } from './values.js';

/** How far each connection's payments at its provider have been gone through. */
export interface Sweeps {
  /** Up to when; undefined before the first. ISO 8601, UTC. */
  sweptUntil(connectionId: string): Promise<string | undefined>;
  /** Notes that all until then has been seen. Never goes back. */
  markSwept(connectionId: string, until: string): Promise<void>;
}

export function createSweeps(db: Kysely<Tables>): Sweeps {
  return {
    async sweptUntil(connectionId) {
      const row = await db
        .selectFrom('sweeps')
        .select('swept_until')
        .where('connection_id', '=', connectionId)
        .executeTakeFirst();
      return row?.swept_until.toISOString();
    },
    async markSwept(connectionId, until) {
      await db
        .insertInto('sweeps')
        .values({ connection_id: connectionId, swept_until: toTime(until) })
        .onConflict((conflict) =>
          conflict.column('connection_id').doUpdateSet({
            swept_until: sql`greatest(sweeps.swept_until, excluded.swept_until)`,
          }),
        )
        .execute();
    },
  };
}
