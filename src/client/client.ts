/** Typed calls to Holdfast's workflows, for backend services on Temporal and for our own HTTP API. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type ConnectionOptions,
} from '@temporalio/client';
import { encryptedDataConverter } from '../codec/payload-codec.js';
import type { Fact } from '../domain/facts.js';
import { paymentWorkflowId, type PaymentId } from '../domain/ids.js';
import type { Money } from '../domain/money.js';
import type { Payment, PaymentRequest, RepairCommand } from '../domain/payment.js';
import { checkRequest } from '../domain/request-rules.js';
import { createKeyRing } from '../transport/keyring.js';
import {
  PAYMENT_QUERIES,
  PAYMENT_SIGNALS,
  PAYMENT_UPDATES,
  PAYMENT_WORKFLOW,
  SWEEP_WORKFLOW,
  sweepId,
  type AdoptInput,
  type CaptureCommand,
  type Notice,
  type OpenInput,
  type ReasonCommand,
  type ResumeInput,
  type SweepInput,
  type SweepResult,
} from '../workflows/contract.js';
import { adoptedPaymentId, adoptedRequest, type AdoptedObject } from './adoption.js';
import { WorkflowCalls, type HoldfastClientOptions } from './calls.js';
import { connectTemporal } from './connection.js';
import { HoldfastError } from './errors.js';
import { toHoldfastError } from './failures.js';
import { ReconciliationCalls } from './reconciliations.js';
import { RefundCalls } from './refunds.js';
import { invalidRequest } from '../domain/problem.js';

export { HoldfastError };
export type { HoldfastClientOptions, Money, Payment, PaymentId, PaymentRequest };

/** A payment request as callers write it: what has an obvious default may be left out. */
export type OpenRequest = Omit<PaymentRequest, 'captureMode' | 'requestedAt'> &
  Partial<Pick<PaymentRequest, 'captureMode' | 'requestedAt'>>;

/**
 * How a call ended. `accepted`: it was taken, or may have been, but no answer came in time; the
 * payment goes on under the same id, and asking again tells more. It never means failure.
 */
export type Answer =
  | { readonly kind: 'answered'; readonly payment: Payment }
  | { readonly kind: 'accepted'; readonly paymentId: PaymentId };

export interface ConnectOptions
  extends
    Omit<HoldfastClientOptions, 'connection' | 'dataConverter'>,
    Pick<ConnectionOptions, 'address' | 'tls'> {
  /** The keys of the installation, the current one first; 32 bytes each, in base64. */
  readonly encryptionKeys: readonly { readonly id: string; readonly secret: string }[];
}

export interface CommandOptions {
  /** The same key, the same command: a repeat gets the first one's answer. */
  readonly idempotencyKey?: string;
  /** What happens to a payment that has ended: it is taken up again, unless `refuse` is said. */
  readonly whenEnded?: 'resume' | 'refuse';
}

type Command = 'capture' | 'void' | 'cancel' | 'repair';
type CommandArgument = CaptureCommand | ReasonCommand | RepairCommand;

/** Every method throws HoldfastError, and answers or gives up within the profile's answer limit. */
export class HoldfastClient {
  readonly refunds: RefundCalls;
  readonly reconciliations: ReconciliationCalls;
  readonly #calls: WorkflowCalls;

