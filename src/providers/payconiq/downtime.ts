/** When Payconiq's test environment is switched off. Pure. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Each night, in Brussels; a night that leads to a Saturday or Sunday ends on Monday. */
const OFF_FROM_MINUTE = 21 * 60 + 30;
const ON_FROM_HOUR = 6;
/** East of Greenwich, in winter and in summer. */
const OFFSETS_MS = [HOUR_MS, 2 * HOUR_MS];

/** Making one costs more than using it a thousand times. */
const BRUSSELS = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/Brussels',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
});

/**
 * The end of the planned downtime of EXT that is under way at `nowMs`, undefined if none is; both in
 * epoch milliseconds. Each day from 21:30 to 6:00, and from Friday 21:30 to Monday 6:00; what the
 * document calls CET is read as the time in Brussels, in summer too.
 *
 * @see payconiq.txt L81
 */
export function plannedDowntimeEnd(nowMs: number): number | undefined {
  const { dayMs, minute } = inBrussels(nowMs);
  const isBeforeMorning = minute < ON_FROM_HOUR * 60;
  if (isWorkday(dayMs) && !isBeforeMorning && minute < OFF_FROM_MINUTE) return undefined;
  return morningOf(nextWorkday(isBeforeMorning ? dayMs : dayMs + DAY_MS));
}

/** A day in Brussels, as its midnight in UTC, and the minutes since its own midnight by the clock. */
function inBrussels(ms: number): { readonly dayMs: number; readonly minute: number } {
  const parts = BRUSSELS.formatToParts(ms);
  const read = (wanted: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find(({ type }) => type === wanted)?.value);
  const dayMs = Date.UTC(read('year'), read('month') - 1, read('day'));
  return { dayMs, minute: read('hour') * 60 + read('minute') };
}

function isWorkday(dayMs: number): boolean {
  const weekday = new Date(dayMs).getUTCDay();
  return weekday >= 1 && weekday <= 5;
}

function nextWorkday(dayMs: number): number {
  return isWorkday(dayMs) ? dayMs : nextWorkday(dayMs + DAY_MS);
}

/** The clocks change at night: at six there is one such instant on every day. */
function morningOf(dayMs: number): number {
  const candidates = OFFSETS_MS.map((offsetMs) => dayMs + ON_FROM_HOUR * HOUR_MS - offsetMs);
  const isMorning = (ms: number): boolean => inBrussels(ms).minute === ON_FROM_HOUR * 60;
  return candidates.find(isMorning)!;
}
