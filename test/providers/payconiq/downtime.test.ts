import { describe, expect, it, test } from 'vitest';
import { plannedDowntimeEnd } from '../../../src/providers/payconiq/downtime.js';
import { startMerchant } from './merchant.js';

const endAt = (time: string): string | undefined => {
  const endMs = plannedDowntimeEnd(Date.parse(time));
  return endMs === undefined ? undefined : new Date(endMs).toISOString();
};

describe('EXT is switched off (L81)', () => {
  test.each([
    ['on a winter night', '2026-01-13T21:30:00+01:00', '2026-01-14T05:00:00.000Z'],
    ['after midnight', '2026-01-14T00:00:00+01:00', '2026-01-14T05:00:00.000Z'],
    ['until just before six', '2026-01-14T05:59:59+01:00', '2026-01-14T05:00:00.000Z'],
    ['on a summer night', '2026-07-14T21:30:00+02:00', '2026-07-15T04:00:00.000Z'],
    ['on Friday evening', '2026-07-17T21:30:00+02:00', '2026-07-20T04:00:00.000Z'],
    ['early on Saturday', '2026-07-18T03:00:00+02:00', '2026-07-20T04:00:00.000Z'],
    ['on Saturday at noon', '2026-07-18T12:00:00+02:00', '2026-07-20T04:00:00.000Z'],
    ['late on Sunday', '2026-07-19T23:59:59+02:00', '2026-07-20T04:00:00.000Z'],
    ['early on Monday', '2026-07-20T05:59:59+02:00', '2026-07-20T04:00:00.000Z'],
    ['over New Year', '2026-12-31T22:00:00+01:00', '2027-01-01T05:00:00.000Z'],
    [
      'over the weekend on which summer begins',
      '2026-03-27T21:30:00+01:00',
      '2026-03-30T04:00:00.000Z',
    ],
    ['right after summer began', '2026-03-29T03:00:00+02:00', '2026-03-30T04:00:00.000Z'],
    [
      'over the weekend on which summer ends',
      '2026-10-23T21:30:00+02:00',
      '2026-10-26T05:00:00.000Z',
    ],
    ['in the hour that comes twice', '2026-10-25T02:30:00+01:00', '2026-10-26T05:00:00.000Z'],
  ])('%s', (_name, time, end) => expect(endAt(time)).toBe(end));
});

describe('EXT is up', () => {
  test.each([
    ['from six', '2026-01-14T06:00:00+01:00'],
    ['until half past nine in the evening', '2026-01-14T21:29:59.999+01:00'],
    ['on a summer morning, an hour earlier in UTC', '2026-07-14T04:00:00Z'],
    ['on a summer evening', '2026-07-14T21:29:59+02:00'],
    ['on Monday from six', '2026-07-20T06:00:00+02:00'],
    ['on Friday afternoon', '2026-07-17T16:00:00+02:00'],
  ])('%s', (_name, time) => expect(endAt(time)).toBeUndefined());
});

describe('a connection', () => {
  const NIGHT_MS = Date.parse('2026-01-13T23:00:00+01:00');

  it('to EXT knows of it, to anywhere else it does not', async () => {
    const merchant = await startMerchant();
    expect(merchant.silentUntil).toBeUndefined();
    const untilOf = (settings: Record<string, unknown>) =>
      merchant.connect({ settings }).silentUntil?.(NIGHT_MS);
    const morningMs = Date.parse('2026-01-14T06:00:00+01:00');
    expect(untilOf({ apiBaseUrl: undefined })).toBe(morningMs);
    expect(untilOf({ plannedDowntime: true })).toBe(morningMs);
    expect(untilOf({ apiBaseUrl: undefined, environment: 'prod' })).toBeUndefined();
    await merchant.close();
  });
});
