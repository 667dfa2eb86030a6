import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fact, type Fact, type FactKind } from '../../src/domain/facts.js';
import { refundKey } from '../../src/domain/ids.js';
import type { Refund } from '../../src/domain/refund.js';
import type { FaultFor } from '../../src/sandbox/payconiq/faults.js';
import type { LedgerKind } from '../../src/sandbox/payconiq/ledger.js';
import type { SandboxRefund } from '../../src/sandbox/payconiq/refund.js';
import { CONNECTION_ID, startHarness, type Harness } from '../support/harness.js';
import { euros, refunding, type Captured } from '../support/refunding.js';

/**
 * Many payments at once, each with refunds of ours and at the portal, faults on the way, and every
 * end there is. Whatever came of it, our books must be the provider's, to the cent.
 */
const PAYMENTS = 32;
const WITHIN_MS = 100_000;
const PAUSE_MS = 200;
/** A person who has asked waits for what comes of it. */
const HELP_EVERY_MS = 6_000;

const REFUND_FAULTS: readonly FaultFor<'refund'>[] = [
  { kind: 'reset_before_effect' },
  { kind: 'reset_after_effect' },
  { kind: 'error_before_effect' },
  { kind: 'error_after_effect', status: 503 },
  { kind: 'cut_body' },
  { kind: 'garbage' },
  { kind: 'garbage', effect: 'never' },
  { kind: 'throttle' },
  { kind: 'slow', effect: 'before' },
  { kind: 'slow', effect: 'after', ms: 1_500 },
  { kind: 'answer', code: 'INVALID_REFUND_AMOUNT' },
  { kind: 'answer', code: 'REFUND_NOT_POSSIBLE' },
  { kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' },
  { kind: 'answer', code: 'REFUND_REQUEST_CONFLICT' },
];

const READ_FAULTS: readonly FaultFor<'get_refund'>[] = [
  { kind: 'reset_after_effect' },
  { kind: 'error_after_effect' },
  { kind: 'garbage' },
  { kind: 'cut_body' },
  { kind: 'throttle' },
  { kind: 'slow', effect: 'never' },
  { kind: 'answer', code: 'REFUND_NOT_FOUND' },
];

const ENDS = ['REFUNDED', 'PROCESSING', 'FAILED', 'reversed'] as const;

const plannedRefund = fc.record({
  /** Of what was captured; undefined: all that is left. */
  percent: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
  end: fc.constantFrom(...ENDS),
  /** A report tells of it before the refund itself does. */
  isReportedFirst: fc.boolean(),
});
type PlannedRefund = typeof plannedRefund extends fc.Arbitrary<infer T> ? T : never;

const life = fc.record({
  cents: fc.integer({ min: 100, max: 9_999 }),
  refunds: fc.array(plannedRefund, { minLength: 1, maxLength: 4 }),
  faults: fc.array(fc.constantFrom(...REFUND_FAULTS), { maxLength: 4 }),
  readFaults: fc.array(fc.constantFrom(...READ_FAULTS), { maxLength: 2 }),
  /** Refunded by nobody's request to us, and told by a report at once or at last. */
  portal: fc.option(
    fc.record({ percent: fc.integer({ min: 1, max: 100 }), isToldAtOnce: fc.boolean() }),
    { nil: undefined },
  ),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true, signed: true });
  harness.sandbox.refunds.course('pending');
  await harness.startWorker();
});
afterAll(() => harness.close());

const { captured, atProvider } = refunding(() => harness);

test(
  'PCQ-11, PCQ-12: captures, refunds, faults and ends at random: our books are the provider’s',
  async () => {
    const lives = fc.array(life, { minLength: PAYMENTS, maxLength: PAYMENTS });
    const property = fc.asyncProperty(lives, async (planned) => {
      const lived = await Promise.all(planned.map(live));
      for (const each of lived) await expectSameBooks(each);
      await expectLedger(lived.map(({ object }) => object));
    });
    // Its many lives are one run, and too long to be shrunk; the seed brings it back.
    await fc.assert(property, { numRuns: 1, endOnFailure: true });
  },
  WITHIN_MS + 20_000,
);

interface Lived extends Captured {
  readonly refundIds: readonly string[];
}

