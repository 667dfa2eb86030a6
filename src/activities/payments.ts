/**
 * The side effects of a payment workflow: calls to the provider, reads of the truth, and records.
 * Thin: what happened on the wire is the adapter's to say, what follows from it the workflow's.
 */
import { ApplicationFailureCategory } from '@temporalio/common';
import { ApplicationFailure, activityInfo, log } from '@temporalio/activity';
import { isDefinitive, type Outcome } from '../domain/outcome.js';
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { PayerData } from '../domain/payer.js';
import type { PaymentRequest } from '../domain/payment.js';
import type { Violation } from '../domain/problem.js';
import type { PaymentRecord, StoredPayment } from '../domain/record.js';
import type { Timing } from '../domain/timing.js';
import { checkRequest } from '../domain/request-rules.js';
import type { Connections } from '../providers/connections.js';
import {
  recoveryOf,
  type Evidence,
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

  const send = async <Value>(
    input: SendInput,
    pick: (payments: PaymentCapability) => Operation<Value> | undefined,
  ): Promise<Outcome<Value>> => {
    const operation = findOperation(connections, input, pick);
    if ('kind' in operation) return operation;
    const { repeatUntil } = input;
    if (repeatUntil !== undefined && isPast(repeatUntil)) return windowClosed(repeatUntil);
    const intent = intentOf(input, scheduledAtMs());
    const found = await findAfterReset(input, intent, operation);
    if (found) return found;
    const outcome = await operation.send(intent);
    if (repeatUntil === undefined || isDefinitive(input.operation, outcome)) return outcome;
    throw notDone(input, outcome);
  };

  /** A repeated operation that came to nothing definitive: the server retries until its window ends. */
  const notDone = (input: SendInput, outcome: Outcome<unknown>): ApplicationFailure => {
    const { repeatUntil = 'never' } = input;
    const problem = 'problem' in outcome ? outcome.problem.message : outcome.kind;
    const wishMs = outcome.kind === 'not_sent' ? outcome.retryAfterMs : undefined;
    return notYet(`${input.operation} is not done yet: ${problem}`, {
      delayMs: Math.max(wishMs ?? 0, growing(timing.resendFirstMs, timing.resendMaxMs)),
      untilMs: repeatUntil === 'never' ? Infinity : Date.parse(repeatUntil),
      nowMs: now(),
    });
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

    async resolveOperation({ sent, intendedAt, mustBeProof }) {
      const operation = findOperation<Opened | null>(
        connections,
        sent,
        ({ operations, ifHeld }) => ({ ...ifHeld, ...operations })[sent.operation],
      );
      if ('kind' in operation) throw notYet(operation.problem.message, pace());
      if (!('find' in operation)) return { kind: 'wait' };
      const evidence = await operation.find(searchedIntent(sent, Date.parse(intendedAt)));
      if (evidence.kind === 'settled') return evidence;
      if (evidence.kind === 'unclear') throw unclear(evidence);
      const isProofNeeded = mustBeProof || wasReset(sent);
      return concludeAbsent(recoveryOf(operation, sent.request), {
        intendedAt,
        mustBeProof: isProofNeeded,
      });
    },

    async askProvider(input) {
      const payments = connections.get(input.request.connectionId)?.payments;
      if (!payments) throw notYet(notConfigured(input.request.connectionId), pace());
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

  /** "No trace" proves something only once a late arrival can be excluded. */
  function concludeAbsent(
    recovery: Operation['recovery'],
    lost: { readonly intendedAt: string; readonly mustBeProof: boolean },
  ): Resolution {
    if (recovery === 'reissue' && !lost.mustBeProof) return { kind: 'resend' };
    const settledAtMs = Date.parse(lost.intendedAt) + timing.settlingDelayMs;
    const remainingMs = settledAtMs - now();
    if (remainingMs <= 0) return { kind: 'resend' };
    throw notYet('no trace of it at the provider; that is proof only after the settling delay', {
      delayMs: Math.min(remainingMs, Math.max(timing.resolveFirstMs, remainingMs / 2)),
      untilMs: Infinity,
      nowMs: now(),
    });
  }

  function unclear(evidence: Extract<Evidence<unknown>, { kind: 'unclear' }>): ApplicationFailure {
    const { delayMs, ...rest } = pace();
    const wishMs = evidence.retryAfterMs ?? 0;
    return notYet(evidence.problem.message, { ...rest, delayMs: Math.max(delayMs, wishMs) });
  }

  function pace(): Delay {
    const delayMs = growing(timing.resolveFirstMs, timing.resolveMaxMs);
    return { delayMs, untilMs: Infinity, nowMs: now() };
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

/**
 * After a workflow reset the history no longer tells what was sent: look before sending. What is
 * repeatable is simply repeated with the same key.
 */
async function findAfterReset<Value>(
  input: SendInput,
  intent: Intent,
  operation: Operation<Value>,
): Promise<Outcome<Value> | undefined> {
  if (!wasReset(input) || operation.recovery === 'repeat') return undefined;
  const searched = searchedIntent(input, intent.intendedAtMs);
  const evidence = 'find' in operation ? await operation.find(searched) : undefined;
  if (evidence?.kind === 'settled') return evidence.outcome;
  const message = 'this run was reset: what an earlier run sent has to be found out first';
  return { kind: 'unknown', problem: { code: 'no_answer', message } };
}

/** In a run after a reset; what its forerunner sent, and told the payer, is not in its history. */
function wasReset({ isResolved, firstRunId }: SendInput): boolean {
  return !isResolved && activityInfo().workflowExecution?.runId !== firstRunId;
}

/** An earlier run may have sent it at any time since the payment was asked for. */
function searchedIntent(input: SendInput, intendedAtMs: number): Intent {
  const requestedAtMs = Date.parse(input.request.requestedAt);
  return intentOf(input, wasReset(input) ? Math.min(intendedAtMs, requestedAtMs) : intendedAtMs);
}

function intentOf(input: SendInput, intendedAtMs: number): Intent {
  const {
    writeWithinMs,
    firstRunId: _run,
    isResolved: _resolved,
    repeatUntil: _until,
    ...rest
  } = input;
  return { ...rest, intendedAtMs, latestWriteAtMs: intendedAtMs + writeWithinMs };
}

/** When this attempt was due, by the server's clock. */
function scheduledAtMs(): number {
  return activityInfo().currentAttemptScheduledTimestampMs;
}

function rejectedRequest(
  violations: readonly { field: string; rule: string; value?: string }[],
): Extract<Outcome, { kind: 'not_sent' }> {
  const message = violations.map(({ field, rule }) => `${field} ${rule}`).join('; ');
  return {
    kind: 'not_sent',
    cause: 'rejected',
    problem: { code: 'invalid_request', message, violations },
  };
}

/** Payers' apps take a second code of the same content for one that is paid. */
function expectedBefore(owner: PaymentId): Extract<Outcome, { kind: 'not_sent' }> {
  const rule = `together with amount and description is expected by payment ${owner} already`;
  return rejectedRequest([{ field: 'merchantReference', rule }]);
}

function windowClosed(repeatUntil: string): Extract<Outcome, { kind: 'unknown' }> {
  const message = `the provider's time limit passed at ${repeatUntil} without a definitive answer`;
  return { kind: 'unknown', problem: { code: 'window_closed', message } };
}

function hasNews(facts: readonly Fact[], knownIds: readonly string[]): boolean {
  return facts.some(({ id, kind }) => kind !== 'processing' && !knownIds.includes(id));
}

interface Delay {
  readonly delayMs: number;
  readonly untilMs: number;
  readonly nowMs: number;
}

/** Doubles with every attempt of this activity, up to a limit. */
function growing(firstMs: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(activityInfo().attempt - 1, 30), maxMs);
}

/** An expected "not yet": retried by the server, costing no history and raising no alarm. */
function notYet(message: string, { delayMs, untilMs, nowMs }: Delay): ApplicationFailure {
  const untilLimitMs = Math.max(untilMs - nowMs, 1);
  return ApplicationFailure.create({
    message,
    type: 'not_yet',
    nextRetryDelay: Math.max(Math.min(delayMs, untilLimitMs), 1),
    category: ApplicationFailureCategory.BENIGN,
  });
}
