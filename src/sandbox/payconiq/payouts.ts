import { lateUntil, told } from './anomalies.js';
import { checkAnomaly } from './anomaly.js';
import type { Anomaly } from './anomaly.js';
import { addDays, hourOf, workingDayAfter } from './calendar.js';
import type { Scheduler } from './clock.js';
import { filtered } from './listing.js';
import type { Listing } from './listing.js';
import type { LedgerWriter } from './ledger.js';
import { createPayoutBook } from './payout-book.js';
import type { PayoutMode, SandboxPayout } from './payout-book.js';
import { booksOf } from './reconciliation-rows.js';
import type {
  Books,
  Line,
  PaymentRow,
  PayoutRow,
  RefundRow,
  Sources,
} from './reconciliation-rows.js';

/** In Brussels, from when the day before is told. @see payconiq.txt L363 */
const TOLD_FROM_HOUR = 9;

/**
 * - `documented`: from 9:00 in Brussels on, for the day before; payouts on their own date.
 * - `none`: at once.
 * - a number: so many milliseconds later than documented.
 */
export type DataDelay = 'documented' | 'none' | number;

/** Rows that can tell those of one payout without making all others. */
export interface PublishedRows<Row> extends Listing<Row> {
  /** Without it, the rows of a payout are found by making every row. */
  ofPayout?(payoutId: string): Listing<Row>;
}

/** Rows told as they are, at once, beside those of the sandbox's own payments. */
export interface Publication {
  /** `YYYY-MM-DD`: what its payments and refunds are listed under. */
  readonly businessDay: string;
  /** What its payouts are listed under. Default: the working day after. */
  readonly day?: string;
  readonly payouts?: Listing<PayoutRow>;
  readonly payments?: PublishedRows<PaymentRow>;
  readonly refunds?: PublishedRows<RefundRow>;
}

/** What the merchant's bank gets, and what the reconciliation API says of it. */
export interface SandboxPayouts {
  /** Oldest first: what was really paid out. */
  list(): readonly SandboxPayout[];
  /**
   * Closes a business day in Brussels, `YYYY-MM-DD`, and pays it out, dated the next working day at
   * 7:00. Again for the same day pays what came since. What is withheld: see `PayoutBook`.
   *
   * @throws RangeError when it is no day
   */
  run(options: { readonly day: string }): readonly SandboxPayout[];
  /**
   * From now on tells something wrongly, in the order of injection; answers how to undo it. What it
   * is about may come later. Publications are told as they are.
   *
   * @throws RangeError when it is no anomaly
   */
  inject(anomaly: Anomaly): () => void;
  /** Those that are told now. */
  anomalies(): readonly Anomaly[];
  /** Takes all anomalies away. */
  heal(): void;
  /** Changes how late data is told. */
  dataDelay(next: DataDelay): void;
  /** Tells these rows too, whatever they say; answers how to take them back. */
  publish(publication: Publication): () => void;
}

/** Inclusive, `YYYY-MM-DD`. */
export interface Period {
  readonly start: string;
  readonly end: string;
}
export interface RowFilter {
  readonly payoutId: string | undefined;
  readonly period: Period | undefined;
}

/** What the reconciliation API reads. */
export interface Reconciliation {
  payouts(day: string): readonly Listing<PayoutRow>[];
  payments(filter: RowFilter): readonly Listing<PaymentRow>[];
  refunds(filter: RowFilter): readonly Listing<RefundRow>[];
  /** Whether the provider tells of this payout yet. */
  knows(payoutId: string): boolean;
}

export interface PayoutsOptions extends Omit<Sources, 'payouts'> {
  readonly clock: Scheduler;
  readonly ledger: LedgerWriter;
  readonly settings: {
    readonly payoutMode: PayoutMode;
    readonly payoutsByClock: boolean;
    readonly dataDelay: DataDelay;
  };
}

