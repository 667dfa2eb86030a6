/** Reports as tables for spreadsheets: one row for each total and break, or for each payout line. */
import { currencyExponent } from '../domain/currencies.js';
import { formatDecimal, type Money } from '../domain/money.js';
import type {
  FoundBreak,
  ReconciliationRun,
  RunTotals,
  StoredLine,
  Tally,
} from '../domain/reconciliation.js';
import { csvRecord, type Cell } from './csv.js';

const REPORT_COLUMNS = [
  'row',
  'kind',
  'status',
  'count',
  'currency',
  'ours',
  'theirs',
  'difference',
  'business_day',
  'subject',
  'payment',
  'refund',
  'provider_payment',
  'provider_refund',
  'payout',
  'explanation',
  'closed_by',
  'reason',
  'break',
  'connection',
  'run',
] as const;

type Row = Partial<Record<(typeof REPORT_COLUMNS)[number], Cell>>;

/** The header and the totals of a run; its breaks follow. */
export function csvOfTotals({ runId, connectionId, totals, status }: ReconciliationRun): string {
  const about = { run: runId, connection: connectionId };
  const rows = totals ? totalRows(totals) : [{ row: 'total', kind: `run ${status}` }];
  return [csvRecord(REPORT_COLUMNS), ...rows.map((row) => recordOf({ ...row, ...about }))].join('');
}

export function csvOfBreak({ runId }: ReconciliationRun, found: FoundBreak): string {
  const { ours, theirs, difference, explanation, resolution } = found;
  const currencies = new Set([ours, theirs].flatMap((amount) => amount?.currency ?? []));
  return recordOf({
    row: 'break',
    kind: found.kind,
    status: found.status,
    count: 1,
    currency: [...currencies].join(' / '),
    ours: decimal(ours),
    theirs: decimal(theirs),
    difference: decimal(difference),
    business_day: found.businessDay,
    subject: found.subject,
    payment: found.paymentId,
    refund: found.refundId,
    provider_payment: found.providerReference,
    provider_refund: found.refundReference,
    payout: found.payoutReference,
    explanation: explanation?.by,
    closed_by: resolution?.actor,
    reason: resolution?.reason,
    break: found.breakId,
    connection: found.connectionId,
    run: runId,
  });
}

function totalRows({ payments, refunds, payouts, breaks, unexplained }: RunTotals): Row[] {
  return [
    ...tallyRows('payments', { seen: payments.seen, matched: payments.matched }),
    ...tallyRows('refunds', { seen: refunds.seen, matched: refunds.matched }),
    ...tallyRows('payouts', { seen: payouts.seen, succeeded: payouts.succeeded }),
    ...breaks.flatMap(({ kind, ...tallies }) => tallyRows(kind, tallies)),
    ...unexplained.map((amount) => ({
      row: 'total',
      kind: 'unexplained',
      currency: amount.currency,
      difference: decimal(amount),
    })),
  ];
}

/** In the column of whoever says so: what was seen is theirs, what matched is ours too. */
const COLUMNS: Readonly<Record<string, readonly ('ours' | 'theirs' | 'difference')[]>> = {
  seen: ['theirs'],
  succeeded: ['theirs'],
  matched: ['ours', 'theirs'],
};

function tallyRows(kind: string, tallies: Readonly<Record<string, Tally>>): Row[] {
  return Object.entries(tallies).flatMap(([status, { count, amounts }]) => {
    const total = { row: 'total', kind, status, count };
    const columns = COLUMNS[status] ?? ['difference'];
    if (amounts.length === 0) return [total];
    return amounts.map((amount) => ({
      ...total,
      currency: amount.currency,
      ...Object.fromEntries(columns.map((column) => [column, decimal(amount)])),
    }));
  });
}

function recordOf(row: Row): string {
  return csvRecord(REPORT_COLUMNS.map((column) => row[column]));
}

export const CSV_OF_LINES = csvRecord([
  'kind',
  'provider_payment',
  'provider_refund',
  'payout',
  'currency',
  'amount',
  'ours',
  'verdict',
  'payment',
  'business_day',
  'occurred_at',
  'reference',
  'description',
]);

export function csvOfLine(line: StoredLine): string {
  return csvRecord([
    line.kind,
    line.providerReference,
    line.refundReference,
    line.payoutReference,
    line.amount.currency,
    decimal(line.amount),
    decimal(line.ours),
    line.verdict,
    line.paymentId,
    line.businessDay,
    line.occurredAt,
    line.merchantReference,
    line.description,
  ]);
}

/** In major units; minor units where nobody knows how the currency counts. */
function decimal(amount: Money | undefined): string | undefined {
  if (!amount) return undefined;
  return currencyExponent(amount.currency) === undefined ? amount.minor : formatDecimal(amount);
}
