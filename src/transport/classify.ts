/**
 * The one classification of exchanges into outcomes, for all providers. What is left over is a whole
 * answer, which only the provider's own document can interpret.
 */
import type { NotSent, Unknown } from '../domain/outcome.js';
import type { Exchange } from './http.js';

export type Answer = Extract<Exchange, { kind: 'answered' }>;

export type Classified = Answer | NotSent | Unknown;

const MAX_RETRY_AFTER_MS = 15 * 60_000;

/**
 * - nothing was written → `not_sent`
 * - 429 → `not_sent`, with the provider's Retry-After
 * - broken off, timed out, 5xx, or a redirect (never followed) → `unknown`
 * - any other whole answer → itself
 */
export function classify(exchange: Exchange, nowMs: number): Classified {
  if (exchange.kind === 'not_sent') return notSent(exchange);
  if (exchange.kind === 'unknown') return unknown(`no usable answer: ${exchange.reason}`);
  if (exchange.status === 429) return throttled(exchange, nowMs);
  if (exchange.status >= 500) return unknown(`the provider answered ${exchange.status}`);
  if (exchange.status >= 300 && exchange.status < 400) {
    return unknown(`the provider answered with a redirect (${exchange.status}), not followed`);
  }
  return exchange;
}

/** A whole answer that its document does not explain: what happened is not known. */
export function unexpectedAnswer(what: string): Unknown {
  return { kind: 'unknown', problem: { code: 'unexpected_answer', message: what } };
}

function notSent(exchange: Extract<Exchange, { kind: 'not_sent' }>): NotSent {
  const { cause, reason } = exchange;
  const code = cause === 'too_late' ? 'too_late' : 'unreachable';
  return { kind: 'not_sent', cause, problem: { code, message: `nothing was sent: ${reason}` } };
}

function unknown(message: string): Unknown {
  return { kind: 'unknown', problem: { code: 'no_answer', message } };
}

function throttled({ headers }: Answer, nowMs: number): NotSent {
  const retryAfterMs = parseRetryAfter(headers['retry-after'], nowMs);
  return {
    kind: 'not_sent',
    cause: 'throttled',
    problem: { code: 'throttled', message: 'the provider answered 429 (too many requests)' },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Retry-After in seconds or as an HTTP date, to milliseconds from now, at most 15 minutes. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const delayMs = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(delayMs) ? Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS) : undefined;
}
