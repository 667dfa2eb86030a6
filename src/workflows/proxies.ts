/** The activities as workflows may call them: each with the options its meaning demands. */
import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { PaymentActivities } from '../activities/payments.js';
import type { RefundActivities } from '../activities/refunds.js';
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

/** Those of a refund; each with the options of its counterpart above. */
export interface RefundProxies {
  readonly sendOnce: Pick<RefundActivities, 'sendRefund'>;
  readonly sendUntilDefinitive: Pick<RefundActivities, 'sendRefund'>;
  readonly resolve: Pick<RefundActivities, 'resolveRefund'>;
  readonly ask: Pick<RefundActivities, 'askRefund'>;
  readonly recordShortly: Pick<RefundActivities, 'recordRefund'>;
  readonly identify: Proxies['identify'];
  readonly withoutEnd: Pick<RefundActivities, 'reserveRefund' | 'recordRefund' | 'loadRefund'>;
}

export function createProxies(timing: Timing): Proxies {
  const options = optionsOf(timing);
  return {
    sendOnce: proxyActivities<Sends>(options.sendOnce),
    sendUntilDefinitive: proxyActivities<Sends>(options.sendUntilDefinitive),
    resolve: proxyActivities<Proxies['resolve']>(options.resolve),
    ask: proxyActivities<Proxies['ask']>(options.ask),
    askStoppable: proxyActivities<Proxies['ask']>(options.askStoppable),
    recordShortly: proxyLocalActivities<Proxies['recordShortly']>(options.recordShortly),
    identify: proxyLocalActivities<Proxies['identify']>(options.identify),
    expect: proxyLocalActivities<Proxies['expect']>({
      startToCloseTimeout: timing.recordWithinMs,
      scheduleToCloseTimeout: timing.recordWithinMs,
    }),
    recordWithoutEnd: proxyActivities<Proxies['recordWithoutEnd']>(options.recordWithoutEnd),
  };
}

export function createRefundProxies(timing: Timing): RefundProxies {
  const options = optionsOf(timing);
  return {
    sendOnce: proxyActivities<RefundProxies['sendOnce']>(options.sendOnce),
    sendUntilDefinitive: proxyActivities<RefundProxies['sendUntilDefinitive']>(
      options.sendUntilDefinitive,
    ),
    resolve: proxyActivities<RefundProxies['resolve']>(options.resolve),
    ask: proxyActivities<RefundProxies['ask']>(options.askStoppable),
    recordShortly: proxyLocalActivities<RefundProxies['recordShortly']>(options.recordShortly),
    identify: proxyLocalActivities<RefundProxies['identify']>(options.identify),
    withoutEnd: proxyActivities<RefundProxies['withoutEnd']>(options.recordWithoutEnd),
  };
}

function optionsOf(timing: Timing) {
  const startToCloseTimeout = callMs(timing);
  const asking = {
    startToCloseTimeout,
    retry: endless(timing.resolveFirstMs, timing.pollLateEveryMs),
  };
  return {
    sendOnce: {
      scheduleToStartTimeout: timing.sendQueueLimitMs,
      startToCloseTimeout,
      retry: { maximumAttempts: 1 },
    },
    sendUntilDefinitive: {
      // A definitive answer may take a second call to the provider.
      startToCloseTimeout: 2 * startToCloseTimeout,
      retry: endless(timing.resendFirstMs, timing.resendMaxMs),
      cancellationType: ActivityCancellationType.ABANDON,
    },
    resolve: {
      startToCloseTimeout,
      retry: endless(timing.resolveFirstMs, timing.resolveMaxMs),
      cancellationType: ActivityCancellationType.ABANDON,
    },
    ask: { ...asking, cancellationType: ActivityCancellationType.ABANDON },
    askStoppable: { ...asking, cancellationType: ActivityCancellationType.TRY_CANCEL },
    recordShortly: {
      startToCloseTimeout: timing.recordWithinMs,
      scheduleToCloseTimeout: timing.recordWithinMs,
      retry: { maximumAttempts: 2, initialInterval: timing.recordRetryFirstMs },
    },
    identify: { startToCloseTimeout: timing.recordWithinMs },
    recordWithoutEnd: {
      startToCloseTimeout: 10 * timing.recordWithinMs,
      retry: endless(timing.recordRetryFirstMs, timing.recordRetryMaxMs),
    },
  };
}

function endless(initialInterval: number, maximumInterval: number) {
  return { initialInterval, maximumInterval, backoffCoefficient: 2 };
}
