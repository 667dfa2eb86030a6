/** One run of a payment: its state, and the ways of waiting that every step shares. */
import {
  CancellationScope,
  TemporalFailure,
  condition,
  isCancellation,
  patched,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { OperationName } from '../domain/ids.js';
import { askedMoney, formatMoney } from '../domain/money.js';
import type { Attention, PaymentRequest } from '../domain/payment.js';
import type { Timing } from '../domain/timing.js';
import { SEARCH_ATTRIBUTES, type ExpectedSilence } from './contract.js';
import { createProxies, type Proxies } from './proxies.js';
import type { PaymentState } from './state.js';

export class PaymentRun {
  readonly state: PaymentState;
  readonly timing: Timing;
  readonly proxies: Proxies;
  /** As its history has it; see `ownRunId`. */
  runId = '';
  /** How often the provider has answered a question in this run. */
  answersTaken = 0;
  /** Operations of which an attempt has come to an end in this run: updates may answer. */
  readonly #attempted = new Set<OperationName>();
  #recordedRevision: number;
  #background: Promise<void> | undefined;

  constructor(state: PaymentState, timing: Timing) {
    this.state = state;
    this.timing = timing;
    this.proxies = createProxies(timing);
    this.#recordedRevision = -1;
  }

  attempted(operation: OperationName): void {
    this.#attempted.add(operation);
    this.describe();
  }

  hasAttempted(operation: OperationName): boolean {
    return this.#attempted.has(operation);
  }

  /** Before a new wish of the same kind. */
  forgetAttempt(operation: OperationName): void {
    this.#attempted.delete(operation);
  }

  /**
   * Runs something that may take for ever, and leaves it as soon as it is no longer wanted: facts
   * may have come another way. Undefined when it was left.
   */
  async whileWanted<T>(isWanted: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
    const scope = new CancellationScope();
    const result = scope.run(work).then((value) => ({ value }));
    const overtaken = condition(() => !isWanted()).then(() => undefined);
    try {
      return (await Promise.race([result, overtaken]))?.value;
    } finally {
      scope.cancel();
      result.catch(ignoreCancellation);
    }
  }

  /** Marks the payment for a person when `work` takes longer than it should. */
  async withAttention<T>(reason: Attention['reason'], work: () => Promise<T>): Promise<T> {
    const alarm = new CancellationScope();
    const ringing = alarm.run(async () => {
      await sleep(this.timing.attentionAfterMs);
      if (patched('planned-silence')) await this.#sitOutPlannedSilence();
      this.needAttention(reason);
      await this.recordNow();
    });
    ringing.catch(ignoreCancellation);
    try {
      return await work();
    } finally {
      alarm.cancel();
    }
  }

  /** A provider that is switched off on plan answers late, which is no alarm. */
  async #sitOutPlannedSilence(): Promise<void> {
    for (;;) {
      const { untilMs = 0 } = await this.#expectedSilence();
      if (untilMs <= Date.now()) return;
      await sleep(untilMs - Date.now());
    }
  }

  /** A question that nobody can answer holds no alarm back. */
  async #expectedSilence(): Promise<ExpectedSilence> {
    try {
      const { connectionId } = this.state.request;
      return await this.proxies.expect.expectedSilence({ connectionId, atMs: Date.now() });
    } catch (error) {
      if (isCancellation(error)) throw error;
      return {};
    }
  }

  needAttention(reason: Attention['reason']): void {
    const { state } = this;
    if (reason === 'unexpected_authorization') state.isUnexpected = true;
    if (state.attention?.reason === reason) return;
    state.attention = { reason, since: new Date().toISOString() };
    state.advance();
    upsertSearchAttributes({ [SEARCH_ATTRIBUTES.attention]: [reason] });
    this.describe();
  }

  /** Of an earlier run: search attributes are each run's own. */
  showAttention(): void {
    const { attention } = this.state;
    if (attention) upsertSearchAttributes({ [SEARCH_ATTRIBUTES.attention]: [attention.reason] });
  }

  clearAttention(): void {
    const { state } = this;
    if (!state.attention) return;
    state.attention = undefined;
    state.advance();
    upsertSearchAttributes({ [SEARCH_ATTRIBUTES.attention]: [] });
    this.describe();
  }

  /**
   * One short try at writing the record, then on in the background without end: a store that is
   * down must neither hold the payment up nor grow its history.
   */
  async recordNow(): Promise<void> {
    const { state } = this;
    if (this.#background || !this.hasUnrecorded) return;
    const { revision } = state;
    try {
      await this.proxies.recordShortly.recordPayment(state.record());
      this.#recordedRevision = revision;
    } catch (error) {
      // What a local activity failed with comes bare, not within an ActivityFailure.
      if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
      this.#background = this.#recordWithoutEnd().finally(() => {
        this.#background = undefined;
      });
    }
  }

  /** Nothing is forgotten: no run ends with its record unwritten. */
  async recordFinally(): Promise<void> {
    await this.recordNow();
    while (this.#background) await this.#background;
    if (this.hasUnrecorded) await this.recordFinally();
  }

  get hasUnrecorded(): boolean {
    return this.state.revision !== this.#recordedRevision;
  }

  get isRecording(): boolean {
    return this.#background !== undefined;
  }

  /** On to the latest: a payment that only waits has no later turn of its own to record it. */
  async #recordWithoutEnd(): Promise<void> {
    do {
      const { revision } = this.state;
      await this.proxies.recordWithoutEnd.recordPayment(this.state.record());
      this.#recordedRevision = revision;
    } while (this.hasUnrecorded);
  }

  /** What an operator sees first in the Temporal UI. Costs no event. */
  describe(): void {
    const payment = this.state.payment();
    const { status, amounts, attention, unknownSince } = payment;
    const lines = [
      `**${status}** · asked ${formatAsked(this.state.request)}`,
      `authorized ${formatMoney(amounts.authorized)} · captured ${formatMoney(amounts.captured)} · ` +
        `voided ${formatMoney(amounts.voided)}`,
      ...(unknownSince === undefined ? [] : [`outcome unknown since ${unknownSince}`]),
      ...(attention ? [`needs attention: ${attention.reason} since ${attention.since}`] : []),
      ...payment.operations.map(
        ({ operation, sequence, state, problem }) =>
          `- ${operation} ${sequence}: ${state}${problem ? ` (${problem.message})` : ''}`,
      ),
    ];
    setCurrentDetails(lines.join('\n\n'));
  }
}

function formatAsked({ amount }: PaymentRequest): string {
  const asked = askedMoney(amount);
  return asked ? formatMoney(asked) : `for what the payer chooses, in ${amount.currency}`;
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
