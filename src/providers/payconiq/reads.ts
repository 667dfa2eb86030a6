/** What Payconiq tells of payments: details (PCQ-05), lists (PCQ-06), the payer's IBAN (PCQ-10). */
import type { NotSent, Unknown } from '../../domain/outcome.js';
import type { Problem, ProblemCode } from '../../domain/problem.js';
import { unexpectedAnswer, type Answer } from '../../transport/classify.js';
import { redactText } from '../../transport/redact.js';
import type {
  ConnectionResources,
  FoundPayment,
  RefundIban,
  SearchFilter,
  SearchResult,
} from '../provider.js';
import { refusalOf, type CallApi } from './api.js';
import { amountsOf, factsOf, subjectOf } from './mapping.js';
import {
  details,
  errorAnswer,
  parseBody,
  refundIbanAnswer,
  searchAnswer,
  type Details,
} from './wire.js';

export const PAYMENTS_PATH = '/v3/payments';
/** The document's default; it names no largest one. */
const PAGE_SIZE = 50;

/** Allowed difference between Payconiq's clock and ours. */
const CLOCK_TOLERANCE_MS = 2 * 60_000;

export interface Unclear {
  readonly kind: 'unclear';
  readonly problem: Problem;
  readonly retryAfterMs?: number;
}

export type Current =
  | { readonly kind: 'found'; readonly details: Details }
  | { readonly kind: 'absent'; readonly problem: Problem }
  | Unclear;

interface Page {
  readonly kind: 'found';
  readonly payments: readonly Details[];
  readonly totalPages: number;
  readonly totalPayments: number;
}

export interface PayconiqReads {
  details(providerReference: string, deadlineMs: number): Promise<Current>;
  /** All pages; each payment once, newest first. */
  all(
    filter: Omit<SearchFilter, 'page' | 'pageSize'>,
    deadlineMs: number,
  ): Promise<{ readonly kind: 'found'; readonly payments: readonly Details[] } | Unclear>;
  search(filter: SearchFilter): Promise<SearchResult>;
  refundIban(providerReference: string): Promise<RefundIban>;
}

export function payconiqReads(
  { now, timing }: Pick<ConnectionResources, 'now' | 'timing'>,
  callApi: CallApi,
): PayconiqReads {
  const deadline = (): number => now() + timing.providerTimeoutMs;

  async function getDetails(providerReference: string, deadlineMs: number): Promise<Current> {
    const answer = await callApi({
      method: 'GET',
      path: `${PAYMENTS_PATH}/${pathPart(providerReference)}`,
      size: 'payment',
      connection: 'kept',
      deadlineMs,
    });
    if (answer.kind !== 'answered') return unclear(answer.problem);
    const current = answer.status === 200 ? parseBody(details, answer.body) : undefined;
    if (current?.paymentId === providerReference) return { kind: 'found', details: current };
    const problem = answer.status === 200 ? misfit('payment details') : refusalOf(answer).problem;
    const isAbsent = answer.status === 404 && problem.providerCode === 'PAYMENT_NOT_FOUND';
    return { kind: isAbsent ? 'absent' : 'unclear', problem };
  }

  async function getPage(filter: SearchFilter, deadlineMs: number): Promise<Page | Unclear> {
    const { from, to, reference, providerStatuses, page, pageSize } = filter;
    const answer = await callApi({
      method: 'POST',
      path: `${PAYMENTS_PATH}/search`,
      query: `page=${page}&size=${pageSize}`,
      body: { from, to, paymentStatuses: providerStatuses, reference },
      size: 'search',
      connection: 'kept',
      deadlineMs,
    });
    if (answer.kind !== 'answered') return unclear(answer.problem);
    const found = answer.status === 200 ? parseBody(searchAnswer, answer.body) : undefined;
    if (!found) {
      const problem = answer.status === 200 ? misfit('search result') : refusalOf(answer).problem;
      return unclear(problem);
    }
    const { details: payments, totalPages, totalElements: totalPayments } = found;
    return { kind: 'found', payments, totalPages, totalPayments };
  }

  return {
    details: getDetails,
    async all(filter, deadlineMs) {
      const byId = new Map<string, Details>();
      for (let page = 0, totalPages = 1; page < totalPages; page += 1) {
        const found = await getPage({ ...filter, page, pageSize: PAGE_SIZE }, deadlineMs);
        if (found.kind === 'unclear') return found;
        // What is created meanwhile moves the rest to later pages: seen twice, never missed.
        for (const each of found.payments) {
          if (!byId.has(each.paymentId)) byId.set(each.paymentId, each);
        }
        totalPages = found.totalPages;
      }
      return { kind: 'found', payments: [...byId.values()] };
    },
    async search(filter) {
      const found = await getPage(filter, deadline());
      if (found.kind === 'unclear') return found;
      const { payments, totalPages, totalPayments } = found;
      const told = payments.map((each) => foundPayment(each, now()));
      return { kind: 'found', payments: told, totalPages, totalPayments };
    },
    async refundIban(providerReference) {
      const answer = await callApi({
        method: 'GET',
        path: `${PAYMENTS_PATH}/${pathPart(providerReference)}/debtor/refundIban`,
        size: 'payment',
        connection: 'kept',
        deadlineMs: deadline(),
      });
      return answer.kind === 'answered' ? ibanOf(answer) : unanswered(answer);
    },
  };
}

