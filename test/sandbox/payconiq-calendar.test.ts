import { describe, expect, it } from 'vitest';
import {
  addDays,
  dayOf,
  daysBetween,
  hourOf,
  isDay,
  isWorkingDay,
  workingDayAfter,
} from '../../src/sandbox/payconiq/calendar.js';

describe('a day in Brussels', () => {
  it.each([
    ['2026-01-15', '2026-01-14T23:00:00.000Z', 24],
    ['2026-07-15', '2026-07-14T22:00:00.000Z', 24],
    ['2026-03-29', '2026-03-28T23:00:00.000Z', 23],
    ['2026-10-25', '2026-10-24T22:00:00.000Z', 25],
  ])('%s begins at %s and has %d hours', (day, begins, hours) => {
    const start = hourOf(day, 0);
    const end = hourOf(addDays(day, 1), 0);
    expect(new Date(start).toISOString()).toBe(begins);
    expect((end - start) / 3_600_000).toBe(hours);
    expect([dayOf(start - 1), dayOf(start), dayOf(end - 1), dayOf(end)]).toEqual([
      addDays(day, -1),
      day,
      day,
      addDays(day, 1),
    ]);
  });

  it.each([
    ['2026-03-28', '2026-03-28T08:00:00.000Z'],
    ['2026-03-29', '2026-03-29T07:00:00.000Z'],
    ['2026-10-24', '2026-10-24T07:00:00.000Z'],
    ['2026-10-25', '2026-10-25T08:00:00.000Z'],
  ])('%s has its nine o’clock at %s', (day, nine) => {
    expect(new Date(hourOf(day, 9)).toISOString()).toBe(nine);
  });

  it('is counted from another without regard to hours', () => {
    expect(daysBetween('2026-03-01', '2026-03-31')).toBe(30);
    expect(daysBetween('2026-11-01', '2026-10-25')).toBe(-7);
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
  });

  it.each([
    '2026-02-30',
    '2026-13-01',
    '26-01-01',
    '2026-1-1',
    '',
    '2026-01-01T00:00:00Z',
    'today',
  ])('is not %j', (text) => expect(isDay(text)).toBe(false));
});

describe('the working day after', () => {
  it.each([
    ['2026-11-19', '2026-11-20', 'an ordinary Thursday'],
    ['2026-11-20', '2026-11-23', 'a Friday'],
    ['2026-11-21', '2026-11-23', 'a Saturday'],
    ['2026-11-22', '2026-11-23', 'a Sunday'],
    ['2026-12-31', '2027-01-04', 'New Year’s Eve, before a weekend'],
    ['2026-12-24', '2026-12-28', 'Christmas Eve'],
    ['2026-04-02', '2026-04-07', 'Maundy Thursday'],
    ['2024-03-28', '2024-04-02', 'Maundy Thursday of 2024'],
    ['2025-04-17', '2025-04-22', 'Maundy Thursday of 2025'],
    ['2038-04-22', '2038-04-27', 'Maundy Thursday of 2038, the latest there can be'],
    ['2026-04-30', '2026-05-04', 'the eve of Labour Day'],
  ])('%s is %s: %s', (day, next) => {
    expect(workingDayAfter(day)).toBe(next);
    expect(isWorkingDay(next)).toBe(true);
  });

  it('is counted on', () => {
    expect(workingDayAfter('2026-11-20', 5)).toBe('2026-11-27');
    expect(workingDayAfter('2026-12-23', 3)).toBe('2026-12-29');
  });

  it('may be a Belgian holiday: banks move money then', () => {
    expect(isWorkingDay('2026-07-21')).toBe(true);
    expect(isWorkingDay('2026-11-11')).toBe(true);
  });
});
