import type { WorkerInterceptors, WorkerOptions } from '@temporalio/worker';
import type { OperationName } from '../../../src/domain/ids.js';
import type { PaymentRecord } from '../../../src/domain/record.js';
import type { RefundRecord } from '../../../src/domain/refund.js';
import type { RefundSendInput, SendInput } from '../../../src/workflows/contract.js';
import { deferred, type Deferred } from './waiting.js';

/** Where a worker can be held: at the edges of the activity that sends, or of the one that records. */
export const BRINKS = ['after the intent', 'after the answer', 'after the record'] as const;
export type Brink = (typeof BRINKS)[number];

/** Holds one worker once, at one operation of one payment, or at one refund. */
export interface Gate {
  readonly brink: Brink;
  readonly operation: OperationName | 'refund';
  /** The merchant's, which the test knows before the payment has an id; or the refund's id. */
  readonly reference: string;
}

interface Armed {
  readonly gate: Gate;
  readonly reached: Deferred<void>;
  readonly opened: Deferred<void>;
  readonly answered: Deferred<unknown>;
  isPassed: boolean;
}

/** Gates on a worker's activities, built from the SDK's interceptors alone. */
export class Gates {
  readonly #armed = new Map<string, Armed>();

  constructor(gates: readonly Gate[] = []) {
    this.arm(gates);
  }

  arm(gates: readonly Gate[]): void {
    for (const gate of gates) {
      const [reached, opened, answered] = [deferred(), deferred(), deferred<unknown>()];
      this.#armed.set(nameOf(gate), { gate, reached, opened, answered, isPassed: false });
    }
  }

  /** Resolves when the worker stands at this gate. */
  reached(gate: Gate): Promise<void> {
    return this.#of(gate).reached.promise;
  }

  /** What the activity answered that was held before it began. */
  answered(gate: Gate): Promise<unknown> {
    return this.#of(gate).answered.promise;
  }

  /** Opens all gates there are. */
  letOn(): void {
    this.#armed.forEach(({ opened }) => opened.resolve());
  }

  /** For a worker of tests: with these gates, and quick to take over from a dead one. */
  get overrides(): Partial<WorkerOptions> {
    return {
      stickyQueueScheduleToStartTimeout: '1s',
      interceptors: { activity: this.#interceptors },
    };
  }

  get #interceptors(): NonNullable<WorkerInterceptors['activity']> {
    return [
      ({ info: { activityType } }) => ({
        inbound: {
          execute: async (input, next) => {
            const before = this.#take(activityType, input.args, ['after the intent']);
            await hold(before);
            const answer: unknown = await next(input);
            before?.answered.resolve(answer);
            await hold(
              this.#take(activityType, input.args, ['after the answer', 'after the record']),
            );
            return answer;
          },
        },
      }),
    ];
  }

  #of(gate: Gate): Armed {
    const armed = this.#armed.get(nameOf(gate));
    if (!armed) throw new Error(`no gate is armed ${nameOf(gate)}`);
    return armed;
  }

  #take(
    activityType: string,
    args: readonly unknown[],
    brinks: readonly Brink[],
  ): Armed | undefined {
    const found = [...this.#armed.values()].find(
      ({ gate, isPassed }) =>
        !isPassed && brinks.includes(gate.brink) && standsAt(gate, activityType, args),
    );
    if (found) found.isPassed = true;
    return found;
  }
}

async function hold(armed: Armed | undefined): Promise<void> {
  armed?.reached.resolve();
  await armed?.opened.promise;
}

const SENDS: Readonly<Record<string, OperationName>> = {
  createPayment: 'create',
  capturePayment: 'capture',
  voidPayment: 'void',
  cancelPayment: 'cancel',
};

function standsAt(gate: Gate, activityType: string, [input]: readonly unknown[]): boolean {
  if (gate.operation === 'refund') return standsAtRefund(gate, activityType, input);
  if (gate.brink !== 'after the record') {
    const isSend = SENDS[activityType] === gate.operation;
    return isSend && (input as SendInput).request.merchantReference === gate.reference;
  }
  if (activityType !== 'recordPayment') return false;
  const { request, operations } = input as PaymentRecord;
  return (
    request.merchantReference === gate.reference &&
    operations.some((each) => each.operation === gate.operation && each.state === 'succeeded')
  );
}

function standsAtRefund({ brink, reference }: Gate, activityType: string, input: unknown): boolean {
  if (brink !== 'after the record') {
    return activityType === 'sendRefund' && (input as RefundSendInput).refundId === reference;
  }
  if (activityType !== 'recordRefund') return false;
  const { refundId, operation } = (input as RefundRecord).refund;
  return refundId === reference && operation?.state === 'succeeded';
}

export function nameOf({ brink, operation, reference }: Gate): string {
  return `${brink} of ${operation} ${reference}`;
}
