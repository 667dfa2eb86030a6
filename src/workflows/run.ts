/** One run of a payment: its state, and the ways of waiting that every step shares. */
import { isCancellation, patched, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { OperationName } from '../domain/ids.js';
import { askedMoney, formatMoney } from '../domain/money.js';
import type { Attention, PaymentRequest } from '../domain/payment.js';
import type { Timing } from '../domain/timing.js';
import { showAttention } from './attention.js';
import type { ExpectedSilence } from './contract.js';
import { createProxies, type Proxies } from './proxies.js';
import { Recorder } from './recorder.js';
import type { PaymentState } from './state.js';
import { withAlarm } from './waiting.js';

export class PaymentRun {
  readonly state: PaymentState;
  readonly timing: Timing;
  readonly proxies: Proxies;
  readonly recorder: Recorder;
  /** As its history has it; see `ownRunId`. */
  runId = '';
  /** How often the provider has answered a question in this run. */
  answersTaken = 0;
  /** Operations of which an attempt has come to an end in this run: updates may answer. */
  readonly #attempted = new Set<OperationName>();

  constructor(state: PaymentState, timing: Timing) {
    this.state = state;
    this.timing = timing;
    this.proxies = createProxies(timing);
    this.recorder = new Recorder({
      revision: () => state.revision,
      writeShortly: () => this.proxies.recordShortly.recordPayment(state.record()),
      writeWithoutEnd: () => this.proxies.recordWithoutEnd.recordPayment(state.record()),
    });
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

  /** Marks the payment for a person when `work` takes longer than it should. */
  withAttention<T>(reason: Attention['reason'], work: () => Promise<T>): Promise<T> {
    const ring = async (): Promise<void> => {
      if (patched('planned-silence')) await this.#sitOutPlannedSilence();
      this.needAttention(reason);
      await this.recorder.now();
    };
    return withAlarm({ afterMs: this.timing.attentionAfterMs, ring }, work);
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
    showAttention(reason);
    this.describe();
  }

  /** Of an earlier run: search attributes are each run's own. */
  showAttention(): void {
    const { attention } = this.state;
    if (attention) showAttention(attention.reason);
  }

  clearAttention(): void {
    const { state } = this;
    if (!state.attention) return;
    state.attention = undefined;
    state.advance();
    showAttention(undefined);
    this.describe();
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
