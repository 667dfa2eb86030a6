import { expect } from 'vitest';
import type { Money } from '../../../src/domain/money.js';
import type { ReconciliationRequest, ReportListing } from '../../../src/domain/reconciliation.js';
import type { ReportedLine, ReportedPayout } from '../../../src/domain/report.js';
import type { Store } from '../../../src/store/store.js';
import { aFact, aRecord, aRequest, eur, uniqueId } from '../examples.js';

export const BRUSSELS = 'Europe/Brussels';
/** A Wednesday, and what was captured on it. */
export const DAY = '2026-03-04';
export const ON_DAY = '2026-03-04T12:00:00.000Z';
const NEXT_MORNING = '2026-03-05T08:15:00.000Z';

export const PAYMENTS: ReportListing = { kind: 'payments', by: { days: { from: DAY, to: DAY } } };
export const REFUNDS: ReportListing = { kind: 'refunds', by: { days: { from: DAY, to: DAY } } };
export const PAYOUTS: ReportListing = {
  kind: 'payouts',
  by: { days: { from: '2026-03-05', to: '2026-03-05' } },
};

export function line(providerReference: string, minor: number, more: Partial<ReportedLine> = {}) {
  const told: ReportedLine = {
    kind: 'payment',
    providerReference,
    amount: eur(minor),
    occurredAt: ON_DAY,
    ...more,
  };
  return told;
}

export function refundLine(providerReference: string, refundReference: string, minor: number) {
  return line(providerReference, minor, { kind: 'refund', refundReference });
}

export function payout(
  payoutReference: string,
  of: { payments: readonly number[]; refunds?: readonly number[] },
  more: Partial<ReportedPayout> = {},
): ReportedPayout {
  const total = (amounts: readonly number[]) => amounts.reduce((a, b) => a + b, 0);
  const { payments, refunds = [] } = of;
  return {
    payoutReference,
    status: 'succeeded',
    paidAt: '2026-03-05T11:00:00.000Z',
    payments: { count: payments.length, amount: eur(total(payments)) },
    refunds: { count: refunds.length, amount: eur(total(refunds)) },
    amount: eur(total(payments) - total(refunds)),
    ...more,
  };
}

/** A connection of a test's own, with what we know and what its provider reports. */
export function aShop(store: Store) {
  const connectionId = uniqueId('shop');

  /** A payment with one captured object. */
  const captured = async (
    object: string,
    amount: Money | number,
    { at = ON_DAY, currency = 'EUR' }: { at?: string; currency?: string } = {},
  ) => {
    const money = typeof amount === 'number' ? { minor: String(amount), currency } : amount;
    const request = aRequest({ connectionId, amount: money });
    await store.recordPayment(
      aRecord({
        request,
        facts: [aFact({ kind: 'captured', object, amount: money, occurredAt: at })],
      }),
    );
    return request.paymentId;
  };

  const start = async (more: Partial<ReconciliationRequest> = {}) => {
    const request: ReconciliationRequest = {
      runId: uniqueId('run'),
      connectionId,
      scope: { days: { from: DAY, to: DAY } },
      timeZone: BRUSSELS,
      hasPayouts: true,
      requestedAt: NEXT_MORNING,
      ...more,
    };
    await store.reconciliations.start(request);
    return request.runId;
  };

  const take = async (
    runId: string,
    listing: ReportListing,
    rows: readonly (ReportedLine | ReportedPayout)[],
  ) => {
    const progress = await store.reconciliations.takePage({
      runId,
      listing,
      payouts: rows.flatMap((row) => ('payments' in row ? row : [])),
      lines: rows.flatMap((row) => ('kind' in row ? row : [])),
    });
    expect(progress.isComplete).toBe(true);
  };

  /** A whole run over these listings; answers its breaks as `kind reference status`. */
  const reconcile = async (
    listings: readonly (readonly [ReportListing, readonly (ReportedLine | ReportedPayout)[]])[],
    more: Partial<ReconciliationRequest> = {},
  ) => {
    const runId = await start(more);
    for (const [listing, rows] of listings) await take(runId, listing, rows);
    await store.reconciliations.match(runId);
    return runId;
  };

  const breaks = async () => {
    const page = await store.breaks.list({ connectionId, limit: 100 });
    return page.breaks.map(
      ({ kind, status, refundReference, providerReference, payoutReference, subject }) => {
        const references = { payment: providerReference, refund: refundReference };
        const reference = subject === 'payout' ? payoutReference : references[subject];
        return `${kind} ${reference} ${status}`;
      },
    );
  };

  const theBreak = async () => {
    const { breaks: all } = await store.breaks.list({ connectionId, limit: 2 });
    expect(all).toHaveLength(1);
    return all[0]!;
  };

  /** What stands to the credit of an account, less its debits. */
  const balance = async (account: string) => {
    const { accounts, trial } = await store.ledger.balances(connectionId);
    expect(trial.every(({ minor }) => minor === '0')).toBe(true);
    const found = accounts.find((each) => each.account === account);
    return Number(found?.postedCredits.minor ?? 0) - Number(found?.postedDebits.minor ?? 0);
  };

  return { connectionId, captured, start, take, reconcile, breaks, theBreak, balance };
}
