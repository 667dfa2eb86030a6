/** What Payconiq reports: payouts (PCQ-13), and the payments and refunds in them (PCQ-14, PCQ-15). */
import type { z } from 'zod';
import { addDays } from '../../domain/calendar.js';
import type { Problem } from '../../domain/problem.js';
import type { Day, DayRange } from '../../domain/report.js';
import { unexpectedAnswer, type Answer } from '../../transport/classify.js';
import type {
  ConnectionResources,
  ReportCapability,
  ReportKind,
  ReportPage,
  ReportRequest,
} from '../provider.js';
import { refusalOf, type CallApi } from './api.js';
import { REPORT_ERRORS, reportedLine, reportedPayout } from './mapping.js';
import { unanswered, unclear } from './reads.js';
import { parseBody, reportPage, reportRows, type LineRow } from './wire.js';

const PATH = '/v3/reconciliation';
/** First and last may be 30 days apart; we ask for no more than 30 days in all (L10803). */
const MAX_DAYS = 30;

/** @see payconiq.txt L341-365, L10535-11194; for signed connections alone */
export function payconiqReports(
  { now, timing }: Pick<ConnectionResources, 'now' | 'timing'>,
  callApi: CallApi,
): ReportCapability {
  return {
    timeZone: 'Europe/Brussels',
    // From 9:00 on, by the provider's clock.
    completeAt: '09:15',
    maxDays: MAX_DAYS,
    kinds: ['payouts', 'payments', 'refunds'],
    async page(asked) {
      const place = placeOf(asked);
      const answer = await callApi({
        method: 'GET',
        path: `${PATH}/${asked.kind}`,
        query: queryOf(asked, place),
        size: 'report',
        connection: 'kept',
        deadlineMs: now() + timing.providerTimeoutMs,
      });
      if (answer.kind !== 'answered') return unanswered(answer);
      return answer.status === 200 ? pageOf(asked, place, answer) : refused(asked, answer);
    },
  };
}

// --- where in a report we are ----------------------------------------------------------------------

/** Payouts are asked for day by day, all else in one go. */
type Place = { readonly page: number; readonly day?: Day };

function placeOf(asked: ReportRequest): Place {
  const days = 'days' in asked.by ? checkedDays(asked.by.days) : undefined;
  const first = asked.kind === 'payouts' && days ? { day: days.from } : {};
  if (asked.cursor === undefined) return { page: 0, ...first };
  const [, day, page] = /^(?:(\d{4}-\d{2}-\d{2})\/)?(\d{1,9})$/.exec(asked.cursor) ?? [];
  const isOfDay = days !== undefined && day !== undefined && isDay(day) && isIn(day, days);
  if (page === undefined || (asked.kind === 'payouts' ? !isOfDay : day !== undefined)) {
    throw new RangeError('the cursor is not of this report');
  }
  return { page: Number(page), ...(day !== undefined && { day }) };
}

function cursorTo({ page, day }: Place): string {
  return day === undefined ? String(page) : `${day}/${page}`;
}

/** Where to go on, by what the answer says of its pages; undefined at the end. */
function placeAfter(
  { by, kind }: ReportRequest,
  place: Place,
  totalPages: number,
): Place | undefined {
  if (place.page + 1 < totalPages) return { ...place, page: place.page + 1 };
  const isEnd = kind !== 'payouts' || place.day === undefined || place.day >= by.days.to;
  return isEnd ? undefined : { page: 0, day: addDays(place.day, 1) };
}

function checkedDays(days: DayRange): DayRange {
  const { from, to } = days;
  const isRange = isDay(from) && isDay(to) && from <= to && to < addDays(from, MAX_DAYS);
  if (isRange) return days;
  throw new RangeError(`a range has 1 to ${MAX_DAYS} days, YYYY-MM-DD, the first one first`);
}

function isDay(text: string): boolean {
  const isWritten = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  return isWritten && new Date(text).toISOString().startsWith(text);
}

function isIn(day: Day, { from, to }: DayRange): boolean {
  return from <= day && day <= to;
}

/** Pages have one fixed size at Payconiq, so none is sent. */
function queryOf({ by }: ReportRequest, { page, day }: Place): string {
  const filter = 'days' in by ? daysOf(by.days, day) : { 'payout-id': by.payoutReference };
  return new URLSearchParams({ ...filter, page: String(page) }).toString();
}

function daysOf({ from, to }: DayRange, day: Day | undefined): Record<string, string> {
  return day === undefined ? { 'start-date': from, 'end-date': to } : { date: day };
}

// --- what a page says ------------------------------------------------------------------------------

/** Complete, or unclear: a page that does not fit as a whole is not taken in part. */
function pageOf(asked: ReportRequest, place: Place, answer: Answer): ReportPage {
  const page = parseBody(reportPage, answer.body);
  if (!page) return unclear(misfit('a report that does not parse'));
  if (page.number !== place.page) return unclear(misfit(`page ${page.number} of a report`));
  const rows = READ[asked.kind](page[asked.kind]);
  if ('misfit' in rows) return unclear(misfit(rows.misfit));
  const count = rows.payouts.length + rows.lines.length;
  if (page.totalPages <= 1 && place.page === 0 && count !== page.totalElements) {
    return unclear(misfit(`${count} rows in place of ${page.totalElements}`));
  }
  const next = placeAfter(asked, place, page.totalPages);
  return { kind: 'found', ...rows, ...(next && { nextCursor: cursorTo(next) }) };
}

type Rows = Pick<Extract<ReportPage, { kind: 'found' }>, 'payouts' | 'lines'>;

type ReadRows = (told: unknown) => Rows | { readonly misfit: string };

const linesOf = (rows: readonly LineRow[]): Rows => ({
  payouts: [],
  lines: rows.map(reportedLine),
});

const READ: Readonly<Record<ReportKind, ReadRows>> = {
  payouts: reader('payouts', reportRows.payouts, (rows) => ({
    payouts: rows.map(reportedPayout),
    lines: [],
  })),
  payments: reader('payments', reportRows.payments, linesOf),
  refunds: reader('refunds', reportRows.refunds, linesOf),
};

function reader<Row>(
  kind: ReportKind,
  schema: z.ZodType<readonly Row[]>,
  translate: (rows: readonly Row[]) => Rows,
): ReadRows {
  return (told) => {
    const parsed = schema.safeParse(told);
    return parsed.success
      ? translate(parsed.data)
      : { misfit: `an unreadable ${whereIn(kind, parsed.error)}` };
  };
}

/** The first row and field that do not fit, rows counted from 0; what they say stays untold. */
function whereIn(kind: ReportKind, { issues }: z.ZodError): string {
  return [kind, ...(issues[0]?.path ?? [])].join('.');
}

function misfit(what: string): Problem {
  return unexpectedAnswer(`Payconiq answered 200 with ${what}`).problem;
}

function refused({ by }: ReportRequest, answer: Answer): ReportPage {
  const { problem } = refusalOf(answer, REPORT_ERRORS);
  const isAbsent = 'payoutReference' in by && problem.providerCode === 'PAYOUT_NOT_FOUND';
  return { kind: isAbsent ? 'absent' : 'unclear', problem };
}
