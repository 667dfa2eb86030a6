import fc from 'fast-check';
import { sql, type Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { fact, type Fact } from '../../src/domain/facts.js';
import type { Account, Balances } from '../../src/domain/ledger.js';
import type { PaymentRequest } from '../../src/domain/payment.js';
import type { RefundStatus } from '../../src/domain/refund.js';
import type { Tables } from '../../src/store/database.js';
import { bookPayment, createLedger } from '../../src/store/ledger.js';
import { bookEarlierFacts } from '../../src/store/migrations/ledger.js';
import { recordFacts, recordPayment } from '../../src/store/recording.js';
import { delivery, type Delivery } from '../domain/random-facts.js';
import { BACKENDS, useDatabase } from './backends.js';
import { AT, aFact, aRecord, aRequest, eur, uniqueId } from './examples.js';

for (const backend of BACKENDS) {
  describe(`the ledger on ${backend.name}`, () => {
    const db = useDatabase(backend);

    it('holds what is authorized, posts what is captured, and releases what is voided', async () => {
      const { request, record, shown } = await aPayment(db());
      await record(aFact({ kind: 'authorized', amount: eur(100) }));
      expect(await shown()).toEqual({ 'pending payer→provider_pending': 100n });
      await record(aFact({ kind: 'captured', amount: eur(70) }));
      await record(aFact({ kind: 'voided', amount: eur(30) }));
      expect(await shown()).toEqual({ 'posted payer→provider_pending': 70n });
      expect(await phasesOf(db(), request.paymentId)).toEqual(['pending', 'post', 'void']);
    });

    it('writes nothing for what it has', async () => {
      const { request, record } = await aPayment(db());
      const captured = aFact({ kind: 'captured', amount: eur(100) });
      await record(captured);
      await record({ ...captured, source: 'query' });
      await record(aFact({ kind: 'captured', amount: eur(60) }));
      await rebook(db(), request.paymentId);
      expect(await phasesOf(db(), request.paymentId)).toEqual(['pending', 'post']);
    });

    it('counts no other currency', async () => {
      const { record, shown } = await aPayment(db());
      await record(aFact({ kind: 'captured', amount: { minor: '100', currency: 'USD' } }));
      expect(await shown()).toEqual({});
    });

    it('holds a refund of ours until the provider says that it went out', async () => {
      const { request, record, shown } = await aPayment(db());
      await record(aFact({ kind: 'captured', amount: eur(100) }));
      const refundId = uniqueId('refund');
      await setRefund(db(), request, { refundId, status: 'reserved', minor: 60 });
      expect(await shown()).toMatchObject({ 'pending provider_pending→refunds': 60n });
      await setRefund(db(), request, { refundId, status: 'pending', minor: 60, reference: 'r-1' });
      await record(aFact({ kind: 'refunded', part: 'r-1', amount: eur(60) }));
      expect(await shown()).toEqual({
        'posted payer→provider_pending': 100n,
        'posted provider_pending→refunds': 60n,
      });
    });

    it('releases a refund that ended without money, and posts one that came back', async () => {
      const { request, record, shown } = await aPayment(db());
      const refundId = uniqueId('refund');
      await setRefund(db(), request, { refundId, status: 'reserved', minor: 60 });
      await setRefund(db(), request, { refundId, status: 'failed', minor: 60 });
      expect(await shown()).toEqual({});
      await record(aFact({ kind: 'refunded', part: 'r-2', amount: eur(40) }));
      await record(aFact({ kind: 'refund_reversed', part: 'r-2', amount: eur(40) }));
      expect(await shown()).toEqual({
        'posted provider_pending→refunds': 40n,
        'posted refunds→provider_pending': 40n,
      });
    });

    it('books facts and refunds to the same balances in whatever order they come', async () => {
      await fc.assert(
        fc.asyncProperty(delivery, refundSteps, async (told, steps) => {
          const { request, shown, record } = await aPayment(db());
          for (const [index, batch] of told.arrived.entries()) {
            await record(...batch);
            const step = steps[index];
            if (step) await setRefund(db(), request, named(step, request));
          }
          for (const step of steps.slice(told.arrived.length)) {
            await setRefund(db(), request, named(step, request));
          }
          expect(await shown()).toEqual(modelOf(told, steps));
        }),
        { numRuns: 60 },
      );
    }, 120_000);

    it('is the same when many write one payment at once', async () => {
      const told: Delivery['arrived'] = [
        [aFact({ kind: 'authorized', amount: eur(100) })],
        [aFact({ kind: 'captured', part: 'a', amount: eur(40) })],
        [aFact({ kind: 'captured', part: 'b', amount: eur(70) })],
        [aFact({ kind: 'refunded', part: 'r', amount: eur(30) })],
      ];
      const { shown, record } = await aPayment(db());
      await Promise.all([...told, ...told, ...told].map((batch) => record(...batch)));
      expect(await shown()).toEqual(modelOf({ told: told.flat(), arrived: told }, []));
    });

    it('is the same for payments that were recorded before it was there', async () => {
      const wanted = { numRuns: 20, seed: 7 };
      for (const { told } of fc.sample(delivery, wanted)) {
        const { record } = await aPayment(db());
        const named = told.map((each) => fact({ ...each, object: `${each.object}|%` }));
        await record(...named);
      }
      const before = await sumsOf(db());
      await db()
        .transaction()
        .execute(async (trx) => {
          await sql`alter table ledger_entries disable trigger all`.execute(trx);
          await sql`delete from ledger_entries`.execute(trx);
          await sql`alter table ledger_entries enable trigger all`.execute(trx);
          // Their holds were not there either.
          await sql`delete from refunds`.execute(trx);
        });
      await bookEarlierFacts.execute(db());
      const payments = await db().selectFrom('payments').select('payment_id').execute();
      for (const { payment_id: paymentId } of payments) {
        const entries = await phasesOf(db(), paymentId);
        await rebook(db(), paymentId);
        expect(await phasesOf(db(), paymentId)).toEqual(entries);
      }
      expect(await sumsOf(db())).toEqual(before);
    });

    it('cannot be written out of balance', async () => {
      await expect(insertEntry(db(), { amount_minor: '0' })).rejects.toThrow(/check/);
      await expect(insertEntry(db(), { amount_minor: '-5' })).rejects.toThrow(/check/);
      await expect(insertEntry(db(), { credit: 'payer' })).rejects.toThrow(/check/);
      await expect(insertEntry(db(), { debit: 'pocket' as Account })).rejects.toThrow(/check/);
      await expect(insertEntry(db(), { phase: 'void' })).rejects.toThrow(/check/);
      await expect(insertEntry(db(), {})).resolves.toBeUndefined();
    });

    it('cannot be changed', async () => {
      await insertEntry(db(), {});
      const refused = /only ever added/;
      const update = sql`update ledger_entries set amount_minor = 1`.execute(db());
      await expect(update).rejects.toThrow(refused);
      await expect(sql`delete from ledger_entries`.execute(db())).rejects.toThrow(refused);
      await expect(sql`truncate ledger_entries`.execute(db())).rejects.toThrow(refused);
    });
  });
}

type Db = Kysely<Tables>;

/** A payment alone on its connection, so that the connection's balances are its own. */
async function aPayment(db: Db) {
  const request = aRequest({ connectionId: uniqueId('shop') });
  await recordPayment(db, aRecord({ request }));
  return {
    request,
    record: (...facts: Fact[]) => recordFacts(db, request.paymentId, facts),
    shown: async () => movementsIn(await createLedger(db).balances(request.connectionId)),
  };
}

/** What the accounts show, as movements; what is zero is left out. */
function movementsIn({ accounts, trial }: Balances): Record<string, bigint> {
  expect(trial.every(({ minor }) => minor === '0')).toBe(true);
  const of = (account: Account) => accounts.find((each) => each.account === account);
  const read = (account: Account, side: 'Debits' | 'Credits', phase: 'posted' | 'pending') =>
    BigInt(of(account)?.[`${phase}${side}`].minor ?? 0);
  return withoutZeros({
    'posted payer→provider_pending': read('payer', 'Debits', 'posted'),
    'pending payer→provider_pending': read('payer', 'Debits', 'pending'),
    'posted provider_pending→refunds': read('refunds', 'Credits', 'posted'),
    'pending provider_pending→refunds': read('refunds', 'Credits', 'pending'),
    'posted refunds→provider_pending': read('refunds', 'Debits', 'posted'),
  });
}

function withoutZeros(amounts: Record<string, bigint>): Record<string, bigint> {
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0n));
}

