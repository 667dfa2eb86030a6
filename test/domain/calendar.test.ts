import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  addWorkingDays,
  boundsOfDay,
  boundsOfDays,
  dayOf,
  daysOf,
  easterSunday,
  isWorkingDay,
  nextWorkingDay,
} from '../../src/domain/calendar.js';

const BRUSSELS = 'Europe/Brussels';
const HOUR_MS = 3_600_000;

describe('a business day', () => {
  it.each([
    ['2026-03-04T22:59:59.999Z', '2026-03-04'],
    ['2026-03-04T23:00:00.000Z', '2026-03-05'],
    ['2026-07-01T21:59:59.999Z', '2026-07-01'],
    ['2026-07-01T22:00:00.000Z', '2026-07-02'],
  ])('%s is on %s in Brussels', (instant, day) => {
    expect(dayOf(instant, BRUSSELS)).toBe(day);
  });

  it.each([
    ['2026-03-04', '2026-03-03T23:00:00.000Z', 24],
    ['2026-03-29', '2026-03-28T23:00:00.000Z', 23],
    ['2026-10-25', '2026-10-24T22:00:00.000Z', 25],
    ['2026-07-01', '2026-06-30T22:00:00.000Z', 24],
  ])('%s begins at %s in Brussels and has %d hours', (day, from, hours) => {
    const bounds = boundsOfDay(day, BRUSSELS);
    expect(bounds.from).toBe(from);
    expect(Date.parse(bounds.to) - Date.parse(bounds.from)).toBe(hours * HOUR_MS);
  });

  it('begins with its first moment where clocks change at midnight', () => {
    expect(boundsOfDay('2018-11-04', 'America/Sao_Paulo').from).toBe('2018-11-04T03:00:00.000Z');
  });

  it('holds exactly the instants between its bounds, in any zone', () => {
    const zones = ['UTC', BRUSSELS, 'America/Sao_Paulo', 'Pacific/Apia', 'Asia/Kathmandu'];
    const instants = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), (epochMs, zone) => {
        const instant = new Date(epochMs).toISOString();
        const { from, to } = boundsOfDay(dayOf(instant, zone), zone);
        expect(from <= instant && instant < to).toBe(true);
      }),
    );
  });

  it('is one of a range, which ends where the next day begins', () => {
    const range = { from: '2026-02-27', to: '2026-03-01' };
    expect(daysOf(range)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
    expect(daysOf({ from: '2026-03-01', to: '2026-02-28' })).toEqual([]);
    expect(boundsOfDays(range, BRUSSELS)).toEqual({
      from: boundsOfDay('2026-02-27', BRUSSELS).from,
      to: boundsOfDay('2026-03-02', BRUSSELS).from,
    });
  });

  it('is refused in a zone that is none', () => {
    expect(() => dayOf('2026-03-04T00:00:00Z', 'Europe/Atlantis')).toThrow(RangeError);
  });
});

describe('Easter', () => {
  it.each([
    '1954-04-18',
    '1981-04-19',
    '2000-04-23',
    '2008-03-23',
    '2011-04-24',
    '2019-04-21',
    '2024-03-31',
    '2025-04-20',
    '2026-04-05',
    '2027-03-28',
    '2038-04-25',
    '2049-04-18',
    '2076-04-19',
    '2285-03-22',
  ])('is on %s', (day) => {
    expect(easterSunday(Number(day.slice(0, 4)))).toBe(day);
  });
});

describe('a working day', () => {
  it.each([
    '2026-01-01',
    '2026-04-03',
    '2026-04-06',
    '2026-05-01',
    '2026-12-25',
    '2025-12-26',
    '2026-03-07',
    '2026-03-08',
  ])('is not %s', (day) => {
    expect(isWorkingDay(day)).toBe(false);
  });

  it.each(['2026-01-02', '2026-04-02', '2026-04-07', '2026-05-14', '2026-12-24'])(
    'is %s',
    (day) => {
      expect(isWorkingDay(day)).toBe(true);
    },
  );

  it('follows Easter after five days without one', () => {
    expect(nextWorkingDay('2026-04-02')).toBe('2026-04-07');
    expect(addWorkingDays('2026-04-07', -1)).toBe('2026-04-02');
  });

  it('is counted from any day', () => {
    expect(addWorkingDays('2026-03-04', 5)).toBe('2026-03-11');
    expect(addWorkingDays('2026-03-07', 1)).toBe('2026-03-09');
    expect(addWorkingDays('2026-03-07', 0)).toBe('2026-03-07');
    expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
  });
});
