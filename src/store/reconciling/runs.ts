import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type {
  ListingProgress,
  ReconciliationRequest,
  ReconciliationRun,
} from '../../domain/reconciliation.js';
import { checkRowCursor, cutPage } from '../cursor.js';
import type { Tables } from '../database.js';
import { UnknownRun } from '../errors.js';
import { present, presentTime, toJson, toTime } from '../values.js';
import type { RunFilter, RunPage } from './contract.js';
import type { ListingRow, ReconciliationsTable, RunRow } from './tables.js';

export async function startRun(
  db: Kysely<Tables>,
  request: ReconciliationRequest,
): Promise<ReconciliationRun> {
  const row = await db
    .insertInto('reconciliations')
    .values({
      run_id: request.runId,
      connection_id: request.connectionId,
      scope: toJson(request.scope),
      time_zone: request.timeZone,
      has_payouts: request.hasPayouts,
      requested_at: toTime(request.requestedAt),
    })
    // An update that changes nothing: it returns the row that is there.
    .onConflict((conflict) =>
      conflict.column('run_id').doUpdateSet({ run_id: sql`reconciliations.run_id` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toRun(row, await selectListings(db, [row.run_id]));
}

export async function getRun(
  db: Kysely<Tables>,
  runId: string,
): Promise<ReconciliationRun | undefined> {
  const row = await selectRun(db, runId);
  return row && toRun(row, await selectListings(db, [runId]));
}

export async function listRuns(
  db: Kysely<Tables>,
  { connectionId, after, limit }: RunFilter,
): Promise<RunPage> {
  checkRowCursor(after);
  const rows = await db
    .selectFrom('reconciliations')
    .selectAll()
    .$if(connectionId !== undefined, (query) =>
      query.where('connection_id', '=', connectionId ?? ''),
    )
    .$if(after !== undefined, (query) => query.where('ordinal', '<', after ?? ''))
    .orderBy('ordinal', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows, limit);
  const listings = await selectListings(
    db,
    page.map(({ run_id: id }) => id),
  );
  const runs = page.map((row) =>
    toRun(
      row,
      listings.filter((each) => each.run_id === row.run_id),
    ),
  );
  return { runs, ...(last && { nextCursor: last.ordinal }) };
}

/** The run as stored. Throws UnknownRun. */
export async function runOf(db: Kysely<Tables>, runId: string): Promise<RunRow> {
  const row = await selectRun(db, runId);
  if (!row) throw new UnknownRun(runId);
  return row;
}

/**
 * Locks the run, and keeps other runs of its connection from writing lines, payouts and breaks
 * until the transaction ends: they would wait for each other's rows in changing orders.
 */
export async function lockRun(trx: Transaction<Tables>, runId: string): Promise<RunRow> {
  const row = await trx
    .selectFrom('reconciliations')
    .selectAll()
    .where('run_id', '=', runId)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new UnknownRun(runId);
  const key = `reconciling/${row.connection_id}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
  await walkIndexes(trx);
  return row;
}

/**
 * Has the rest of the transaction find rows by index alone. Every statement of a run is about a
 * bounded number of rows out of very many; a plan made from stale statistics (all rows may be
 * minutes old) that reads a whole table each time would make the whole quadratic. For the same
 * reason, what has a connection and a reference is looked up in subqueries: of a join, the planner
 * may look up the connection alone.
 */
export async function walkIndexes(trx: Transaction<Tables>): Promise<void> {
  await sql`select set_config(name, 'off', true) from (values ('enable_seqscan'),
    ('enable_hashjoin'), ('enable_mergejoin'), ('jit')) as settings (name)`.execute(trx);
}

function selectRun(db: Kysely<Tables>, runId: string): Promise<RunRow | undefined> {
  return db
    .selectFrom('reconciliations')
    .selectAll()
    .where('run_id', '=', runId)
    .executeTakeFirst();
}

async function selectListings(
  db: Kysely<Tables>,
  runIds: readonly string[],
): Promise<readonly ListingRow[]> {
  if (runIds.length === 0) return [];
  return db
    .selectFrom('report_listings')
    .selectAll()
    .where('run_id', 'in', runIds)
    .orderBy('ordinal')
    .execute();
}

function toRun(
  row: Selectable<ReconciliationsTable>,
  listings: readonly ListingRow[],
): ReconciliationRun {
  return {
    runId: row.run_id,
    connectionId: row.connection_id,
    scope: row.scope,
    timeZone: row.time_zone,
    hasPayouts: row.has_payouts,
    requestedAt: row.requested_at.toISOString(),
    status: row.status,
    listings: listings.map(toProgress),
    ...present('totals', row.totals),
    ...present('problem', row.problem),
    ...presentTime('finishedAt', row.finished_at),
  };
}

export function toProgress(row: ListingRow): ListingProgress {
  const { round, ...by } = row.scope;
  return {
    listing: { kind: row.kind, by, ...present('round', round) },
    ...present('cursor', row.cursor),
    pages: row.pages,
    rows: Number(row.rows),
    isComplete: row.is_complete,
  };
}
