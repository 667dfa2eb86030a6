/** Refunds: captured money that goes back to the payer. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { refundWorkflowId, type RefundId } from '../domain/ids.js';
import type { Refund, RefundRepairCommand, RefundRequest } from '../domain/refund.js';
import { checkRefundRequest } from '../domain/request-rules.js';
import {
  REFUND_QUERIES,
  REFUND_SIGNALS,
  REFUND_UPDATES,
  REFUND_WORKFLOW,
  type OpenRefundInput,
  type ReasonCommand,
  type ResumeRefundInput,
} from '../workflows/contract.js';
import type { WorkflowCalls } from './calls.js';
import { HoldfastError } from './errors.js';
import { toHoldfastError } from './failures.js';
import { invalidRequest } from '../domain/problem.js';
import { isSameMoney } from '../domain/money.js';

/** A refund as callers ask for it. */
export type AskedRefund = Omit<RefundRequest, 'requestedAt'> &
  Partial<Pick<RefundRequest, 'requestedAt'>>;

/** As `Answer`, of a refund. */
export type RefundAnswer =
  | { readonly kind: 'answered'; readonly refund: Refund }
  | { readonly kind: 'accepted'; readonly refundId: RefundId };

export interface RefundCommandOptions {
  /** The same key, the same command: a repeat gets the first one's answer. */
  readonly idempotencyKey?: string;
  /** What happens to a refund that has ended: it is taken up again, unless `refuse` is said. */
  readonly whenEnded?: 'resume' | 'refuse';
}

/** Every method throws HoldfastError, and answers or gives up within the profile's answer limit. */
export class RefundCalls {
  readonly #calls: WorkflowCalls;

  constructor(calls: WorkflowCalls) {
    this.#calls = calls;
  }

  /**
   * Asks for a refund and waits for the first answer: `rejected` where less is left than asked for,
   * else as a rule `pending`, as the provider has taken it. The same `refundId` again is the same
   * refund, never a second one.
   *
   * @throws HoldfastError `invalid_request` naming each field; `not_found` when there is no such
   *   payment; `conflict` when the id is taken by another refund
   */
  async create(asked: AskedRefund): Promise<RefundAnswer> {
    const request: RefundRequest = { requestedAt: new Date().toISOString(), ...asked };
    const violations = checkRefundRequest(request);
    if (violations.length > 0) throw new HoldfastError(invalidRequest(violations));
    const answer = await this.#answer(request.refundId, () => this.#start(request));
    if (answer.kind === 'answered') refuseOtherRefund(request, answer.refund);
    return answer;
  }

  /** The refund as its workflow knows it; undefined when Temporal has none of this id (any more). */
  async get(refundId: RefundId): Promise<Refund | undefined> {
    try {
      const refund = await this.#calls.bounded(() =>
        this.#handle(refundId).query<Refund | null>(REFUND_QUERIES.refund),
      );
      return refund ?? undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw toHoldfastError(error);
    }
  }

  /** Ends a refund of which nothing has been sent. */
  cancel(refundId: RefundId, options: RefundCommandOptions & ReasonCommand): Promise<RefundAnswer> {
    return this.#command(refundId, 'cancel', { reason: options.reason }, options);
  }

  /** What a person does to a refund whose course has gone wrong; kept with it, with who and why. */
  repair(
    refundId: RefundId,
    options: RefundCommandOptions & RefundRepairCommand,
  ): Promise<RefundAnswer> {
    const { repair, actor, reason } = options;
    return this.#command(refundId, 'repair', { repair, actor, reason }, options);
  }

  /** Makes a running refund ask its provider. `ended` when none of this id is running. */
  async hint(refundId: RefundId): Promise<'delivered' | 'ended'> {
    try {
      await this.#calls.bounded(() => this.#handle(refundId).signal(REFUND_SIGNALS.hint));
      return 'delivered';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'ended';
      throw toHoldfastError(error);
    }
  }

  async #start(request: RefundRequest): Promise<Refund> {
    const input: OpenRefundInput = { mode: 'open', request, ...this.#calls.profile() };
    try {
      return await this.#calls.updateWithStart<Refund>({
        workflowType: REFUND_WORKFLOW,
        workflowId: refundWorkflowId(request.refundId),
        input,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
        update: REFUND_UPDATES.open,
        args: [],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const known = await this.get(request.refundId);
      if (known) return known;
      throw error;
    }
  }

  async #command(
    refundId: RefundId,
    command: 'cancel' | 'repair',
    argument: ReasonCommand | RefundRepairCommand,
    { idempotencyKey, whenEnded = 'resume' }: RefundCommandOptions,
  ): Promise<RefundAnswer> {
    const updateId =
      idempotencyKey === undefined ? {} : { updateId: `${command}/${idempotencyKey}` };
    const update = REFUND_UPDATES[command];
    return this.#answer(refundId, async () => {
      try {
        return await this.#handle(refundId).executeUpdate<Refund, [typeof argument]>(update, {
          args: [argument],
          ...updateId,
        });
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError) || whenEnded === 'refuse') throw error;
        const input: ResumeRefundInput = { mode: 'resume', refundId, ...this.#calls.profile() };
        return this.#calls.updateWithStart<Refund>({
          workflowType: REFUND_WORKFLOW,
          workflowId: refundWorkflowId(refundId),
          input,
          reuse: 'ALLOW_DUPLICATE',
          ...{ update, ...updateId },
          args: [argument],
        });
      }
    });
  }

  async #answer(refundId: RefundId, work: () => Promise<Refund>): Promise<RefundAnswer> {
    const refund = await this.#calls.answered(work);
    return refund ? { kind: 'answered', refund } : { kind: 'accepted', refundId };
  }

  #handle(refundId: RefundId) {
    return this.#calls.client.workflow.getHandle(refundWorkflowId(refundId));
  }
}

/**
 * An id that is taken by another refund must not look like success.
 *
 * @throws HoldfastError `conflict`
 */
export function refuseOtherRefund(request: RefundRequest, refund: Refund): void {
  const { amount, paymentId, paymentReference } = request;
  const isSameAmount = !amount || (refund.amount && isSameMoney(amount, refund.amount));
  // Of what was rejected no object was chosen.
  const { paymentReference: chosen = paymentReference } = refund;
  const isSameObject = paymentReference === undefined || paymentReference === chosen;
  if (refund.paymentId === paymentId && isSameAmount && isSameObject) return;
  throw new HoldfastError({
    code: 'conflict',
    message: `refundId ${request.refundId} is taken by another refund`,
  });
}
