/**
 * The side effects of a payment workflow: calls to the provider, reads of the truth, and records.
 * Thin: what happened on the wire is the adapter's to say, what follows from it the workflow's.
 */
import { activityInfo, log } from '@temporalio/activity';
import type { Outcome } from '../domain/outcome.js';
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { PayerData } from '../domain/payer.js';
import type { PaymentRequest } from '../domain/payment.js';
import { invalidRequest, type Violation } from '../domain/problem.js';
import type { PaymentRecord, StoredPayment } from '../domain/record.js';
import type { Timing } from '../domain/timing.js';
import { checkRequest } from '../domain/request-rules.js';
import type { Connections } from '../providers/connections.js';
import {
  recoveryOf,
  type Intent,
  type Opened,
  type Operation,
  type PaymentCapability,
} from '../providers/provider.js';
import type { Store } from '../store/store.js';
import type {
  AskInput,
  AskResult,
  CommandResult,
  CreateResult,
  ExpectedSilence,
  Resolution,
  ResolveInput,
  SendInput,
  SilenceInput,
} from '../workflows/contract.js';
import { growing, notYet, type Delay } from './pacing.js';
import { resolveAttempt, resolvePace, sendAttempt, type Attempt } from './sending.js';

export interface PaymentActivities {
  /** Checks the request, then asks the provider to create the payment. One send at most. */
  createPayment(input: SendInput): Promise<CreateResult>;
  capturePayment(input: SendInput): Promise<CommandResult>;
  voidPayment(input: SendInput): Promise<CommandResult>;
  cancelPayment(input: SendInput): Promise<CommandResult>;
  /** Ends only with evidence; until then it fails and is retried. */
  resolveOperation(input: ResolveInput): Promise<Resolution>;
  askProvider(input: AskInput): Promise<AskResult>;
  /** Until when this connection's silence is no alarm: during a planned downtime and soon after. */
  expectedSilence(input: SilenceInput): Promise<ExpectedSilence>;
  /** Writing the same, or something older, changes nothing. */
  recordPayment(record: PaymentRecord): Promise<void>;
  /** Null when the store has no such payment. */
  loadPayment(paymentId: PaymentId): Promise<StoredPayment | null>;
  /** The id of the run that asks. */
  identifyRun(): Promise<string>;
}

export interface ActivityDependencies {
  readonly connections: Connections;
  readonly store: Pick<Store, 'recordPayment' | 'loadPayment' | 'expectations' | 'payers'>;
  readonly timing: Timing;
  readonly now: () => number;
}

