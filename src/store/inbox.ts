import { sql, type Kysely, type Selectable } from 'kysely';
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { Subject } from '../domain/subject.js';
import { checkRowCursor, cutPage, isRowId } from './cursor.js';
import type { InboxState, InboxTable, Tables, Verdict } from './database.js';
import { milliseconds, present, toJson, toJsonOrNull, toTime } from './values.js';

/** A verified notification, as it came. */
export interface NewNotification {
  readonly connectionId: string;
  /** The provider's identity of this event; a repeat of it has the same. */
  readonly eventId: string;
  readonly paymentId?: PaymentId;
  readonly providerReference?: string;
  readonly verdict: Verdict;
  readonly facts: readonly Fact[];
  readonly subject?: Subject;
  /** As received, or sealed by the caller; the store does not look inside. */
  readonly body: Uint8Array;
  /** Those worth keeping, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly receivedAt: string;
}

/** A notification as kept, without its body. */
export interface StoredNotification extends Omit<NewNotification, 'body'> {
  readonly id: string;
  readonly state: InboxState;
  /** How often the provider sent it. */
  readonly deliveries: number;
  /** How often it was handed out to be delivered to its payment. */
  readonly attempts: number;
  /** Why it was postponed last. */
  readonly lastReason?: string;
}

export interface RawNotification extends StoredNotification {
  readonly body: Uint8Array;
}

export interface InboxFilter {
  readonly connectionId?: string;
  readonly paymentId?: PaymentId;
  readonly state?: InboxState;
  /** The `nextCursor` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface InboxPage {
  readonly notifications: readonly StoredNotification[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** What providers told us, kept until it has reached its payment, and after. Ids are opaque. */
export interface Inbox {
  /**
   * Keeps a notification. A repeat (same connection and event) is counted on the row there is; one
   * that matched no payment before becomes due again.
   */
  add(notification: NewNotification): Promise<{ readonly id: string; readonly isNew: boolean }>;
  /** It reached a payment: `paymentId`, where that was found only now. */
  markDelivered(id: string, found?: { readonly paymentId: PaymentId }): Promise<void>;
  /** It is for no payment of ours. Kept; can be listed and replayed. */
  markUnmatched(id: string): Promise<void>;
  /**
   * Claims undelivered notifications that were stored longer than `olderThanMs` ago (by the
   * database's clock) and are due, longest due first. Several dispatchers share them: each gets
   * others. One that is not marked becomes due again after 5 s, doubled at each claim up to 60 s.
   */
  listUndelivered(wanted: {
    readonly olderThanMs: number;
    readonly limit: number;
  }): Promise<readonly StoredNotification[]>;
  /** Makes it due again after `delayMs`. */
  postpone(
    id: string,
    options: { readonly delayMs: number; readonly reason: string },
  ): Promise<void>;
  /** Newest first. Throws InvalidCursor. */
  list(filter: InboxFilter): Promise<InboxPage>;
  get(id: string): Promise<RawNotification | undefined>;
  /** Makes it undelivered again, due at once. False when there is no such notification. */
  replay(id: string): Promise<boolean>;
  /** Counts one that was refused at the door, per day (UTC). Only for connections we have. */
  countRefused(refused: RefusalKey): Promise<void>;
  /** Newest day first. */
  refusals(): Promise<readonly RefusalCount[]>;
}

export interface RefusalKey {
  readonly connectionId: string;
  /** Such as `forged`, `malformed`, `oversized`. */
  readonly reason: string;
}

export interface RefusalCount extends RefusalKey {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  readonly count: number;
}

export function createInbox(db: Kysely<Tables>): Inbox {
  return {
    add: (notification) => add(db, notification),
    markDelivered: (id, found) =>
      update(db, id, { state: 'delivered', ...present('payment_id', found?.paymentId) }),
    markUnmatched: (id) => update(db, id, { state: 'unmatched' }),
    listUndelivered: (wanted) => claim(db, wanted),
    postpone: (id, options) => postpone(db, id, options),
    list: (filter) => list(db, filter),
    get: (id) => get(db, id),
    replay: (id) => replay(db, id),
    countRefused: (refused) => countRefused(db, refused),
    refusals: () => refusals(db),
  };
}

async function add(
  db: Kysely<Tables>,
  notification: NewNotification,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { id, deliveries } = await db
    .insertInto('inbox')
    .values(toRow(notification))
    .onConflict((conflict) =>
      conflict.columns(['connection_id', 'event_id']).doUpdateSet(({ ref }) => ({
        deliveries: sql<number>`inbox.deliveries + 1`,
        last_received_at: ref('excluded.last_received_at'),
        payment_id: sql<string | null>`coalesce(inbox.payment_id, excluded.payment_id)`,
        state: sql<InboxState>`case inbox.state when 'unmatched' then 'undelivered'
          else inbox.state end`,
        attempts: sql<number>`case inbox.state when 'unmatched' then 0 else inbox.attempts end`,
        next_attempt_at: sql<Date>`case inbox.state when 'unmatched' then now()
          else inbox.next_attempt_at end`,
      })),
    )
    .returning(['id', 'deliveries'])
    .executeTakeFirstOrThrow();
  return { id, isNew: deliveries === 1 };
}

function toRow(notification: NewNotification) {
  const receivedAt = toTime(notification.receivedAt);
  return {
    connection_id: notification.connectionId,
    event_id: notification.eventId,
    payment_id: notification.paymentId ?? null,
    provider_reference: notification.providerReference ?? null,
    verdict: notification.verdict,
    facts: toJson(notification.facts),
    subject: toJsonOrNull(notification.subject),
    headers: toJson(notification.headers),
    body: Buffer.from(notification.body),
    received_at: receivedAt,
    last_received_at: receivedAt,
  };
}

async function update(
  db: Kysely<Tables>,
  id: string,
  changes: { readonly state: InboxState; readonly payment_id?: string },
): Promise<void> {
  if (!isRowId(id)) return;
  await db.updateTable('inbox').set(changes).where('id', '=', id).execute();
}

async function claim(
  db: Kysely<Tables>,
  { olderThanMs, limit }: { readonly olderThanMs: number; readonly limit: number },
): Promise<readonly StoredNotification[]> {
  const rows = await db
    .with('due', (cte) =>
      cte
        .selectFrom('inbox')
        .select(['inbox.id', 'inbox.next_attempt_at as due_at'])
        .where('state', '=', 'undelivered')
        .where('next_attempt_at', '<=', sql<Date>`now()`)
        .where('recorded_at', '<=', sql<Date>`now() - ${milliseconds(olderThanMs)}`)
        .orderBy('next_attempt_at')
        .orderBy('id')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('inbox')
    .from('due')
    .set({
      attempts: sql<number>`inbox.attempts + 1`,
      next_attempt_at: sql<Date>`now() + interval '1 second'
        * least(60, 5 * 2 ^ least(inbox.attempts, 10))`,
    })
    .whereRef('inbox.id', '=', 'due.id')
    .returning([...LISTED, 'due.due_at'])
    .execute();
  return rows
    .sort((a, b) => a.due_at.getTime() - b.due_at.getTime() || Number(a.id) - Number(b.id))
    .map(toNotification);
}

async function postpone(
  db: Kysely<Tables>,
  id: string,
  { delayMs, reason }: { readonly delayMs: number; readonly reason: string },
): Promise<void> {
  if (!isRowId(id)) return;
  await db
    .updateTable('inbox')
    .set({
      next_attempt_at: sql<Date>`now() + ${milliseconds(delayMs)}`,
      last_reason: reason,
    })
    .where('id', '=', id)
    .execute();
}

async function list(db: Kysely<Tables>, filter: InboxFilter): Promise<InboxPage> {
  const { connectionId, paymentId, state, after, limit } = filter;
  checkRowCursor(after);
  const rows = await db
    .selectFrom('inbox')
    .select(LISTED)
    .where((eb) =>
      eb.and(
        [
          connectionId === undefined ? [] : eb('connection_id', '=', connectionId),
          paymentId === undefined ? [] : eb('payment_id', '=', paymentId),
          state === undefined ? [] : eb('state', '=', state),
          after === undefined ? [] : eb('id', '<', after),
        ].flat(),
      ),
    )
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows, limit);
  const notifications = page.map(toNotification);
  return { notifications, ...(last && { nextCursor: last.id }) };
}

async function get(db: Kysely<Tables>, id: string): Promise<RawNotification | undefined> {
  if (!isRowId(id)) return undefined;
  const row = await db.selectFrom('inbox').selectAll().where('id', '=', id).executeTakeFirst();
  return row && { ...toNotification(row), body: new Uint8Array(row.body) };
}

async function replay(db: Kysely<Tables>, id: string): Promise<boolean> {
  if (!isRowId(id)) return false;
  const { numUpdatedRows } = await db
    .updateTable('inbox')
    .set({ state: 'undelivered', attempts: 0, next_attempt_at: sql<Date>`now()` })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

const LISTED = [
  'inbox.id',
  'inbox.connection_id',
  'inbox.event_id',
  'inbox.payment_id',
  'inbox.provider_reference',
  'inbox.verdict',
  'inbox.facts',
  'inbox.subject',
  'inbox.headers',
  'inbox.received_at',
  'inbox.state',
  'inbox.deliveries',
  'inbox.attempts',
  'inbox.last_reason',
] as const;

type ListedRow = Omit<
  Selectable<InboxTable>,
  'body' | 'last_received_at' | 'next_attempt_at' | 'recorded_at'
>;

function toNotification(row: ListedRow): StoredNotification {
  return {
    id: row.id,
    connectionId: row.connection_id,
    eventId: row.event_id,
    ...present('paymentId', row.payment_id),
    ...present('providerReference', row.provider_reference),
    verdict: row.verdict,
    facts: row.facts,
    ...present('subject', row.subject),
    headers: row.headers,
    receivedAt: row.received_at.toISOString(),
    state: row.state,
    deliveries: row.deliveries,
    attempts: row.attempts,
    ...present('lastReason', row.last_reason),
  };
}

async function countRefused(db: Kysely<Tables>, refused: RefusalKey): Promise<void> {
  await db
    .insertInto('refusals')
    .values({
      connection_id: refused.connectionId,
      reason: refused.reason,
      day: sql<string>`(now() at time zone 'utc')::date`,
      count: 1,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['connection_id', 'reason', 'day'])
        .doUpdateSet({ count: sql<number>`refusals.count + 1` }),
    )
    .execute();
}

async function refusals(db: Kysely<Tables>): Promise<readonly RefusalCount[]> {
  const rows = await db
    .selectFrom('refusals')
    .select(['connection_id', 'reason', 'count', sql<string>`day::text`.as('on')])
    .orderBy('day', 'desc')
    .orderBy('connection_id')
    .orderBy('reason')
    .execute();
  return rows.map((row) => ({
    connectionId: row.connection_id,
    reason: row.reason,
    day: row.on,
    count: Number(row.count),
  }));
}
