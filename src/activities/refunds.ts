/** The side effects of a refund's workflow: the reservation, calls to the provider, and records. */
import { ApplicationFailure } from '@temporalio/activity';
import type { RefundId } from '../domain/ids.js';
import type { Outcome } from '../domain/outcome.js';
import { invalidRequest, type Problem } from '../domain/problem.js';
import { checkRefundRequest } from '../domain/request-rules.js';
import type { RefundRecord, RefundRequest, RefundStatus, RefundTerms } from '../domain/refund.js';
import type { Timing } from '../domain/timing.js';
import type { Connections } from '../providers/connections.js';
import type {
  RefundCapability,
  RefundIntent,
  RefundOpened,
  RefundReading,
} from '../providers/provider.js';
import type { Store } from '../store/store.js';
import type {
  AskRefundInput,
  RefundAnswer,
  RefundResolution,
  RefundResult,
  RefundSendInput,
  ReserveResult,
  ResolveRefundInput,
  StoredRefund,
} from '../workflows/contract.js';
import { growing, notYet } from './pacing.js';
import {
  resolveAttempt,
  resolvePace,
  sendAttempt,
  settledRefusal,
  type Attempt,
} from './sending.js';
import { isSameMoney } from '../domain/money.js';

export interface RefundActivities {
  /**
   * Checks the request, then sets its amount aside; the same refund again meets its own
   * reservation. Null when there is no such payment.
   */
  reserveRefund(request: RefundRequest): Promise<ReserveResult | null>;
  sendRefund(input: RefundSendInput): Promise<RefundResult>;
  /** Ends only with evidence; until then it fails and is retried. */
  resolveRefund(input: ResolveRefundInput): Promise<RefundResolution>;
  askRefund(input: AskRefundInput): Promise<RefundAnswer>;
  /** Writing the same, or something older, changes nothing. */
  recordRefund(record: RefundRecord): Promise<void>;
  /** Null when the store has no such refund. */
  loadRefund(refundId: RefundId): Promise<StoredRefund | null>;
}

export interface RefundDependencies {
  readonly connections: Connections;
  readonly store: Pick<Store, 'getPayment' | 'refunds'>;
  readonly timing: Timing;
  readonly now: () => number;
}

export function refundActivities(dependencies: RefundDependencies): RefundActivities {
  const { connections, store, timing, now } = dependencies;

  return {
    async reserveRefund(request) {
      const payment = await store.getPayment(request.paymentId);
      if (!payment) return null;
      const refusal = refusalOf(payment.connectionId, request);
      const refund = await store.refunds.reserve(request, refusal);
      const begun = await store.refunds.load(refund.refundId);
      return { refund, request, revision: 0, ...begun, ...termsOf(refund.connectionId) };
    },

    async sendRefund(input) {
      const capability = capabilityOf(input.connectionId);
      if (!capability) return notConfigured(input.connectionId);
      const outcome = await sendAttempt(attemptOf(input, capability), dependencies);
      return settledRefusal(outcome, input, dependencies);
    },

    resolveRefund({ sent, ...lost }) {
      const capability = capabilityOf(sent.connectionId);
      if (capability) return resolveAttempt(attemptOf(sent, capability), lost, dependencies);
      const { message } = notConfigured(sent.connectionId).problem;
      throw notYet(message, resolvePace(dependencies));
    },

    async askRefund(input) {
      const { connectionId, known, until, amount } = input;
      const reading = await capabilityOf(connectionId)?.read(input);
      if (reading?.kind === 'found' && isNews(reading, { known, until, amount })) {
        return { standing: reading.standing };
      }
      const delayMs = growing(timing.refundFirstMs, timing.refundMaxMs);
      throw notYet(wordsOf(reading), { delayMs, untilMs: Infinity, nowMs: now() });
    },

    async recordRefund(record) {
      await store.refunds.record(record);
    },

    async loadRefund(refundId) {
      const stored = await store.refunds.load(refundId);
      return stored ? { ...stored, ...termsOf(stored.refund.connectionId) } : null;
    },
  };

  /** A worker that lacks the connection says nothing of what it can do. */
  function refusalOf(connectionId: string, request: RefundRequest): Problem | undefined {
    const connection = connections.get(connectionId);
    if (!connection) {
      throw ApplicationFailure.retryable(
        notConfigured(connectionId).problem.message,
        'unsupported',
      );
    }
    if (!connection.refunds) {
      return { code: 'unsupported', message: `connection ${connectionId} cannot refund payments` };
    }
    const broken = checkRefundRequest(request);
    const violations = broken.length > 0 ? broken : connection.refunds.check(request);
    return violations.length === 0 ? undefined : invalidRequest(violations);
  }

  function capabilityOf(connectionId: string): RefundCapability | undefined {
    return connections.get(connectionId)?.refunds;
  }

  function termsOf(connectionId: string | undefined): { readonly terms?: RefundTerms } {
    const capability = connectionId === undefined ? undefined : capabilityOf(connectionId);
    return capability ? { terms: { recovery: capability.operation.recovery } } : {};
  }
}

function attemptOf(
  input: RefundSendInput,
  { operation }: RefundCapability,
): Attempt<RefundOpened, RefundIntent> {
  const { refundId, sequence, key, request, amount, paymentReference, writeWithinMs } = input;
  return {
    name: 'refund',
    sent: input,
    operation,
    recovery: operation.recovery,
    intent: (intendedAtMs) => ({
      ...{ refundId, sequence, key, request, amount, paymentReference },
      intendedAtMs,
      latestWriteAtMs: intendedAtMs + writeWithinMs,
    }),
    requestedAt: request.requestedAt,
  };
}

/** An answer about another amount is about another refund. */
function isNews(
  { standing, amount }: Extract<RefundReading, { kind: 'found' }>,
  asked: Pick<AskRefundInput, 'known' | 'until' | 'amount'>,
): boolean {
  const isOurs = isSameMoney(amount, asked.amount);
  const known: RefundStatus = asked.known;
  return isOurs && (asked.until === 'now' || standing !== known);
}

function wordsOf(reading: RefundReading | undefined): string {
  if (!reading) return 'its connection is not configured on this worker';
  return reading.kind === 'found' ? 'no news of the refund' : reading.problem.message;
}

function notConfigured(connectionId: string): Extract<Outcome, { kind: 'not_sent' }> {
  const message = `connection ${connectionId} is not configured on this worker`;
  // Nothing was sent; the configuration of this worker may be mended.
  return { kind: 'not_sent', cause: 'unreachable', problem: { code: 'unsupported', message } };
}
