/** The activities as workflows may call them: each with the options its meaning demands. */
import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { PaymentActivities } from '../activities/payments.js';
import type { Timing } from '../domain/timing.js';

type Sends = Pick<
  PaymentActivities,
  'createPayment' | 'capturePayment' | 'voidPayment' | 'cancelPayment'
>;

/** One money call with its limits around it: the provider's timeout and our margin. */
const callMs = (timing: Timing): number => timing.providerTimeoutMs + timing.activityMarginMs;

export interface Proxies {
  /** One attempt, never repeated by the server. Only a schedule-to-start timeout proves not_sent. */
  readonly sendOnce: Sends;
  /** The same call again and again until it is definitive. For operations that may be repeated. */
  readonly sendUntilDefinitive: Sends;
  /** Looks for evidence without end; waiting does not grow the history. */
  readonly resolve: Pick<PaymentActivities, 'resolveOperation'>;
  /** Asks the provider; given up at once when nobody waits for the answer any more. */
  readonly ask: Pick<PaymentActivities, 'askProvider'>;
  /** As `ask`, stopped at the server too: for payments that live on after it. */
  readonly askStoppable: Pick<PaymentActivities, 'askProvider'>;
  readonly recordShortly: Pick<PaymentActivities, 'recordPayment'>;
  readonly identify: Pick<PaymentActivities, 'identifyRun'>;
  /** Whether an alarm that is about to ring has to. */
  readonly expect: Pick<PaymentActivities, 'expectedSilence'>;
  readonly recordWithoutEnd: Pick<PaymentActivities, 'recordPayment' | 'loadPayment'>;
}

export function createProxies(timing: Timing): Proxies {
  const startToCloseTimeout = callMs(timing);
  const endless = (initialInterval: number, maximumInterval: number) => ({
    initialInterval,
    maximumInterval,
    backoffCoefficient: 2,
  });
  const resolving = endless(timing.resolveFirstMs, timing.resolveMaxMs);
  const asking = {
    startToCloseTimeout,
    retry: endless(timing.resolveFirstMs, timing.pollLateEveryMs),
  };
  return {
    sendOnce: proxyActivities<Sends>({
      scheduleToStartTimeout: timing.sendQueueLimitMs,
      startToCloseTimeout,
      retry: { maximumAttempts: 1 },
    }),
    sendUntilDefinitive: proxyActivities<Sends>({
      // A definitive answer may take a second call to the provider.
      startToCloseTimeout: 2 * startToCloseTimeout,
      retry: endless(timing.resendFirstMs, timing.resendMaxMs),
      cancellationType: ActivityCancellationType.ABANDON,
    }),
    resolve: proxyActivities<Proxies['resolve']>({
      startToCloseTimeout,
      retry: resolving,
      cancellationType: ActivityCancellationType.ABANDON,
    }),
    ask: proxyActivities<Proxies['ask']>({
      ...asking,
      cancellationType: ActivityCancellationType.ABANDON,
    }),
    askStoppable: proxyActivities<Proxies['ask']>({
      ...asking,
      cancellationType: ActivityCancellationType.TRY_CANCEL,
    }),
    recordShortly: proxyLocalActivities<Proxies['recordShortly']>({
      startToCloseTimeout: timing.recordWithinMs,
      scheduleToCloseTimeout: timing.recordWithinMs,
      retry: { maximumAttempts: 2, initialInterval: timing.recordRetryFirstMs },
    }),
    identify: proxyLocalActivities<Proxies['identify']>({
      startToCloseTimeout: timing.recordWithinMs,
    }),
    expect: proxyLocalActivities<Proxies['expect']>({
      startToCloseTimeout: timing.recordWithinMs,
      scheduleToCloseTimeout: timing.recordWithinMs,
    }),
    recordWithoutEnd: proxyActivities<Proxies['recordWithoutEnd']>({
      startToCloseTimeout: 10 * timing.recordWithinMs,
      retry: endless(timing.recordRetryFirstMs, timing.recordRetryMaxMs),
    }),
  };
}