interface RefundStep {
  readonly refundId: string;
  readonly status: RefundStatus;
  readonly minor: number;
  readonly reference?: string | undefined;
}

const refundSteps = fc.array(
  fc.record({
    refundId: fc.constantFrom('a', 'b'),
    status: fc.constantFrom<RefundStatus[]>(
      'reserved',
      'unknown',
      'pending',
      'processing',
      'succeeded',
      'failed',
      'reversed',
    ),
    minor: fc.constant(70),
    reference: fc.constantFrom(undefined, 'part-1', 'part-2'),
  }),
  { maxLength: 6 },
);

function named(step: RefundStep, { paymentId }: PaymentRequest): RefundStep {
  return { ...step, refundId: `${step.refundId}-${paymentId}` };
}

async function setRefund(db: Db, request: PaymentRequest, step: RefundStep): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('payments')
      .selectAll()
      .where('payment_id', '=', request.paymentId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const changes = { status: step.status, provider_reference: step.reference ?? null };
    await trx
      .insertInto('refunds')
      .values({
        refund_id: step.refundId,
        payment_id: request.paymentId,
        connection_id: request.connectionId,
        amount_minor: String(step.minor),
        amount_currency: 'EUR',
        requested_at: AT,
        ...changes,
      })
      .onConflict((conflict) => conflict.column('refund_id').doUpdateSet(changes))
      .execute();
    await bookPayment(trx, row);
  });
}