async function live({ cents, refunds, faults, readFaults, portal }: Life): Promise<Lived> {
  const payment = await captured({ minor: String(cents) });
  const { paymentId, object } = payment;
  const where = { paymentId: object };
  faults.forEach((what) => harness.sandbox.faults.next('refund', what, where));
  readFaults.forEach((what) => harness.sandbox.faults.next('get_refund', what, where));
  const made = portal && refundAtPortal(object, shareOf(cents, portal.percent));
  if (made && portal.isToldAtOnce) await report(paymentId, made);
  const refundIds = await Promise.all(refunds.map((plan) => liveRefund({ payment, cents, plan })));
  if (made) await report(paymentId, made);
  return { ...payment, refundIds };
}

function shareOf(cents: number, percent: number): number {
  return Math.max(1, Math.floor((cents * percent) / 100));
}

function refundAtPortal(object: string, cents: number): SandboxRefund {
  const { refundId } = harness.sandbox.refunds.makeAtPortal(object, cents);
  return harness.sandbox.refunds.advance(refundId, 'REFUNDED');
}

/** As a report of the provider's has it. */
async function report(paymentId: string, made: SandboxRefund): Promise<void> {
  const { paymentId: object, refundId: part, amount } = made;
  const told = { object, part, amount: euros(String(amount)), source: 'report' } as const;
  const occurredAt = new Date().toISOString();
  await harness.store.recordFacts(paymentId, [fact({ kind: 'refunded', ...told, occurredAt })]);
}

interface Living {
  readonly payment: Captured;
  readonly cents: number;
  readonly plan: PlannedRefund;
}

