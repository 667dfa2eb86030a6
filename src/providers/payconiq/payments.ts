/** Payments at Payconiq: create, acknowledge (≙ capture), DELETE (≙ void and cancel), get, search. */
import { fact, mergeFacts } from '../../domain/facts.js';
import type { Money } from '../../domain/money.js';
import type { NotSent, Outcome, Unknown } from '../../domain/outcome.js';
import type { PaymentRequest } from '../../domain/payment.js';
import type { Problem } from '../../domain/problem.js';
import type { Terms } from '../../domain/terms.js';
import { unexpectedAnswer, type Answer } from '../../transport/classify.js';
import type {
  ConnectionResources,
  Evidence,
  FoundPayment,
  Intent,
  Opened,
  Operation,
  PaymentCapability,
  ReadRequest,
  Reading,
  SearchFilter,
  SearchResult,
} from '../provider.js';
import { recoveriesOf } from '../provider.js';
import { refusalOf, type CallApi } from './api.js';
import type { PayconiqSettings } from './config.js';
import { buildCreate, nextActionOf } from './creation.js';
import { amountsOf, factsOf, payerOf, statusMeaning, type PayconiqStatus } from './mapping.js';
import { checkPayment } from './rules.js';
import {
  createAnswer,
  details,
  parseBody,
  searchAnswer,
  type CreateAnswer,
  type Details,
} from './wire.js';

const PAYMENTS_PATH = '/v3/payments';
const HOUR_MS = 3_600_000;
/** Debited, and waiting for the merchant's word. */
const HELD = 'PENDING_MERCHANT_ACKNOWLEDGEMENT' satisfies PayconiqStatus;
/** Allowed difference between Payconiq's clock and ours when looking for a lost creation. */
const CLOCK_TOLERANCE_MS = 2 * 60_000;

