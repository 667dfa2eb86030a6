/** Days and hours of the provider's books: Brussels, in summer too. Days are `YYYY-MM-DD`. Pure. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FORM_OF_DAY = /^\d{4}-\d\d-\d\d$/;

/** Making one costs more than using it a thousand times. */
const LOCAL = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Brussels',
  dateStyle: 'short',
  timeStyle: 'medium',
});

/** Banks rest on these too, beside Easter's. */
const FIXED_CLOSING_DAYS = ['01-01', '05-01', '12-25', '12-26'];
/** Good Friday and Easter Monday, from Easter Sunday. */
const EASTER_CLOSING_DAYS = [-2, 1];

/** Whether it is a day that exists. */
export function isDay(text: string): boolean {
  return FORM_OF_DAY.test(text) && dayOfUtc(utcOf(text)) === text;
}

/** The day in Brussels at an instant. */
export function dayOf(time: number): string {
  return LOCAL.format(time).slice(0, 10);
}

/** The day in UTC at an instant. */
export function dayOfUtc(time: number): string {
  return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 10);
}

export function addDays(day: string, days: number): string {
  return dayOfUtc(utcOf(day) + days * DAY_MS);
}

/** From one day to another; negative when the other comes first. */
export function daysBetween(from: string, to: string): number {
  return (utcOf(to) - utcOf(from)) / DAY_MS;
}

/**
 * The instant of a full hour in Brussels. The clocks change between one and three at night UTC+1:
 * for those hours the answer may be an hour off.
 */
export function hourOf(day: string, hour: number): number {
  const asUtc = utcOf(day) + hour * HOUR_MS;
  return asUtc - offsetAt(asUtc - 2 * HOUR_MS);
}

/** Weekends and the closing days of TARGET, by which banks move money, are none. */
export function isWorkingDay(day: string): boolean {
  const date = new Date(utcOf(day));
  const isWeekend = [0, 6].includes(date.getUTCDay());
  if (isWeekend || FIXED_CLOSING_DAYS.includes(day.slice(5))) return false;
  const sunday = easterSunday(date.getUTCFullYear());
  return !EASTER_CLOSING_DAYS.some((days) => addDays(sunday, days) === day);
}

/** The n-th working day after a day. */
export function workingDayAfter(day: string, n = 1): string {
  let found = day;
  for (let left = n; left > 0;) {
    found = addDays(found, 1);
    if (isWorkingDay(found)) left -= 1;
  }
  return found;
}

function utcOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** How far Brussels is ahead of UTC. */
function offsetAt(time: number): number {
  const local = Date.parse(`${LOCAL.format(time).replace(' ', 'T')}Z`);
  return local - Math.floor(time / 1_000) * 1_000;
}

/** Of the Gregorian calendar, by the method of Meeus, Jones and Butcher. */
function easterSunday(year: number): string {
  const century = Math.floor(year / 100);
  const skipped = Math.floor((8 * century + 13) / 25);
  const golden = year % 19;
  const epact = (19 * golden + century - Math.floor(century / 4) - skipped + 15) % 30;
  const rest = year % 100;
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(rest / 4) - epact - (rest % 4)) % 7;
  const shift = Math.floor((golden + 11 * epact + 22 * toSunday) / 451);
  const days = epact + toSunday - 7 * shift + 114;
  return dayOfUtc(Date.UTC(year, Math.floor(days / 31) - 1, (days % 31) + 1));
}
