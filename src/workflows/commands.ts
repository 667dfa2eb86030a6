/** The operations of a payment, made ready to be sent. */
import type { OperationName } from '../domain/ids.js';
import type { Money } from '../domain/money.js';
import type { OperationRecord } from '../domain/payment.js';
import type { Outcome } from '../domain/outcome.js';
import type { OpenedValue, Resolution, SendInput } from './contract.js';
import type { PaymentRun } from './run.js';
import { performOperation, type Calls } from './send.js';

type AnyValue = OpenedValue | null;

const ACTIVITY_OF = {
  create: 'createPayment',
  capture: 'capturePayment',
  void: 'voidPayment',
  cancel: 'cancelPayment',
} as const satisfies Record<OperationName, string>;

export interface Order {
  readonly operation: OperationName;
  /** Absent where the payer chooses it, and has not. */
  readonly amount?: Money;
  /** Whether it is still to be done; asked again whenever facts arrive. */
  readonly isWanted: () => boolean;
  /** ISO 8601: no new attempt after it. */
  readonly until?: string;
}

/** As `performOperation`. */
export function performOrder(
  run: PaymentRun,
  order: Order,
): Promise<Outcome<AnyValue> | undefined> {
  const { state } = run;
  const { operation, amount, isWanted, until } = order;
  return performOperation<OperationName, SendInput, AnyValue>({
    name: operation,
    timing: run.timing,
    isWanted,
    ...(until !== undefined && { until }),
    recovery: () => state.particulars.terms?.recoveries[operation],
    last: () => state.lastOf(operation),
    intend: (sequence) => state.intend(operation, sequence, amount),
    input: (intent, isResolved) => sendInput(run, { order, intent, isResolved }),
    note(intent, outcome) {
      if (outcome.kind === 'succeeded' && outcome.value) state.learnOpened(outcome.value);
      state.note(intent, outcome);
      run.attempted(intent.operation);
    },
    supersede: (intent) => state.supersede(intent),
    settleByFacts: () => state.settleByFacts(operation),
    calls: callsOf(run, operation),
    withAttention: (work) => run.withAttention('outcome_unknown', work),
    calm() {
      if (state.attention?.reason === 'outcome_unknown') run.clearAttention();
    },
    record: () => run.recorder.now(),
  });
}

function callsOf({ proxies }: PaymentRun, operation: OperationName): Calls<SendInput, AnyValue> {
  const activity = ACTIVITY_OF[operation];
  return {
    once: (input): Promise<Outcome<AnyValue>> => proxies.sendOnce[activity](input),
    untilDefinitive: (input): Promise<Outcome<AnyValue>> =>
      proxies.sendUntilDefinitive[activity](input),
    resolve: (asked): Promise<Resolution> => proxies.resolve.resolveOperation(asked),
  };
}

function sendInput(
  run: PaymentRun,
  {
    order,
    intent,
    isResolved,
  }: {
    readonly order: Order;
    readonly intent: OperationRecord;
    readonly isResolved: boolean;
  },
): SendInput {
  const { state, timing } = run;
  const { tip, providerReference, request } = state;
  return {
    paymentId: request.paymentId,
    operation: order.operation,
    sequence: intent.sequence,
    key: intent.key,
    request,
    ...(order.amount && { amount: order.amount }),
    ...(tip && { tip }),
    ...(order.operation !== 'create' && providerReference && { providerReference }),
    writeWithinMs: timing.sendQueueLimitMs + timing.activityMarginMs,
    firstRunId: run.runId,
    isResolved,
  };
}