export function payconiqPayments(
  settings: PayconiqSettings,
  resources: ConnectionResources,
  callApi: CallApi,
): PaymentCapability {
  const { now, timing, notificationUrl } = resources;
  const deadline = (): number => now() + timing.providerTimeoutMs;

  // --- terms and next action ------------------------------------------------------------------

  /** What waits for our acknowledgement all the same can be decided on, with or without void support. */
  const terms = (from: { createdAt: string; payerDeadline: string; status?: string }): Terms => {
    const isHeld = from.status === HELD;
    return {
      payerDeadline: new Date(from.payerDeadline).toISOString(),
      ...((settings.voidSupport || isHeld) && { captureDeadline: captureDeadline(from.createdAt) }),
      recoveries: recoveriesOf(isHeld ? { ...operations, ...holding } : operations),
      partialCapture: false,
      ...(isHeld && { unexpectedAuthorization: settings.unexpectedAuthorization }),
    };
  };
  const captureDeadline = (createdAt: string): string =>
    new Date(Date.parse(createdAt) + settings.acknowledgeWindowHours * HOUR_MS).toISOString();

  // --- create (PCQ-01, PCQ-03): nobody can pay it without the link ----------------------------

  const create: Operation<Opened> = {
    recovery: 'reissue',
    async send(intent) {
      const answer = await callApi({
        method: 'POST',
        path: PAYMENTS_PATH,
        body: buildCreate(intent.request, notificationUrl(intent.paymentId)),
        size: 'payment',
        connection: 'fresh',
        deadlineMs: deadline(),
        latestWriteAtMs: intent.latestWriteAtMs,
      });
      return answer.kind === 'answered' ? parseCreated(intent, answer) : answer;
    },
    find: findCreated,
  };

  function parseCreated(intent: Intent, answer: Answer): Outcome<Opened> {
    if (answer.status !== 201) return withoutAsk(refusalOf(answer));
    const created = parseBody(createAnswer, answer.body);
    if (!created) return unexpectedAnswer('Payconiq answered 201 with a body that does not parse');
    return opened(intent, { ...created, payerDeadline: created.expiresAt }, 'answer');
  }

  function opened(
    intent: Intent,
    created: Pick<CreateAnswer, 'paymentId' | 'createdAt' | '_links'> & { payerDeadline: string },
    source: 'answer' | 'query',
  ): Outcome<Opened> & { kind: 'succeeded' } {
    const { paymentId: object, createdAt } = created;
    const occurredAt = new Date(createdAt).toISOString();
    return {
      kind: 'succeeded',
      value: {
        providerReference: object,
        nextAction: nextActionOf(intent.request, created),
        terms: terms(created),
      },
      facts: [fact({ kind: 'created', object, occurredAt, source })],
    };
  }

  /**
   * A lost creation is ours for certain only if it carries the URL we gave to this payment alone.
   * Without the checkout link, a payment that needs it is made again rather than adopted.
   */
  async function findCreated(intent: Intent): Promise<Evidence<Opened>> {
    const ours = notificationUrl(intent.paymentId);
    if (ours === undefined) return { kind: 'absent' };
    const found = await searchDetails({
      reference: intent.request.merchantReference,
      from: new Date(intent.intendedAtMs - CLOCK_TOLERANCE_MS).toISOString(),
      to: new Date(now() + CLOCK_TOLERANCE_MS).toISOString(),
      page: 0,
      pageSize: 50,
    });
    if (found.kind === 'unclear') return found;
    const mine = found.payments.filter((each) => each.creditor?.callbackUrl === ours);
    const usable = mine.find((each) => isAdoptable(intent.request, each));
    if (!usable) return { kind: 'absent' };
    const outcome = opened(intent, { ...usable, payerDeadline: usable.expireAt }, 'query');
    const known = factsOf(usable, { source: 'query', atMs: now() }) ?? [];
    return { kind: 'settled', outcome: { ...outcome, facts: mergeFacts(outcome.facts, known) } };
  }

  // --- acknowledge (PCQ-07): may be called many times -----------------------------------------

  const capture: Operation = {
    recovery: 'repeat',
    async send(intent) {
      const { providerReference = '', request, amount, tip } = intent;
      if (!amount) return withoutAmount();
      const deadlineMs = deadline();
      const answer = await callApi({
        method: 'POST',
        path: settings.acknowledgePath.replace('{paymentId}', () => pathPart(providerReference)),
        body: {
          amount: Number(BigInt(amount.minor) - BigInt(tip?.minor ?? '0')),
          currency: amount.currency,
          reference: request.merchantReference,
        },
        size: 'payment',
        connection: 'fresh',
        deadlineMs,
        latestWriteAtMs: intent.latestWriteAtMs,
      });
      if (answer.kind !== 'answered') return answer;
      if (answer.status === 204) return acknowledged(intent, amount);
      const refusal = refusalOf(answer);
      if (refusal.kind !== 'ask') return refusal;
      return settle(intent, 'captured', refusal.problem, deadlineMs);
    },
  };

  function acknowledged({ providerReference = '', tip }: Intent, amount: Money): Outcome {
    const occurredAt = new Date(now()).toISOString();
    const object = providerReference;
    return {
      kind: 'succeeded',
      value: null,
      facts: [
        fact({
          kind: 'captured',
          object,
          amount,
          ...(tip && { tip }),
          occurredAt,
          source: 'answer',
        }),
      ],
    };
  }

  // --- DELETE (PCQ-08, PCQ-09): what it did depends on the state at its arrival -----------------

  const sendDelete = async (intent: Intent): Promise<Outcome> => {
    const deadlineMs = deadline();
    const answer = await callApi({
      method: 'DELETE',
      path: `${PAYMENTS_PATH}/${pathPart(intent.providerReference)}`,
      size: 'payment',
      connection: 'fresh',
      deadlineMs,
      latestWriteAtMs: intent.latestWriteAtMs,
    });
    if (answer.kind !== 'answered') return answer;
    if (answer.status === 204) return settle(intent, 'released', undefined, deadlineMs);
    const refusal = refusalOf(answer);
    if (refusal.kind !== 'ask') return refusal;
    return settle(intent, 'released', refusal.problem, deadlineMs);
  };

  const voidOperation: Operation = { recovery: 'repeat', send: sendDelete };

  const cancel: Operation = {
    recovery: 'fetch',
    send: sendDelete,
    async find(intent) {
      const current = await getDetails(intent.providerReference ?? '', deadline());
      if (current.kind !== 'found') return unclear(current.problem);
      const status = statusMeaning(current.details.status);
      if (status && !status.isFinal && status.proves[0] !== 'authorized' && status.isReleasable) {
        return { kind: 'absent' };
      }
      const outcome = judge(intent, 'released', current.details, undefined);
      return outcome.kind === 'succeeded' || outcome.kind === 'declined'
        ? { kind: 'settled', outcome }
        : unclear(unexplained(outcome));
    },
  };

  // --- what a command came to, from the payment's details ---------------------------------------

  async function settle(
    intent: Intent,
    wanted: 'captured' | 'released',
    refusal: Problem | undefined,
    deadlineMs: number,
  ): Promise<Outcome> {
    const current = await getDetails(intent.providerReference ?? '', deadlineMs);
    if (current.kind === 'found') return judge(intent, wanted, current.details, refusal);
    return { kind: 'unknown', problem: refusal ?? current.problem };
  }

  function judge(
    intent: Intent,
    wanted: 'captured' | 'released',
    current: Details,
    refusal: Problem | undefined,
  ): Outcome {
    const meaning = statusMeaning(current.status);
    const facts = factsOf(current, { source: 'query', atMs: now() });
    if (!meaning || !facts) return unexpectedAnswer(`unknown status ${current.status}`);
    const goals = wanted === 'captured' ? ['captured'] : ['voided', 'canceled'];
    if (meaning.proves.some((kind) => goals.includes(kind))) {
      return { kind: 'succeeded', value: null, facts };
    }
    const isBeyondUs = wanted === 'released' && refusal !== undefined && !meaning.isReleasable;
    const isOver = meaning.isFinal || isBeyondUs;
    const isOvertaken = intent.operation === 'cancel' && meaning.proves[0] === 'authorized';
    const problem = refusal ?? notPending(current.status);
    return isOver || isOvertaken
      ? { kind: 'declined', facts, problem }
      : { kind: 'unknown', problem: { ...problem, code: 'no_answer' } };
  }

  // --- reads (PCQ-05, PCQ-06) -------------------------------------------------------------------

  type Current =
    | { readonly kind: 'found'; readonly details: Details }
    | { readonly kind: 'absent' | 'unclear'; readonly problem: Problem };

  async function getDetails(providerReference: string, deadlineMs: number): Promise<Current> {
    const answer = await callApi({
      method: 'GET',
      path: `${PAYMENTS_PATH}/${pathPart(providerReference)}`,
      size: 'payment',
      connection: 'kept',
      deadlineMs,
    });
    if (answer.kind !== 'answered') return { kind: 'unclear', problem: answer.problem };
    const current = answer.status === 200 ? parseBody(details, answer.body) : undefined;
    if (current?.paymentId === providerReference) return { kind: 'found', details: current };
    const problem = answer.status === 200 ? misfit('payment details') : refusalOf(answer).problem;
    const isAbsent = answer.status === 404 && problem.providerCode === 'PAYMENT_NOT_FOUND';
    return { kind: isAbsent ? 'absent' : 'unclear', problem };
  }

  async function read({ providerReference = '' }: ReadRequest): Promise<Reading> {
    const current = await getDetails(providerReference, deadline());
    if (current.kind !== 'found') return { kind: current.kind, problem: current.problem };
    const facts = factsOf(current.details, { source: 'query', atMs: now() });
    if (!facts)
      return unclear(unexpectedAnswer(`unknown status ${current.details.status}`).problem);
    const { createdAt, expireAt, status } = current.details;
    const payer = payerOf(current.details);
    const read = { facts, terms: terms({ createdAt, payerDeadline: expireAt, status }) };
    return { kind: 'found', ...read, ...(payer && { payer }) };
  }

  type FoundDetails =
    | { readonly kind: 'found'; readonly payments: readonly Details[]; readonly totals: Totals }
    | { readonly kind: 'unclear'; readonly problem: Problem };
  type Totals = { readonly totalPages: number; readonly totalPayments: number };

  async function searchDetails(filter: SearchFilter): Promise<FoundDetails> {
    const { from, to, reference, providerStatuses, page, pageSize } = filter;
    const answer = await callApi({
      method: 'POST',
      path: `${PAYMENTS_PATH}/search`,
      query: `page=${page}&size=${pageSize}`,
      body: { from, to, paymentStatuses: providerStatuses, reference },
      size: 'search',
      connection: 'kept',
      deadlineMs: deadline(),
    });
    if (answer.kind !== 'answered') return { kind: 'unclear', problem: answer.problem };
    const found = answer.status === 200 ? parseBody(searchAnswer, answer.body) : undefined;
    if (!found) {
      const problem = answer.status === 200 ? misfit('search result') : refusalOf(answer).problem;
      return { kind: 'unclear', problem };
    }
    const { details: payments, totalPages, totalElements: totalPayments } = found;
    return { kind: 'found', payments, totals: { totalPages, totalPayments } };
  }

  async function search(filter: SearchFilter): Promise<SearchResult> {
    const found = await searchDetails(filter);
    if (found.kind === 'unclear') return found;
    const payments = found.payments.map((each) => foundPayment(each, now()));
    return { kind: 'found', payments, ...found.totals };
  }

  const holding = { capture, void: voidOperation };
  const operations = { create, cancel, ...(settings.voidSupport && holding) };
  return {
    check: (request) => checkPayment(settings, request),
    operations,
    ...(!settings.voidSupport && { ifHeld: holding }),
    read,
    search,
  };
}

