/** One run of a refund: its state, and what it does besides carrying it out. */
import { setCurrentDetails } from '@temporalio/workflow';
import { formatMoney } from '../domain/money.js';
import type { RefundAttentionReason } from '../domain/refund.js';
import type { Timing } from '../domain/timing.js';
import { showAttention } from './attention.js';
import { Recorder } from './recorder.js';
import { createRefundProxies, type RefundProxies } from './proxies.js';
import type { RefundState } from './refund-state.js';
import { withAlarm } from './waiting.js';

export class RefundRun {
  readonly state: RefundState;
  readonly timing: Timing;
  readonly proxies: RefundProxies;
  readonly recorder: Recorder;
  /** As its history has it; see `ownRunId`. */
  runId = '';
  /** An attempt has come to an end, or there will be none: the opening may answer. */
  hasAnswer = false;
  /** How often the provider has answered a question in this run. */
  answersTaken = 0;

  constructor(state: RefundState, timing: Timing) {
    this.state = state;
    this.timing = timing;
    this.proxies = createRefundProxies(timing);
    this.recorder = new Recorder({
      revision: () => state.revision,
      writeShortly: () => this.proxies.recordShortly.recordRefund(state.record()),
      writeWithoutEnd: () => this.proxies.withoutEnd.recordRefund(state.record()),
    });
  }

  /** Marks the refund for a person when `work` takes longer than it should. */
  withAttention<T>(
    alarm: { readonly reason: RefundAttentionReason; readonly afterMs: number },
    work: () => Promise<T>,
  ): Promise<T> {
    const ring = async (): Promise<void> => {
      this.needAttention(alarm.reason);
      await this.recorder.now();
    };
    return withAlarm({ afterMs: alarm.afterMs, ring }, work);
  }

  needAttention(reason: RefundAttentionReason): void {
    if (!this.state.needAttention(reason)) return;
    showAttention(reason);
    this.describe();
  }

  clearAttention(): void {
    if (!this.state.refund.attention) return;
    this.state.clearAttention();
    showAttention(undefined);
    this.describe();
  }

  /** What an operator sees first in the Temporal UI. Costs no event. */
  describe(): void {
    const { paymentId, amount, status, attention, unknownSince, problem, operation } =
      this.state.refund;
    const asked = amount ? formatMoney(amount) : 'all that is left';
    const lines = [
      `**${status}** · ${asked} of payment ${paymentId}`,
      ...(unknownSince === undefined ? [] : [`outcome unknown since ${unknownSince}`]),
      ...(attention ? [`needs attention: ${attention.reason} since ${attention.since}`] : []),
      ...(operation ? [`- refund ${operation.sequence}: ${operation.state}`] : []),
      ...(problem ? [problem.message] : []),
    ];
    setCurrentDetails(lines.join('\n\n'));
  }
}
