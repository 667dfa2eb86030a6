import { sql, type Kysely, type Selectable } from 'kysely';
import { subtractMoney } from '../../domain/money.js';
import type { Break, BreakEvent } from '../../domain/reconciliation.js';
import { checkRowCursor, cutPage } from '../cursor.js';
import type { Tables } from '../database.js';
import { present, presentMoney, storableText } from '../values.js';
import { NOW } from './break-rows.js';
import type { BreakFilter, BreakPage, Breaks } from './contract.js';
import type { BreaksTable, StoredBreakEvent } from './tables.js';

export function createBreaks(db: Kysely<Tables>): Breaks {
  return {
    list: (filter) => list(db, filter),
    get: (breakId) => get(db, breakId),
    resolve: (resolution) => resolve(db, resolution),
  };
}

export type BreakRow = Selectable<BreaksTable> & { readonly on_day: string };

async function list(db: Kysely<Tables>, filter: BreakFilter): Promise<BreakPage> {
  const { connectionId, kind, status, businessDay, runId, after, limit } = filter;
  checkRowCursor(after);
  const rows: BreakRow[] = await db
    .selectFrom('breaks')
    .selectAll('breaks')
    .select(sql<string>`business_day::text`.as('on_day'))
    .where((eb) =>
      eb.and(
        [
          connectionId === undefined ? [] : eb('connection_id', '=', connectionId),
          kind === undefined ? [] : eb('kind', '=', kind),
          status === undefined ? [] : eb('status', '=', status),
          businessDay === undefined ? [] : sql<boolean>`business_day = ${businessDay}::date`,
          runId === undefined
            ? []
            : sql<boolean>`break_id in (select run_breaks.break_id from run_breaks
                join reconciliations on reconciliations.ordinal = run_breaks.run
                where reconciliations.run_id = ${runId})`,
          after === undefined ? [] : eb('ordinal', '<', after),
        ].flat(),
      ),
    )
    .orderBy('ordinal', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows, limit);
  const breaks = page.map(toBreak);
  return { breaks, ...(last && { nextCursor: last.ordinal }) };
}

async function get(db: Kysely<Tables>, breakId: string): Promise<Break | undefined> {
  const row = await db
    .selectFrom('breaks')
    .selectAll()
    .select(sql<string>`business_day::text`.as('on_day'))
    .where('break_id', '=', breakId)
    .executeTakeFirst();
  return row && toBreak(row);
}

async function resolve(
  db: Kysely<Tables>,
  resolution: { readonly breakId: string; readonly actor: string; readonly reason: string },
): Promise<Break | undefined> {
  const { breakId } = resolution;
  const actor = storableText(resolution.actor);
  const reason = storableText(resolution.reason);
  const stated = sql`jsonb_build_object('actor', ${actor}::text, 'reason', ${reason}::text,
    'at', ${NOW})`;
  await sql`update breaks set status = 'closed', resolution = ${stated},
      history = history || (${stated} || '{"status": "closed"}')
    where break_id = ${breakId} and status = 'open'`.execute(db);
  return get(db, breakId);
}

export function toBreak(row: BreakRow): Break {
  const ours = presentMoney('ours', { minor: row.ours_minor, currency: row.ours_currency });
  const theirs = presentMoney('theirs', {
    minor: row.theirs_minor,
    currency: row.theirs_currency,
  });
  return {
    breakId: row.break_id,
    connectionId: row.connection_id,
    kind: row.kind,
    status: row.status,
    subject: row.subject,
    ...present('paymentId', row.payment_id),
    ...present('refundId', row.refund_id),
    ...present('providerReference', row.provider_reference),
    ...present('refundReference', row.refund_reference),
    ...present('payoutReference', row.payout_reference),
    ...ours,
    ...theirs,
    ...differenceOf({ ...ours, ...theirs }),
    businessDay: row.on_day,
    ...present('explanation', row.explanation),
    ...present('resolution', row.resolution),
    history: row.history.map(toEvent),
  };
}

/** What is absent on one side is nothing there. */
function differenceOf({ ours, theirs }: Pick<Break, 'ours' | 'theirs'>): Pick<Break, 'difference'> {
  const currency = (theirs ?? ours)?.currency;
  if (currency === undefined) return {};
  const none = { minor: '0', currency };
  const sides = { ours: ours ?? none, theirs: theirs ?? none };
  if (sides.ours.currency !== sides.theirs.currency) return {};
  return { difference: subtractMoney(sides.theirs, sides.ours) };
}

function toEvent(event: StoredBreakEvent): BreakEvent {
  const {
    oursMinor = null,
    oursCurrency = null,
    theirsMinor = null,
    theirsCurrency = null,
  } = event;
  const { status, at, runId, explanation, actor, reason } = event;
  return {
    status,
    at,
    ...present('runId', runId),
    ...present('explanation', explanation),
    ...present('actor', actor),
    ...present('reason', reason),
    ...presentMoney('ours', { minor: oursMinor, currency: oursCurrency }),
    ...presentMoney('theirs', { minor: theirsMinor, currency: theirsCurrency }),
  };
}
