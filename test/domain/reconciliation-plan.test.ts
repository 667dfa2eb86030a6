import { describe, expect, test } from 'vitest';
import { instantOf, localTimeOf } from '../../src/domain/calendar.js';
import {
  checkDays,
  completeFrom,
  daysDue,
  listingsOf,
  payoutDays,
} from '../../src/domain/reconciliation-plan.js';

const BRUSSELS = 'Europe/Brussels';
const days = (from: string, to = from) => ({ from, to });

describe('the days of a daily run', () => {
  test.each([
    ['yesterday, at first', '2026-03-09', undefined, days('2026-03-08')],
    ['yesterday, on a Wednesday', '2026-03-11', '2026-03-09', days('2026-03-10')],
    ['Friday to Sunday, on a Monday', '2026-03-09', '2026-03-07', days('2026-03-06', '2026-03-08')],
    ['Friday again, on a Sunday', '2026-03-08', '2026-03-06', days('2026-03-06', '2026-03-07')],
    ['the long weekend of Easter', '2026-04-07', '2026-04-05', days('2026-04-02', '2026-04-06')],
    ['all since a downtime', '2026-03-12', '2026-03-02', days('2026-03-03', '2026-03-11')],
    ['a month at most', '2026-03-12', '2025-12-24', days('2026-02-09', '2026-03-11')],
    ['the same, when run again', '2026-03-11', '2026-03-10', days('2026-03-10')],
  ])('are %s', (_which, today, coveredUntil, expected) => {
    expect(daysDue(today, coveredUntil)).toEqual(expected);
  });
});

describe('days asked for', () => {
  const today = '2026-03-31';
  const fields = (asked: ReturnType<typeof days>) =>
    checkDays(asked, { today, maxDays: 30 }).map(({ field }) => field);

  test('are over, in order, and not too many', () => {
    expect(fields(days('2026-03-01', '2026-03-30'))).toEqual([]);
    expect(fields(days('2026-02-28', '2026-03-30'))).toEqual(['from']);
    expect(fields(days('2026-03-31'))).toEqual(['to']);
    expect(fields(days('2026-03-02', '2026-03-01'))).toEqual(['from']);
  });
});

describe('listings', () => {
  test('are of as many days at once as the provider takes', () => {
    const kinds = ['payouts', 'payments'] as const;
    const has = { kinds, maxDays: 2, today: '2026-03-06' };
    expect(listingsOf(days('2026-03-02', '2026-03-04'), has)).toEqual([
      { kind: 'payouts', by: { days: days('2026-03-03', '2026-03-04') } },
      { kind: 'payouts', by: { days: days('2026-03-05') } },
      { kind: 'payments', by: { days: days('2026-03-02', '2026-03-03') } },
      { kind: 'payments', by: { days: days('2026-03-04') } },
    ]);
  });

  test('are of payouts until the next working day, as far as it has come', () => {
    expect(payoutDays(days('2026-03-06'), '2026-03-20')).toEqual(days('2026-03-07', '2026-03-09'));
    expect(payoutDays(days('2026-03-06'), '2026-03-07')).toEqual(days('2026-03-07'));
  });
});

describe('a report is complete', () => {
  test.each([
    ['in winter', '2026-03-27', '2026-03-28T08:15:00.000Z'],
    ['on the day when summer time begins', '2026-03-28', '2026-03-29T07:15:00.000Z'],
    ['on the day when it ends', '2026-10-24', '2026-10-25T08:15:00.000Z'],
  ])('at the provider’s hour %s', (_when, day, expected) => {
    expect(completeFrom(days(day), { completeAt: '09:15', timeZone: BRUSSELS })).toBe(expected);
  });
});

describe('a local time', () => {
  test('that clocks skip is the first moment after it', () => {
    const skipped = instantOf({ day: '2026-03-29', time: '02:30' }, BRUSSELS);
    expect(skipped).toBe('2026-03-29T01:00:00.000Z');
    expect(localTimeOf(skipped, BRUSSELS)).toBe('2026-03-29 03:00');
  });
});
