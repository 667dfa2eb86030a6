import { describe, expect, it, test } from 'vitest';
import { TIMING, type Timing } from '../../src/domain/timing.js';

/** What something depends on, whatever the profile. Each says which side must be larger. */
const RELATIONS: readonly (readonly [why: string, holds: (timing: Timing) => boolean])[] = [
  [
    '"not found" is proof only when no send can still arrive',
    (t) => t.settlingDelayMs > t.sendQueueLimitMs + t.activityMarginMs + t.providerTimeoutMs,
  ],
  ['a payment outlives one queued call', (t) => t.startWithinMs > t.sendQueueLimitMs],
  ['a call’s activity outlives the call', (t) => t.activityMarginMs > 0],
  ['pauses grow: resend', (t) => t.resendFirstMs < t.resendMaxMs],
  ['pauses grow: resolve', (t) => t.resolveFirstMs < t.resolveMaxMs],
  ['pauses grow: record', (t) => t.recordRetryFirstMs < t.recordRetryMaxMs],
  ['asking slows down once the payer is gone', (t) => t.pollEveryMs < t.pollLateEveryMs],
  [
    'a notification is given time before the provider is asked',
    (t) => t.pollAfterMs > t.pollEveryMs,
  ],
  [
    'a lost answer is settled before a person is called',
    (t) => t.attentionAfterMs > t.settlingDelayMs,
  ],
  [
    'one local record attempt leaves room for a repeat',
    (t) => t.recordWithinMs > t.recordRetryFirstMs,
  ],
  [
    'the dispatcher leaves fresh notifications to the door',
    (t) => t.dispatchAfterMs > t.dispatchEveryMs,
  ],
  ['an API call answers before its lease is taken over', (t) => t.requestLeaseMs > 0],
  [
    'our own deadline comes well before the provider’s',
    (t) => t.captureMarginMs > t.settlingDelayMs,
  ],
  [
    'a payment asks for itself before a sweep comes by',
    (t) => t.sweepEveryMs > t.pollAfterMs + t.pollEveryMs,
  ],
  ['pauses grow: refunds', (t) => t.refundFirstMs < t.refundMaxMs],
  [
    'what a provider can do in a day or two is not overdue',
    (t) => t.refundOverdueMs > 2 * t.nextDayMs,
  ],
  ['a report is asked for again before it is late', (t) => t.reportLateMs > t.reportEveryMs],
  ['a run waits for late reports before it gives up', (t) => t.reconcileGiveUpMs > t.reportLateMs],
  [
    'a step of a reconciliation is silent for no longer than one call',
    (t) => t.reconcileSilentMs > t.providerTimeoutMs + t.activityMarginMs,
  ],
  ['a silent step is taken up in time', (t) => t.reconcileStepMs > t.reconcileSilentMs],
  ['a step may be tried again', (t) => t.reconcileGiveUpMs > t.reconcileStepMs],
  [
    'what a reconciliation found is dispatched before it looks again',
    (t) => t.factsArriveMs > t.dispatchAfterMs + 2 * t.dispatchEveryMs,
  ],
  ['a sweep looks back further than the next one is away', (t) => t.sweepBackMs > t.sweepEveryMs],
  [
    'an API call waits for a whole first send',
    (t) => t.answerWithinMs > t.providerTimeoutMs + t.sendQueueLimitMs,
  ],
];

describe.each(Object.entries(TIMING))('the %s profile', (_name, timing: Timing) => {
  test.each(RELATIONS)('%s', (_why, holds) => {
    expect(holds(timing)).toBe(true);
  });

  it('has positive whole milliseconds only', () => {
    for (const [name, value] of Object.entries(timing)) {
      expect([name, Number.isInteger(value) && value > 0]).toEqual([name, true]);
    }
  });
});

describe('the profiles', () => {
  it('name the same constants', () => {
    expect(Object.keys(TIMING.fast).sort()).toEqual(Object.keys(TIMING.production).sort());
  });

  it('differ in pace: nothing is slower in the fast one', () => {
    const names = Object.keys(TIMING.production) as (keyof Timing)[];
    expect(names.filter((name) => TIMING.fast[name] > TIMING.production[name])).toEqual([]);
  });
});