  constructor(options: HoldfastClientOptions) {
    this.#calls = new WorkflowCalls(options);
    this.refunds = new RefundCalls(this.#calls);
    this.reconciliations = new ReconciliationCalls(this.#calls);
  }

  /** Connects to Temporal and makes a client; `close` the connection it returns when done. */
  static async connect(
    options: ConnectOptions,
  ): Promise<{ client: HoldfastClient; close(): Promise<void> }> {
    const { address, tls, encryptionKeys, ...rest } = options;
    const connection = await connectTemporal({
      ...(address !== undefined && { address }),
      ...(tls !== undefined && { tls }),
    });
    return {
      client: new HoldfastClient({
        ...rest,
        connection,
        dataConverter: encryptedDataConverter(createKeyRing(encryptionKeys)),
      }),
      close: () => connection.close(),
    };
  }

  /**
   * Opens a payment and waits for the provider's first answer, as a rule what the payer has to do
   * next. The same `paymentId` again is the same payment, never a second one.
   *
   * @throws HoldfastError `invalid_request` naming each field; `conflict` when the id is taken by a
   *   payment of another amount or connection
   */
  async open(asked: OpenRequest): Promise<Answer> {
    const request = completed(asked);
    const violations = checkRequest(request);
    if (violations.length > 0) throw new HoldfastError(invalidRequest(violations));
    const answer = await this.#answer(request.paymentId, () => this.#start(request));
    if (answer.kind === 'answered') refuseOtherRequest(request, answer.payment);
    return answer;
  }

  /** Takes what is authorized, or a part of it where the provider can. */
  capture(
    paymentId: PaymentId,
    options: CommandOptions & { readonly amount?: Money } = {},
  ): Promise<Answer> {
    const { amount } = options;
    return this.#command(paymentId, 'capture', { ...(amount && { amount }) }, options);
  }

  /** Releases what is authorized. */
  void(paymentId: PaymentId, options: CommandOptions & ReasonCommand): Promise<Answer> {
    return this.#command(paymentId, 'void', { reason: options.reason }, options);
  }

  /** Ends a payment that has not been paid. Paid meanwhile, it is voided where that is possible. */
  cancel(paymentId: PaymentId, options: CommandOptions & ReasonCommand): Promise<Answer> {
    return this.#command(paymentId, 'cancel', { reason: options.reason }, options);
  }

  /** What a person does to a payment whose course has gone wrong; kept with it, with who and why. */
  repair(paymentId: PaymentId, options: CommandOptions & RepairCommand): Promise<Answer> {
    const { repair, actor, reason } = options;
    return this.#command(paymentId, 'repair', { repair, actor, reason }, options);
  }

  /** The payment as its workflow knows it; undefined when Temporal has none of this id (any more). */
  async get(paymentId: PaymentId): Promise<Payment | undefined> {
    try {
      const handle = this.#handle(paymentId);
      const payment = await this.#calls.bounded(() =>
        handle.query<Payment | null>(PAYMENT_QUERIES.payment),
      );
      return payment ?? undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw toHoldfastError(error);
    }
  }

  /** The facts a payment rests on. */
  facts(paymentId: PaymentId): Promise<readonly Fact[]> {
    const handle = this.#handle(paymentId);
    return this.#calls.done(() => handle.query<readonly Fact[]>(PAYMENT_QUERIES.facts));
  }

  /**
   * Waits until the payer's part is over: authorized, captured, or ended otherwise.
   * Undefined when that did not happen within `timeoutMs`.
   */
  async waitForOutcome(
    paymentId: PaymentId,
    options: { readonly timeoutMs: number },
  ): Promise<Payment | undefined> {
    const deadlineMs = Date.now() + options.timeoutMs;
    for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 1.5, 5_000)) {
      const payment = await this.get(paymentId);
      if (payment && isOutcome(payment)) return payment;
      const remainingMs = deadlineMs - Date.now();
      if (remainingMs <= 0) return undefined;
      await new Promise((resume) => setTimeout(resume, Math.min(pauseMs, remainingMs)));
    }
  }

  /** Hands news to a running payment. `ended` when none of this id is running. */
  async notify(paymentId: PaymentId, notice: Notice): Promise<'delivered' | 'ended'> {
    const handle = this.#handle(paymentId);
    try {
      await this.#calls.bounded(() => handle.signal(PAYMENT_SIGNALS.notify, notice));
      return 'delivered';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'ended';
      throw toHoldfastError(error);
    }
  }

  /** Takes an ended payment up again, with news. It must be in the store. */
  async resume(paymentId: PaymentId, notice: Notice): Promise<void> {
    await this.#signalWithStart(this.#resumeInput(paymentId), { paymentId, notice });
  }

  /**
   * Takes up a payment that began at the provider without us. The same object is the same payment,
   * under an id that derives from it.
   */
  async adopt(found: AdoptedObject): Promise<PaymentId> {
    const { connectionId, providerReference, facts } = found;
    const paymentId = found.paymentId ?? adoptedPaymentId(connectionId, providerReference);
    const input: AdoptInput = {
      mode: 'adopt',
      request: adoptedRequest(found, paymentId),
      providerReference,
      ...this.#calls.profile(),
    };
    await this.#signalWithStart(input, { paymentId, notice: { facts }, connectionId });
    return paymentId;
  }

  /**
   * Goes through a connection's payments at its provider now, and not only by its schedule; one that
   * is under way is joined. Undefined when that takes longer than an answer may.
   */
  async sweep(connectionId: string): Promise<SweepResult | undefined> {
    const input: SweepInput = { connectionId, ...this.#calls.profile() };
    const { client, taskQueue } = this.#calls;
    return this.#calls.answered(() =>
      client.workflow.execute<(input: SweepInput) => Promise<SweepResult>>(SWEEP_WORKFLOW, {
        // Installations that share a namespace must not join each other's.
        workflowId: `${sweepId(connectionId)}/${taskQueue}`,
        taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    );
  }

  async #signalWithStart(
    input: AdoptInput | ResumeInput,
    {
      paymentId,
      notice,
      connectionId,
    }: { readonly paymentId: PaymentId; readonly notice: Notice; readonly connectionId?: string },
  ): Promise<void> {
    await this.#calls.done(() =>
      this.#calls.client.workflow.signalWithStart(PAYMENT_WORKFLOW, {
        ...this.#calls.startOptions(paymentWorkflowId(paymentId), input, connectionId),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        signal: PAYMENT_SIGNALS.notify,
        signalArgs: [notice],
      }),
    );
  }

  async #start(request: PaymentRequest): Promise<Payment> {
    try {
      return await this.#startOnce(request, 'REJECT_DUPLICATE');
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const handle = this.#handle(request.paymentId);
      const known = await handle.query<Payment | null>(PAYMENT_QUERIES.payment);
      // None: somebody asked something of the payment before it was opened, and was told so.
      return known ?? this.#startOnce(request, 'ALLOW_DUPLICATE');
    }
  }

  #startOnce(
    request: PaymentRequest,
    reuse: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE',
  ): Promise<Payment> {
    const { paymentId, connectionId } = request;
    const input: OpenInput = { mode: 'open', request, ...this.#calls.profile() };
    return this.#calls.updateWithStart<Payment>({
      workflowType: PAYMENT_WORKFLOW,
      workflowId: paymentWorkflowId(paymentId),
      ...{ input, reuse, connectionId },
      update: PAYMENT_UPDATES.open,
      updateId: PAYMENT_UPDATES.open,
      args: [],
    });
  }

  #command(
    paymentId: PaymentId,
    command: Command,
    argument: CommandArgument,
    { idempotencyKey, whenEnded = 'resume' }: CommandOptions,
  ): Promise<Answer> {
    const handle = this.#handle(paymentId);
    const update = {
      args: [argument] as [CommandArgument],
      ...(idempotencyKey !== undefined && { updateId: `${command}/${idempotencyKey}` }),
    };
    return this.#answer(paymentId, async () => {
      try {
        return await handle.executeUpdate<Payment, [CommandArgument]>(
          PAYMENT_UPDATES[command],
          update,
        );
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError) || whenEnded === 'refuse') throw error;
        return this.#resumeFor(paymentId, command, update);
      }
    });
  }

  /** A command on a payment that has ended takes it up again, from the store. */
  #resumeFor(
    paymentId: PaymentId,
    command: Command,
    update: { readonly args: [CommandArgument]; readonly updateId?: string },
  ): Promise<Payment> {
    return this.#calls.updateWithStart<Payment>({
      workflowType: PAYMENT_WORKFLOW,
      workflowId: paymentWorkflowId(paymentId),
      input: this.#resumeInput(paymentId),
      reuse: 'ALLOW_DUPLICATE',
      update: PAYMENT_UPDATES[command],
      ...update,
    });
  }

  #resumeInput(paymentId: PaymentId): ResumeInput {
    return { mode: 'resume', paymentId, ...this.#calls.profile() };
  }

  async #answer(paymentId: PaymentId, work: () => Promise<Payment>): Promise<Answer> {
    const payment = await this.#calls.answered(work);
    return payment ? { kind: 'answered', payment } : { kind: 'accepted', paymentId };
  }

  #handle(paymentId: PaymentId) {
    return this.#calls.client.workflow.getHandle(paymentWorkflowId(paymentId));
  }
}

function completed(asked: OpenRequest): PaymentRequest {
  return { captureMode: 'automatic', requestedAt: new Date().toISOString(), ...asked };
}

/**
 * An id that is taken by another payment must not look like success.
 *
 * @throws HoldfastError `conflict`
 */
export function refuseOtherRequest(request: PaymentRequest, payment: Payment): void {
  const { requested } = payment.amounts;
  const isSame =
    payment.connectionId === request.connectionId &&
    payment.merchantReference === request.merchantReference &&
    requested?.minor === request.amount.minor &&
    payment.amounts.authorized.currency === request.amount.currency;
  if (isSame) return;
  throw new HoldfastError({
    code: 'conflict',
    message: `paymentId ${request.paymentId} is taken by another payment`,
  });
}

function isOutcome({ status, ended }: Payment): boolean {
  return ended || !['created', 'requires_action', 'processing'].includes(status);
}
