/**
 * Every time constant of Holdfast, in one object per profile. `fast` keeps every relation between
 * them that something depends on, and exists for simulation and tests; nothing else may depend on
 * which one is in use.
 */
export interface Timing {
  /** A payment whose first step begins later than this after being asked for is not started. */
  readonly startWithinMs: number;
  /** How long a money call may wait for a worker; past it the call is proven not sent. */
  readonly sendQueueLimitMs: number;
  /** The longest a money call may take at the provider, connecting included. */
  readonly providerTimeoutMs: number;
  /** Head room of an activity around the call it makes. */
  readonly activityMarginMs: number;
  /** After this, "not found" about a lost call is proof. Longer than the two limits together. */
  readonly settlingDelayMs: number;
  /** Pause after the first proof that nothing was sent; doubles up to `resendMaxMs`. */
  readonly resendFirstMs: number;
  readonly resendMaxMs: number;
  /** Pace of asking for evidence about a lost answer. */
  readonly resolveFirstMs: number;
  readonly resolveMaxMs: number;
  /** How long a notification is waited for before the provider is asked. */
  readonly pollAfterMs: number;
  /** Pace of asking while the payer may still act, and after. */
  readonly pollEveryMs: number;
  readonly pollLateEveryMs: number;
  /** Pace of asking for a refund that the provider has taken. */
  readonly refundFirstMs: number;
  readonly refundMaxMs: number;
  /** Pause before asking again for what a provider will be able to in a day or two. */
  readonly nextDayMs: number;
  /** A refund that is not done by then, counted from being asked for, needs a person's attention. */
  readonly refundOverdueMs: number;
  /** Reports that are not complete when they should be are asked for again at this pace, */
  readonly reportEveryMs: number;
  /** and after this time what is missing is missing. */
  readonly reportLateMs: number;
  /** One step of a reconciliation, in all; */
  readonly reconcileStepMs: number;
  /** one that gives no sign of life for so long is taken up by another worker; */
  readonly reconcileSilentMs: number;
  /** and one that is not done after this time, all its attempts together, fails its run. */
  readonly reconcileGiveUpMs: number;
  /** What a reconciliation found is given this long to reach its payments. */
  readonly factsArriveMs: number;
  /** An outcome that stays unknown for this long needs a person's attention. */
  readonly attentionAfterMs: number;
  /** How long before the provider's own limit an authorization that nobody captures is voided. */
  readonly captureMarginMs: number;
  /** One local attempt at recording, in all. */
  readonly recordWithinMs: number;
  readonly recordRetryFirstMs: number;
  readonly recordRetryMaxMs: number;
  /** How often a connection's payments are gone through at its provider: after their own questions. */
  readonly sweepEveryMs: number;
  /** One such sweep, in all. */
  readonly sweepWithinMs: number;
  /** How far it looks back behind the one before: longer than a payment can wait for its payer. */
  readonly sweepBackMs: number;
  /** How far the first sweep of a connection looks back. */
  readonly sweepFirstBackMs: number;
  /** How long the dispatcher leaves a notification to the door that took it. */
  readonly dispatchAfterMs: number;
  readonly dispatchEveryMs: number;
  /** A repeat of an API request may take over one that has not answered for this long. */
  readonly requestLeaseMs: number;
  /** Least pause between two fetches of a provider's public keys. */
  readonly keySetCooldownMs: number;
  /** Every update of a workflow answers within it, whatever is known by then. */
  readonly updateWithinMs: number;
  /** A call that takes longer makes sure that Temporal is there at all, and waits as long for that. */
  readonly unreachableAfterMs: number;
  /** How long an API call waits for a workflow's answer before it says 202. */
  readonly answerWithinMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const TIMING = {
  production: {
    startWithinMs: 5 * MINUTE,
    sendQueueLimitMs: 4 * SECOND,
    providerTimeoutMs: 10 * SECOND,
    activityMarginMs: 1 * SECOND,
    settlingDelayMs: 30 * SECOND,
    resendFirstMs: 1 * SECOND,
    resendMaxMs: 15 * MINUTE,
    resolveFirstMs: 2 * SECOND,
    resolveMaxMs: 15 * MINUTE,
    pollAfterMs: 45 * SECOND,
    pollEveryMs: 20 * SECOND,
    pollLateEveryMs: 15 * MINUTE,
    refundFirstMs: 5 * SECOND,
    refundMaxMs: 1 * HOUR,
    nextDayMs: 24 * HOUR,
    refundOverdueMs: 14 * 24 * HOUR,
    reportEveryMs: 15 * MINUTE,
    reportLateMs: 6 * HOUR,
    reconcileStepMs: 2 * HOUR,
    reconcileSilentMs: 1 * MINUTE,
    reconcileGiveUpMs: 20 * HOUR,
    factsArriveMs: 5 * MINUTE,
    attentionAfterMs: 15 * MINUTE,
    captureMarginMs: 6 * HOUR,
    recordWithinMs: 3 * SECOND,
    recordRetryFirstMs: 1 * SECOND,
    recordRetryMaxMs: 1 * MINUTE,
    sweepEveryMs: 10 * MINUTE,
    sweepWithinMs: 30 * MINUTE,
    sweepBackMs: 1 * HOUR,
    sweepFirstBackMs: 24 * HOUR,
    dispatchAfterMs: 10 * SECOND,
    dispatchEveryMs: 5 * SECOND,
    requestLeaseMs: 1 * MINUTE,
    keySetCooldownMs: 30 * SECOND,
    updateWithinMs: 15 * SECOND,
    unreachableAfterMs: 3 * SECOND,
    answerWithinMs: 20 * SECOND,
  },
  fast: {
    startWithinMs: 30 * SECOND,
    sendQueueLimitMs: 2 * SECOND,
    providerTimeoutMs: 1 * SECOND,
    activityMarginMs: 500,
    settlingDelayMs: 4 * SECOND,
    resendFirstMs: 100,
    resendMaxMs: 2 * SECOND,
    resolveFirstMs: 100,
    resolveMaxMs: 1 * SECOND,
    pollAfterMs: 2 * SECOND,
    pollEveryMs: 250,
    pollLateEveryMs: 500,
    refundFirstMs: 100,
    refundMaxMs: 1 * SECOND,
    nextDayMs: 3 * SECOND,
    refundOverdueMs: 12 * SECOND,
    reportEveryMs: 500,
    reportLateMs: 4 * SECOND,
    reconcileStepMs: 30 * SECOND,
    reconcileSilentMs: 10 * SECOND,
    reconcileGiveUpMs: 1 * MINUTE,
    factsArriveMs: 5 * SECOND,
    attentionAfterMs: 5 * SECOND,
    captureMarginMs: 6 * HOUR,
    recordWithinMs: 1 * SECOND,
    recordRetryFirstMs: 100,
    recordRetryMaxMs: 1 * SECOND,
    sweepEveryMs: 20 * SECOND,
    sweepWithinMs: 1 * MINUTE,
    sweepBackMs: 1 * HOUR,
    sweepFirstBackMs: 24 * HOUR,
    dispatchAfterMs: 500,
    dispatchEveryMs: 250,
    requestLeaseMs: 5 * SECOND,
    keySetCooldownMs: 200,
    updateWithinMs: 4 * SECOND,
    unreachableAfterMs: 1 * SECOND,
    answerWithinMs: 10 * SECOND,
  },
} as const satisfies Record<string, Timing>;

export type TimingProfile = keyof typeof TIMING;