async function rebook(db: Db, paymentId: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('payments')
      .selectAll()
      .where('payment_id', '=', paymentId)
      .executeTakeFirstOrThrow();
    await bookPayment(trx, row);
  });
}

/** The same balances, worked out from everything at once. */
function modelOf({ told }: Delivery, steps: readonly RefundStep[]): Record<string, bigint> {
  const counted = told.filter(
    ({ amount, tip }) =>
      (!amount || amount.currency === 'EUR') &&
      (!tip || tip.minor === '0' || tip.currency === 'EUR'),
  );
  const largest = new Map<string, bigint>();
  for (const { kind, object, part = '', amount } of counted) {
    const key = [kind, object, part].join('/');
    const minor = BigInt(amount?.minor ?? 0);
    if (minor > (largest.get(key) ?? 0n)) largest.set(key, minor);
  }
  const sum = (prefix: string) =>
    [...largest].reduce((all, [key, minor]) => (key.startsWith(prefix) ? all + minor : all), 0n);
  const held = ['obj-1', 'obj-2', 'obj-3'].map((object) => {
    const consumed = sum(`captured/${object}/`) + sum(`voided/${object}/`);
    const left = sum(`authorized/${object}/`) - consumed;
    return left > 0n ? left : 0n;
  });
  const last = new Map(steps.map((step) => [step.refundId, step]));
  const went = (reference: string | undefined) =>
    [...largest.keys()].some(
      (key) => key.startsWith('refunded/') && key.endsWith(`/${reference ?? '-'}`),
    );
  // A provider's refund that two of ours claim is the first one's.
  const owners = new Map([...last.values()].map((each) => [each.reference, each.refundId]));
  for (const { reference, refundId } of [...last.values()]) {
    const owner = owners.get(reference);
    if (owner === undefined || refundId < owner) owners.set(reference, refundId);
  }
  const waiting = [...last.values()].filter(
    ({ status, reference, refundId }) =>
      status !== 'failed' && !(went(reference) && owners.get(reference) === refundId),
  );
  return withoutZeros({
    'posted payer→provider_pending': sum('captured/'),
    'pending payer→provider_pending': held.reduce((a, b) => a + b),
    'posted provider_pending→refunds': sum('refunded/'),
    'pending provider_pending→refunds': waiting.reduce((all, { minor }) => all + BigInt(minor), 0n),
    'posted refunds→provider_pending': sum('refund_reversed/'),
  });
}

/** What each slot of facts comes to. */
async function sumsOf(db: Db): Promise<unknown> {
  const { rows } = await sql`select payment_id, slot, phase, sum(amount_minor)::text as minor
    from ledger_entries where slot is not null and slot not like '%|refund|%'
    group by payment_id, slot, phase order by payment_id, slot, phase`.execute(db);
  return rows;
}

async function phasesOf(db: Db, paymentId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('ledger_entries')
    .select('phase')
    .where('payment_id', '=', paymentId)
    .orderBy('ordinal')
    .execute();
  return rows.map(({ phase }) => phase);
}

async function insertEntry(
  db: Db,
  changes: { phase?: 'void'; debit?: Account; credit?: Account; amount_minor?: string },
): Promise<void> {
  await db
    .insertInto('ledger_entries')
    .values({
      entry_id: uniqueId('entry'),
      connection_id: 'books',
      phase: 'post',
      debit: 'payer',
      credit: 'provider_pending',
      amount_minor: '1',
      currency: 'EUR',
      hold: null,
      slot: null,
      payment_id: null,
      payout_reference: null,
      ...changes,
    })
    .execute();
}