/** Asks for it, and plays provider and person until nothing more is to come. */
async function liveRefund(living: Living): Promise<string> {
  const { payment, cents, plan } = living;
  const refundId = randomUUID();
  const amount = plan.percent && euros(String(shareOf(cents, plan.percent)));
  const asked = { refundId, paymentId: payment.paymentId, ...(amount && { amount }) };
  await harness.client.refunds.create(asked);
  const help = helper(refundId);
  for (const deadlineMs = Date.now() + WITHIN_MS; ;) {
    const refund = await harness.store.refunds.get(refundId);
    const made = madeFor(refundId, payment.object);
    if (made) await moveOn(made, living, refund);
    if (refund && isOver(refund, plan)) return refundId;
    if (refund) await help(refund, made);
    if (Date.now() > deadlineMs)
      throw new Error(`stuck: ${JSON.stringify({ refund, made, plan })}`);
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

function madeFor(refundId: string, object: string): SandboxRefund | undefined {
  const key = refundKey(refundId, 1);
  return atProvider(object).find(({ idempotencyKey }) => idempotencyKey === key);
}

function isOver({ status, ended }: Refund, { end }: PlannedRefund): boolean {
  if (status === 'processing') return end === 'PROCESSING';
  return ended && !(status === 'succeeded' && end === 'reversed');
}

async function moveOn(
  { refundId: part, status }: SandboxRefund,
  { payment, plan: { end, isReportedFirst } }: Living,
  ours: Refund | undefined,
): Promise<void> {
  const { refunds } = harness.sandbox;
  if (status === 'PENDING') {
    const moved = refunds.advance(part, end === 'reversed' ? 'REFUNDED' : end);
    if (isReportedFirst && end !== 'FAILED') await report(payment.paymentId, moved);
  }
  if (end !== 'reversed' || ours?.status !== 'succeeded' || !ours.ended) return;
  if (status === 'REFUNDED') refunds.reverse(part);
  await ask(ours.refundId);
}

const person = { actor: 'ann', reason: 'it needs attention' };

async function ask(refundId: string): Promise<void> {
  await harness.client.refunds.repair(refundId, { ...person, repair: { kind: 'ask' } });
}

/** A person who sees to what is unknown: asks, then says that nothing was made where nothing was. */
function helper(refundId: string) {
  let helped = 0;
  let helpedAtMs = 0;
  return async (refund: Refund, made: SandboxRefund | undefined): Promise<void> => {
    const isDue = Date.now() - helpedAtMs > HELP_EVERY_MS;
    if (refund.status !== 'unknown' || !refund.attention || !isDue) return;
    helpedAtMs = Date.now();
    helped += 1;
    if (helped === 1 || made) return ask(refundId);
    const repair = { kind: 'state', status: 'failed' } as const;
    await harness.client.refunds.repair(refundId, { ...person, repair });
  };
}

// --- the books ----------------------------------------------------------------------------------

async function expectSameBooks({ paymentId, object, refundIds }: Lived): Promise<void> {
  const facts = (await harness.store.loadPayment(paymentId))?.facts ?? [];
  const theirs = {
    captured: movedOf(object, 'paid_out'),
    refunded: byPart(object, 'refunded'),
    reversed: byPart(object, 'refund_reversed'),
  };
  expect({
    captured: sum(ofKind(facts, 'captured').map(centsOf)),
    refunded: partsOf(facts, 'refunded'),
    reversed: partsOf(facts, 'refund_reversed'),
  }).toEqual(theirs);

  const returned = movedOf(object, 'refunded') - movedOf(object, 'refund_reversed');
  expect(returned).toBeLessThanOrEqual(theirs.captured);
  const payment = await harness.store.getPayment(paymentId);
  expect(payment).toMatchObject({
    amounts: { captured: euros(String(theirs.captured)), refunded: euros(String(returned)) },
    flags: [],
  });
  const left = euros(String(theirs.captured - returned));
  expect(await harness.store.refunds.refundable(paymentId)).toEqual(left);
  for (const refundId of refundIds) await expectOneMovement(refundId, object);
}

/** Under its key there is one refund at the provider, or none where we say that none was made. */
async function expectOneMovement(refundId: string, object: string): Promise<void> {
  const refund = await harness.store.refunds.get(refundId);
  const made = atProvider(object).filter(({ idempotencyKey }) =>
    idempotencyKey?.startsWith(`${refundId}/`),
  );
  expect(made.length).toBeLessThanOrEqual(1);
  expect(refund?.status).not.toBe('unknown');
  expect(refund?.unknownSince).toBeUndefined();
  const isMade = made.length === 1;
  expect(refund?.providerReference).toBe(isMade ? made[0]?.refundId : undefined);
  const moved = harness.sandbox.ledger
    .ofPayment(object)
    .filter(({ kind, refundId: part }) => kind === 'refunded' && part === made[0]?.refundId);
  const isPaid = ['processing', 'succeeded', 'reversed'].includes(refund?.status ?? '');
  expect(moved).toHaveLength(isMade && isPaid ? 1 : 0);
}

async function expectLedger(objects: readonly string[]): Promise<void> {
  const { accounts, trial } = await harness.store.ledger.balances(CONNECTION_ID);
  const total = (kind: LedgerKind) =>
    euros(String(sum(objects.map((object) => movedOf(object, kind)))));
  const none = euros('0');
  const [taken, refunded, reversed] = [
    total('paid_out'),
    total('refunded'),
    total('refund_reversed'),
  ];
  expect(trial).toEqual([none]);
  const of = (name: string) => accounts.find(({ account }) => account === name);
  for (const { pendingDebits, pendingCredits } of accounts) {
    expect([pendingDebits, pendingCredits]).toEqual([none, none]);
  }
  expect(of('payer')).toMatchObject({ postedDebits: taken, postedCredits: none });
  expect(of('refunds') ?? { postedCredits: none, postedDebits: none }).toMatchObject({
    postedCredits: refunded,
    postedDebits: reversed,
  });
}

function movedOf(object: string, wanted: LedgerKind): number {
  const entries = harness.sandbox.ledger.ofPayment(object);
  return sum(entries.filter(({ kind }) => kind === wanted).map(({ amountMinor }) => amountMinor));
}

function byPart(object: string, wanted: LedgerKind): object {
  const entries = harness.sandbox.ledger.ofPayment(object);
  const found = entries.filter(({ kind }) => kind === wanted);
  return sorted(found.map(({ refundId = '', amountMinor }) => [refundId, amountMinor]));
}

function partsOf(facts: readonly Fact[], kind: FactKind): object {
  return sorted(ofKind(facts, kind).map((each) => [each.part ?? '', centsOf(each)]));
}

function ofKind(facts: readonly Fact[], wanted: FactKind): readonly Fact[] {
  return facts.filter(({ kind }) => kind === wanted);
}

function centsOf({ amount }: Fact): number {
  return Number(amount?.minor);
}

/** Twice the same part would be two entries here. */
function sorted(entries: [string, number][]): object {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