type Refused = Extract<RefundIban, { kind: 'not_yet' | 'refused' | 'absent' }>['kind'];

/** @see payconiq.txt L2569-2590 */
const IBAN_REFUSALS: Readonly<
  Record<string, { readonly status: number; readonly kind: Refused; readonly code: ProblemCode }>
> = {
  REFUND_NOT_AVAILABLE: { status: 422, kind: 'not_yet', code: 'not_available_yet' },
  REFUND_NOT_ALLOWED: { status: 422, kind: 'refused', code: 'not_allowed' },
  PAYMENT_NOT_FOUND: { status: 404, kind: 'absent', code: 'not_found' },
};

function ibanOf(answer: Answer): RefundIban {
  if (answer.status === 200) {
    const told = parseBody(refundIbanAnswer, answer.body);
    return told ? { kind: 'found', iban: told.iban } : unclear(misfit('an IBAN'));
  }
  const { code: providerCode = '', message = '' } = parseBody(errorAnswer, answer.body) ?? {};
  const refusal = Object.hasOwn(IBAN_REFUSALS, providerCode)
    ? IBAN_REFUSALS[providerCode]
    : undefined;
  if (refusal?.status !== answer.status) return unclear(refusalOf(answer).problem);
  const { kind, code } = refusal;
  const words = `Payconiq refused: ${providerCode} ${redactText(message)}`.trim();
  return { kind, problem: { code, providerCode, message: words } };
}

function foundPayment(found: Details, nowMs: number): FoundPayment {
  const { callbackUrl } = found.creditor ?? {};
  return {
    ...subjectOf(found),
    ...(callbackUrl !== undefined && { notificationUrl: callbackUrl }),
    providerReference: found.paymentId,
    providerStatus: found.status,
    total: amountsOf(found).total,
    ...(found.endToEndId !== undefined && { endToEndId: found.endToEndId }),
    facts: factsOf(found, { source: 'query', atMs: nowMs }) ?? [],
  };
}

/** The range of a search for what began at or after this time, whosever clock is ahead. */
export function searchSince(fromMs: number, nowMs: number): Pick<SearchFilter, 'from' | 'to'> {
  return {
    from: new Date(fromMs - CLOCK_TOLERANCE_MS).toISOString(),
    to: new Date(nowMs + CLOCK_TOLERANCE_MS).toISOString(),
  };
}

/** The provider's id as one segment of a path, whatever it contains. */
export function pathPart(providerReference = ''): string {
  return encodeURIComponent(providerReference);
}

export function unclear(problem: Problem): Unclear {
  return { kind: 'unclear', problem };
}

/** Nothing was learned; with the provider's wish when to ask again. */
export function unanswered(outcome: NotSent | Unknown): Unclear {
  const wish = outcome.kind === 'not_sent' ? outcome.retryAfterMs : undefined;
  return { ...unclear(outcome.problem), ...(wish !== undefined && { retryAfterMs: wish }) };
}

function misfit(what: string): Problem {
  return unexpectedAnswer(`Payconiq answered 200 with ${what} that do not fit its document`)
    .problem;
}
