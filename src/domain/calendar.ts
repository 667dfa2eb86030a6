/** Days where the provider is, and the days on which banks move money. Times are ISO 8601, UTC. */
import type { Day, DayRange } from './report.js';

const DAY_MS = 86_400_000;

/** The calendar day of an instant in an IANA time zone. Throws RangeError on an unknown zone. */
export function dayOf(instant: string, timeZone: string): Day {
  return localDay(Date.parse(instant), timeZone);
}

/**
 * When a day begins and when the next one does. Where clocks change at midnight, it begins with its
 * first moment that exists.
 */
export function boundsOfDay(
  day: Day,
  timeZone: string,
): { readonly from: string; readonly to: string } {
  return boundsOfDays({ from: day, to: day }, timeZone);
}

/** The same of a range of days: from the first moment of `from` until after the last of `to`. */
export function boundsOfDays(
  { from, to }: DayRange,
  timeZone: string,
): { readonly from: string; readonly to: string } {
  return { from: startOf(from, timeZone), to: startOf(addDays(to, 1), timeZone) };
}

/**
 * The instant of a local time, `HH:MM`. Of a time that clocks skip, the first moment after it; of
 * one that comes twice, either.
 */
export function instantOf(
  { day, time }: { readonly day: Day; readonly time: string },
  timeZone: string,
): string {
  const wanted = `${day} ${time}`;
  const aroundMs = Date.parse(`${day}T${time}Z`);
  return firstInstant(aroundMs, (epochMs) => localTime(epochMs, timeZone) >= wanted);
}

/** The local time of an instant, to the minute: `YYYY-MM-DD HH:MM`. */
export function localTimeOf(instant: string, timeZone: string): string {
  return localTime(Date.parse(instant), timeZone);
}

/** `count` days later, or earlier where it is negative. */
export function addDays(day: Day, count: number): Day {
  return toDay(Date.parse(day) + count * DAY_MS);
}

/** All days of a range, in order; none where it ends before it begins. */
export function daysOf({ from, to }: DayRange): readonly Day[] {
  const days = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}

/** Whether euro transfers are settled: neither a weekend nor a closing day of TARGET. */
export function isWorkingDay(day: Day): boolean {
  const weekday = new Date(day).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !isClosingDay(day);
}

/** The first working day after this one. */
export function nextWorkingDay(day: Day): Day {
  return addWorkingDays(day, 1);
}

/** The `count`th working day after this one, or before it where `count` is negative. */
export function addWorkingDays(day: Day, count: number): Day {
  const step = count < 0 ? -1 : 1;
  let reached = day;
  for (let left = Math.abs(count); left > 0;) {
    reached = addDays(reached, step);
    if (isWorkingDay(reached)) left -= 1;
  }
  return reached;
}

/** Easter Sunday of the Gregorian calendar. */
export function easterSunday(year: number): Day {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const skippedLeapDays = Math.floor(century / 4);
  const moonCorrection = Math.floor((8 * century + 13) / 25);
  const moon = (19 * golden + century - skippedLeapDays - moonCorrection + 15) % 30;
  const isLate = moon === 29 || (moon === 28 && golden > 10);
  const fullMoon = new Date(Date.UTC(year, 2, 21 + moon - (isLate ? 1 : 0)));
  return toDay(fullMoon.getTime() + (7 - fullMoon.getUTCDay()) * DAY_MS);
}

/** @see the ECB's TARGET calendar */
const FIXED_CLOSING_DAYS: readonly string[] = ['01-01', '05-01', '12-25', '12-26'];

function isClosingDay(day: Day): boolean {
  const easter = easterSunday(Number(day.slice(0, 4)));
  const isMovable = day === addDays(easter, -2) || day === addDays(easter, 1);
  return isMovable || FIXED_CLOSING_DAYS.includes(day.slice(5));
}

function toDay(epochMs: number): Day {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** The first instant whose local day is `day` or later. */
function startOf(day: Day, timeZone: string): string {
  return firstInstant(Date.parse(day), (epochMs) => localDay(epochMs, timeZone) >= day);
}

/**
 * Local time is at most a day from UTC, and does not go back, or only for an hour: so the first
 * instant that has been reached can be searched for by halves.
 */
function firstInstant(aroundMs: number, isReached: (epochMs: number) => boolean): string {
  let before = aroundMs - DAY_MS;
  let reached = aroundMs + DAY_MS;
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    if (isReached(middle)) reached = middle;
    else before = middle;
  }
  return new Date(reached).toISOString();
}

function localDay(epochMs: number, timeZone: string): Day {
  return localTime(epochMs, timeZone).slice(0, 10);
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** `YYYY-MM-DD HH:MM`: Sweden writes as ISO 8601 does. */
function localTime(epochMs: number, timeZone: string): string {
  let format = FORMATS.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    FORMATS.set(timeZone, format);
  }
  return format.format(epochMs);
}