export function paymentActivities(dependencies: ActivityDependencies): PaymentActivities {
  const { connections, store, timing, now } = dependencies;

  const send = <Value>(
    input: SendInput,
    pick: (payments: PaymentCapability) => Operation<Value> | undefined,
  ): Promise<Outcome<Value>> => {
    const operation = findOperation(connections, input, pick);
    return 'kind' in operation
      ? Promise.resolve(operation)
      : sendAttempt(attemptOf(input, operation), dependencies);
  };

  return {
    async createPayment(input) {
      const violations = violationsOf(input.request);
      if (violations.length > 0) return rejectedRequest(violations);
      const outcome = await send(input, ({ operations }) => operations.create);
      return keepExpectation(input.request, outcome);
    },
    capturePayment: (input) =>
      send(input, ({ operations, ifHeld }) => operations.capture ?? ifHeld?.capture),
    voidPayment: (input) =>
      send(input, ({ operations, ifHeld }) => operations.void ?? ifHeld?.void),
    cancelPayment: (input) => send(input, ({ operations }) => operations.cancel),

    async resolveOperation({ sent, ...lost }) {
      const operation = findOperation<Opened | null>(
        connections,
        sent,
        ({ operations, ifHeld }) => ({ ...ifHeld, ...operations })[sent.operation],
      );
      if ('kind' in operation) throw notYet(operation.problem.message, resolvePace(dependencies));
      return resolveAttempt(attemptOf(sent, operation), lost, dependencies);
    },

    async askProvider(input) {
      const payments = connections.get(input.request.connectionId)?.payments;
      if (!payments)
        throw notYet(notConfigured(input.request.connectionId), resolvePace(dependencies));
      const { request, providerReference } = input;
      const reading = await payments.read({
        request,
        ...(providerReference !== undefined && { providerReference }),
      });
      if (reading.kind === 'found' && reading.payer) remember(request.paymentId, reading.payer);
      const facts = reading.kind === 'found' ? reading.facts : [];
      const terms = reading.kind === 'found' ? { terms: reading.terms } : {};
      if (input.until === 'now' && reading.kind === 'found') return { facts, ...terms };
      if (input.until === 'news' && hasNews(facts, input.knownFactIds)) return { facts, ...terms };
      const quietUntilMs = silenceEnd(input.request.connectionId, now());
      const isDue = input.reportBy !== undefined && isPast(input.reportBy);
      if (isDue && input.until === 'news' && quietUntilMs === undefined) {
        return { facts: [], ...terms };
      }
      const problem =
        reading.kind === 'found' ? 'no news from the provider' : reading.problem.message;
      throw notYet(problem, pollPace(input, quietUntilMs));
    },

    expectedSilence({ connectionId, atMs }) {
      const untilMs = silenceEnd(connectionId, atMs);
      return Promise.resolve(untilMs === undefined ? {} : { untilMs });
    },

    async recordPayment(record) {
      await store.recordPayment(record);
    },

    async loadPayment(paymentId) {
      return (await store.loadPayment(paymentId)) ?? null;
    },

    identifyRun: () => Promise.resolve(activityInfo().workflowExecution?.runId ?? ''),
  };

  /** What is to begin at the provider without us must find its payment: kept before it is told. */
  async function keepExpectation(
    { connectionId, paymentId }: PaymentRequest,
    outcome: Outcome<Opened>,
  ): Promise<CreateResult> {
    if (outcome.kind !== 'succeeded' || !outcome.value.expects) return outcome;
    const { expects: expectation, ...value } = outcome.value;
    try {
      const owner = await store.expectations.add({ connectionId, paymentId, expectation });
      return owner === paymentId ? { ...outcome, value } : expectedBefore(owner);
    } catch {
      // Nothing has been sent, so it may be tried again.
      const message = 'the database cannot be reached to keep what is expected';
      return {
        kind: 'not_sent',
        cause: 'unreachable',
        problem: { code: 'store_unavailable', message },
      };
    }
  }

  /**
   * Not awaited: a store that is down must hold no payment up. The next reading makes up for it.
   * Written from here, so that what is personal never stands in a workflow.
   */
  function remember(paymentId: PaymentId, payer: PayerData): void {
    store.payers.remember(paymentId, payer).catch((error: unknown) => {
      const code = error instanceof Error ? error.name : typeof error;
      log.warn(`what the provider told of a payer was not kept (${code})`);
    });
  }

  /** The provider's rules presume that ours are kept. */
  function violationsOf(request: PaymentRequest): readonly Violation[] {
    const violations = checkRequest(request);
    if (violations.length > 0) return violations;
    return connections.get(request.connectionId)?.payments?.check(request) ?? [];
  }

  /** What is silent on plan is given after it the time that any silence is given. */
  function silenceEnd(connectionId: string, atMs: number): number | undefined {
    const { silentUntil } = connections.get(connectionId) ?? {};
    const graceMs = timing.attentionAfterMs;
    const endMs = silentUntil?.(atMs) ?? silentUntil?.(atMs - graceMs);
    return endMs === undefined ? undefined : endMs + graceMs;
  }

  /** Quick while the payer may still act, slow after; in time for a report that is due. */
  function pollPace(input: AskInput, quietUntilMs: number | undefined): Delay {
    const { payerDeadline, reportBy, until } = input;
    const isOpen = payerDeadline === undefined || !isPast(payerDeadline);
    const lateMs = growing(timing.pollEveryMs, timing.pollLateEveryMs);
    const isReporting = reportBy !== undefined && until === 'news';
    return {
      delayMs: isOpen ? timing.pollEveryMs : lateMs,
      untilMs: isReporting ? Math.max(Date.parse(reportBy), quietUntilMs ?? 0) : Infinity,
      nowMs: now(),
    };
  }

  function isPast(isoTime: string): boolean {
    return now() >= Date.parse(isoTime);
  }
}

function findOperation<Value>(
  connections: Connections,
  { request, operation }: SendInput,
  pick: (payments: PaymentCapability) => Operation<Value> | undefined,
): Operation<Value> | Extract<Outcome, { kind: 'not_sent' }> {
  const payments = connections.get(request.connectionId)?.payments;
  const found = payments && pick(payments);
  if (found) return found;
  const message = payments
    ? `connection ${request.connectionId} cannot ${operation} payments`
    : notConfigured(request.connectionId);
  // Nothing was sent; the configuration of this worker may be mended.
  return { kind: 'not_sent', cause: 'unreachable', problem: { code: 'unsupported', message } };
}

function notConfigured(connectionId: string): string {
  return `connection ${connectionId} is not configured on this worker`;
}

function attemptOf<Value>(input: SendInput, operation: Operation<Value>): Attempt<Value, Intent> {
  const {
    writeWithinMs,
    firstRunId: _run,
    isResolved: _resolved,
    repeatUntil: _until,
    ...rest
  } = input;
  return {
    name: input.operation,
    sent: input,
    operation,
    recovery: recoveryOf(operation, input.request),
    intent: (intendedAtMs) => ({
      ...rest,
      intendedAtMs,
      latestWriteAtMs: intendedAtMs + writeWithinMs,
    }),
    requestedAt: input.request.requestedAt,
  };
}

function rejectedRequest(violations: readonly Violation[]): Extract<Outcome, { kind: 'not_sent' }> {
  return { kind: 'not_sent', cause: 'rejected', problem: invalidRequest(violations) };
}

/** Payers' apps take a second code of the same content for one that is paid. */
function expectedBefore(owner: PaymentId): Extract<Outcome, { kind: 'not_sent' }> {
  const rule = `together with amount and description is expected by payment ${owner} already`;
  return rejectedRequest([{ field: 'merchantReference', rule }]);
}

function hasNews(facts: readonly Fact[], knownIds: readonly string[]): boolean {
  return facts.some(({ id, kind }) => kind !== 'processing' && !knownIds.includes(id));
}