export function createPayouts(options: PayoutsOptions): {
  readonly control: SandboxPayouts;
  readonly reconciliation: Reconciliation;
} {
  const { clock, profile, settings } = options;
  const { payoutMode: mode, payoutsByClock: isByClock } = settings;
  const payouts = createPayoutBook({ ...options, mode, isByClock });
  const anomalies = new Map<string, Anomaly>();
  const publications = new Set<Publication>();
  let delay = settings.dataDelay;
  let injected = 0;

  const books = (): Books =>
    [...anomalies].reduce(
      (so, [seed, anomaly]) => told(anomaly, so, { profile, seed }),
      booksOf({ ...options, payouts }),
    );

  const toldFrom = (businessDay: string, day: string): number => {
    const late = lateUntil(anomalies.values(), businessDay) ?? 0;
    if (delay === 'none') return late;
    const documented = hourOf(day, TOLD_FROM_HOUR);
    return Math.max(late, delay === 'documented' ? documented : documented + delay);
  };
  const isTold = (businessDay: string, day = addDays(businessDay, 1)): boolean =>
    clock.now() >= toldFrom(businessDay, day);

  const rowsOf = <Row extends PaymentRow>(
    lines: readonly Line<Row>[],
    { payoutId, period }: RowFilter,
  ): readonly Row[] =>
    lines
      .filter(({ businessDay }) => isWithin(businessDay, period) && isTold(businessDay))
      .filter(({ row }) => payoutId === undefined || row.payoutId === payoutId)
      .map(({ row }) => row);

  const published = <Row extends PaymentRow>(
    read: (publication: Publication) => PublishedRows<Row> | undefined,
    { payoutId, period }: RowFilter,
  ): readonly Listing<Row>[] =>
    [...publications]
      .filter(({ businessDay }) => isWithin(businessDay, period))
      .map(read)
      .filter((rows) => rows !== undefined)
      .map((rows) => (payoutId === undefined ? rows : rowsOfPayout(rows, payoutId)));

  const reconciliation: Reconciliation = {
    payouts: (asked) => [
      books()
        .payouts.filter(({ businessDay, day }) => day === asked && isTold(businessDay, day))
        .map(({ row }) => row),
      ...[...publications]
        .filter(({ businessDay, day = workingDayAfter(businessDay) }) => day === asked)
        .map((publication) => publication.payouts)
        .filter((rows) => rows !== undefined),
    ],
    payments: (filter) => [
      rowsOf(books().payments, filter),
      ...published(({ payments }) => payments, filter),
    ],
    refunds: (filter) => [
      rowsOf(books().refunds, filter),
      ...published(({ refunds }) => refunds, filter),
    ],
    knows: (payoutId) =>
      books().payouts.some(
        ({ businessDay, row }) => row.payoutId === payoutId && isTold(businessDay),
      ) || [...publications].some((publication) => isPublished(publication, payoutId)),
  };

  const control: SandboxPayouts = {
    list: () => {
      clock.settle();
      return payouts.list();
    },
    run: payouts.run,
    inject: (anomaly) => {
      const seed = String((injected += 1));
      anomalies.set(seed, checkAnomaly({ ...anomaly }));
      return () => void anomalies.delete(seed);
    },
    anomalies: () => [...anomalies.values()],
    heal: () => anomalies.clear(),
    dataDelay: (next) => void (delay = next),
    publish: (publication) => {
      publications.add(publication);
      return () => void publications.delete(publication);
    },
  };
  return { control, reconciliation };
}

function isWithin(day: string, period: Period | undefined): boolean {
  return period === undefined || (day >= period.start && day <= period.end);
}

function rowsOfPayout<Row extends PaymentRow>(
  rows: PublishedRows<Row>,
  payoutId: string,
): Listing<Row> {
  return rows.ofPayout?.(payoutId) ?? filtered(rows, (row) => row.payoutId === payoutId);
}

function isPublished({ payouts, payments, refunds }: Publication, payoutId: string): boolean {
  const listed = payouts === undefined ? [] : filtered(payouts, (row) => row.payoutId === payoutId);
  if (listed.length > 0) return true;
  return [payments, refunds].some(
    (rows) => rows !== undefined && rowsOfPayout<PaymentRow>(rows, payoutId).length > 0,
  );
}
