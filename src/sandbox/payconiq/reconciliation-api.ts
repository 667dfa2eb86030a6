import { ApiError } from './answer.js';
import type { Answer } from './answer.js';
import type { Api, ApiRequest } from './api.js';
import { dayOfUtc, daysBetween, isDay } from './calendar.js';
import type { Operation } from './faults.js';
import type { Guard } from './guard.js';
import { pageOf } from './listing.js';
import type { Listing } from './listing.js';
import type { Period, Reconciliation, RowFilter } from './payouts.js';

const LONGEST_PERIOD_DAYS = 30;

export interface ReconciliationApiOptions {
  readonly reconciliation: Reconciliation;
  readonly guard: Guard;
  readonly now: () => number;
  readonly pageSize: number;
}

type Read = (query: URLSearchParams) => Answer;

/**
 * The Payout Reconciliation API, for signed requests.
 *
 * `date` is the payout's own, `start-date` and `end-date` are business days in Brussels. A page
 * beyond the last is empty. Every filter of payments and refunds is optional, and no default is
 * told: without any, they are those of the current date in UTC, as with payouts. Both at once must
 * both agree. `size` says 10,000 for payouts, and the rows of the page for the others, as in the
 * samples; asking for another size changes nothing.
 *
 * @see payconiq.txt L345-365, L10535-11194, L13974-14633
 */
export function createReconciliationApi(options: ReconciliationApiOptions): Api {
  const { reconciliation, now, pageSize } = options;

  const payouts: Read = (query) => {
    const day = readDay(query, 'date') ?? dayOfUtc(now());
    const asked = { page: readPage(query), size: pageSize };
    const { rows, ...page } = pageOf(reconciliation.payouts(day), asked);
    return { status: 200, body: { size: pageSize, ...page, payouts: rows } };
  };

  const rowsAs =
    (name: 'payments' | 'refunds'): Read =>
    (query) => {
      const filter = readFilter(query, now());
      const asked = { page: readPage(query), size: pageSize };
      const { payoutId } = filter;
      if (payoutId !== undefined && !reconciliation.knows(payoutId)) {
        throw new ApiError('PAYOUT_NOT_FOUND', `Payout not found '${payoutId}'`);
      }
      const listings: readonly Listing<object>[] = reconciliation[name](filter);
      const { rows, ...page } = pageOf(listings, asked);
      return { status: 200, body: { size: rows.length, ...page, [name]: rows } };
    };

  const routes: Readonly<Record<string, readonly [Operation, Read]>> = {
    '/v3/reconciliation/payouts': ['payouts', payouts],
    '/v3/reconciliation/payments': ['payout_payments', rowsAs('payments')],
    '/v3/reconciliation/refunds': ['payout_refunds', rowsAs('refunds')],
  };

  return {
    route: (request: ApiRequest) => {
      const found = request.method === 'GET' ? routes[request.path] : undefined;
      if (found === undefined) return undefined;
      const [operation, read] = found;
      return options.guard({
        operation,
        subject: subjectOf(request.query),
        request,
        isSignedOnly: true,
        handle: () => read(request.query),
      });
    },
  };
}

function subjectOf(query: URLSearchParams): { readonly page: number } {
  return { page: Number(query.get('page') ?? 0) };
}

function badRequest(message: string): ApiError {
  return new ApiError('BAD_REQUEST', message);
}

function readFilter(query: URLSearchParams, now: number): RowFilter {
  const payoutId = query.get('payout-id') ?? undefined;
  const period = readPeriod(query);
  if (payoutId !== undefined || period !== undefined) return { payoutId, period };
  const today = dayOfUtc(now);
  return { payoutId, period: { start: today, end: today } };
}

function readPeriod(query: URLSearchParams): Period | undefined {
  const [start, end] = [readDay(query, 'start-date'), readDay(query, 'end-date')];
  if (start === undefined && end === undefined) return undefined;
  if (start === undefined || end === undefined) {
    throw badRequest('Start and end date need to be filled both');
  }
  if (start > end) throw badRequest('Start date can not be after end date');
  if (daysBetween(start, end) > LONGEST_PERIOD_DAYS) {
    throw badRequest('Period between start and end date can not be bigger than 30 days');
  }
  return { start, end };
}

function readDay(query: URLSearchParams, name: string): string | undefined {
  const given = query.get(name) ?? undefined;
  if (given === undefined || isDay(given)) return given;
  throw badRequest(`Field '${name}' must be a date formatted as yyyy-MM-dd`);
}

function readPage(query: URLSearchParams): number {
  for (const name of ['page', 'size']) {
    if (/^\d{1,9}$/.test(query.get(name) ?? '0')) continue;
    throw badRequest(`Field '${name}' must be an integer of 0 or more`);
  }
  return Number(query.get('page') ?? 0);
}
