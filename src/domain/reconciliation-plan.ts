/** Which days are compared, and what has to be listed for them. Pure. */
import { addDays, addWorkingDays, instantOf, nextWorkingDay } from './calendar.js';
import type { Violation } from './problem.js';
import type { ReportListing } from './reconciliation.js';
import type { Day, DayRange } from './report.js';

/** What a daily run makes up for at most. */
const MOST_DAYS_BACK = 31;

/**
 * The days of a daily run: all since the last that a finished one covered, and those that are paid
 * out today, which after a weekend are several. The first run of a connection begins with yesterday.
 */
export function daysDue(today: Day, coveredUntil: Day | undefined): DayRange {
  const to = addDays(today, -1);
  if (coveredUntil === undefined) return { from: to, to };
  const since = addDays(coveredUntil, 1);
  const paidToday = addWorkingDays(today, -1);
  const from = since < paidToday ? since : paidToday;
  const earliest = addDays(today, -MOST_DAYS_BACK);
  return { from: from < earliest ? earliest : from, to };
}

/** What is wrong with days that somebody asks for; empty if nothing. */
export function checkDays(
  { from, to }: DayRange,
  { today, maxDays }: { readonly today: Day; readonly maxDays: number },
): readonly Violation[] {
  const violations: Violation[] = [];
  if (from > to) violations.push({ field: 'from', rule: 'must not be after to' });
  if (to >= today) violations.push({ field: 'to', rule: 'must be over where the provider is' });
  if (addDays(from, maxDays) <= to) {
    violations.push({
      field: 'from',
      rule: `must be at most ${maxDays} days, both counted, from to`,
    });
  }
  return violations;
}

/** The listings of business days, and of the payouts that were due for them until today. */
export function listingsOf(
  days: DayRange,
  has: {
    readonly kinds: readonly ReportListing['kind'][];
    readonly maxDays: number;
    readonly today: Day;
  },
): readonly ReportListing[] {
  return has.kinds.flatMap((kind) => {
    const listed = kind === 'payouts' ? payoutDays(days, has.today) : days;
    return chunksOf(listed, has.maxDays).map((chunk) => ({ kind, by: { days: chunk } }));
  });
}

/** On which days payouts of these business days are dated, as a rule. */
export function payoutDays({ from, to }: DayRange, today: Day): DayRange {
  const due = nextWorkingDay(to);
  return { from: addDays(from, 1), to: due < today ? due : today };
}

/** When the report of these days is complete, where it is in time. ISO 8601, UTC. */
export function completeFrom(
  { to }: DayRange,
  { completeAt, timeZone }: { readonly completeAt: string; readonly timeZone: string },
): string {
  return instantOf({ day: addDays(to, 1), time: completeAt }, timeZone);
}

function chunksOf({ from, to }: DayRange, maxDays: number): readonly DayRange[] {
  const chunks: DayRange[] = [];
  for (let first = from; first <= to; first = addDays(first, maxDays)) {
    const last = addDays(first, maxDays - 1);
    chunks.push({ from: first, to: last < to ? last : to });
  }
  return chunks;
}