function isAdoptable(request: PaymentRequest, found: Details): boolean {
  const { minor, currency } = amountsOf(found).amount;
  const isSame = minor === request.amount.minor && currency === request.amount.currency;
  const meaning = statusMeaning(found.status);
  const hasMoney = meaning?.proves.includes('authorized') ?? false;
  const hasLink = request.returnUrl === undefined || found._links?.checkout !== undefined;
  return isSame && meaning !== undefined && (hasMoney || (!meaning.isFinal && hasLink));
}

function foundPayment(found: Details, nowMs: number): FoundPayment {
  const { amount, total } = amountsOf(found);
  return {
    providerReference: found.paymentId,
    providerStatus: found.status,
    ...(found.reference !== undefined && { reference: found.reference }),
    ...(found.description !== undefined && { description: found.description }),
    amount,
    total,
    createdAt: found.createdAt,
    facts: factsOf(found, { source: 'query', atMs: nowMs }) ?? [],
  };
}

/** The provider's id as one segment of a path, whatever it contains. */
function pathPart(providerReference = ''): string {
  return encodeURIComponent(providerReference);
}

/** A creation has no object whose details could tell: then its outcome is unknown. */
function withoutAsk(
  refusal: ReturnType<typeof refusalOf>,
): NotSent | Unknown | Extract<Outcome, { kind: 'declined' }> {
  return refusal.kind === 'ask' ? { kind: 'unknown', problem: refusal.problem } : refusal;
}

function withoutAmount(): NotSent {
  const problem: Problem = { code: 'invalid_request', message: 'a capture needs an amount' };
  return { kind: 'not_sent', cause: 'rejected', problem };
}

function unclear(problem: Problem): { kind: 'unclear'; problem: Problem } {
  return { kind: 'unclear', problem };
}

function misfit(what: string): Problem {
  return unexpectedAnswer(`Payconiq answered 200 with ${what} that do not fit its document`)
    .problem;
}

function unexplained(outcome: Outcome): Problem {
  return 'problem' in outcome ? outcome.problem : misfit('details');
}

function notPending(status: string): Problem {
  return {
    code: 'not_pending',
    providerCode: status,
    message: `the payment is ${status} at Payconiq`,
  };
}
