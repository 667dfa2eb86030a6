import { describe, expect, it, test } from 'vitest';
import { classify, parseRetryAfter, unexpectedAnswer } from '../../src/transport/classify.js';
import type { Exchange } from '../../src/transport/http.js';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const answered = (status: number, headers: Record<string, string> = {}): Exchange => ({
  kind: 'answered',
  status,
  headers,
  body: new Uint8Array(),
});

describe('an answer', () => {
  test.each([
    200, 201, 202, 204, 206, 299, 400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422, 425, 428,
    431, 451, 499,
  ])('of %d is for the provider’s own document to explain', (status) => {
    const exchange = answered(status);
    expect(classify(exchange, NOW)).toBe(exchange);
  });

  test.each([500, 501, 502, 503, 504, 505, 507, 509, 520, 529, 599])(
    'of %d leaves unknown what happened',
    (status) => {
      expect(classify(answered(status), NOW)).toEqual({
        kind: 'unknown',
        problem: { code: 'no_answer', message: `the provider answered ${status}` },
      });
    },
  );

  test.each([300, 301, 302, 303, 304, 307, 308, 399])(
    'of %d is no answer: redirects are not followed',
    (status) => {
      expect(classify(answered(status, { location: 'https://evil.test' }), NOW)).toEqual({
        kind: 'unknown',
        problem: {
          code: 'no_answer',
          message: `the provider answered with a redirect (${status}), not followed`,
        },
      });
    },
  );

  it('of 429 proves that nothing was processed', () => {
    expect(classify(answered(429), NOW)).toEqual({
      kind: 'not_sent',
      cause: 'throttled',
      problem: { code: 'throttled', message: 'the provider answered 429 (too many requests)' },
    });
  });

  it('of 429 carries the provider’s wish', () => {
    const exchange = answered(429, { 'retry-after': '7' });
    expect(classify(exchange, NOW)).toMatchObject({ cause: 'throttled', retryAfterMs: 7_000 });
  });
});

describe('an exchange without an answer', () => {
  it.each([
    ['unreachable', 'unreachable'],
    ['too_late', 'too_late'],
  ] as const)('that was not sent (%s) is not_sent', (cause, code) => {
    expect(classify({ kind: 'not_sent', cause, reason: 'ECONNREFUSED' }, NOW)).toEqual({
      kind: 'not_sent',
      cause,
      problem: { code, message: 'nothing was sent: ECONNREFUSED' },
    });
  });

  it('that broke off is unknown', () => {
    expect(classify({ kind: 'unknown', reason: 'ECONNRESET' }, NOW)).toEqual({
      kind: 'unknown',
      problem: { code: 'no_answer', message: 'no usable answer: ECONNRESET' },
    });
  });
});

describe('Retry-After', () => {
  test.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['899', 899_000],
    ['901', 900_000],
    ['999999999', 900_000],
    ['9'.repeat(400), undefined],
    ['Sun, 01 Mar 2026 10:00:30 GMT', 30_000],
    ['Sun, 01 Mar 2026 09:00:00 GMT', 0],
    ['Sun, 01 Mar 2026 23:00:00 GMT', 900_000],
    ['soon', undefined],
    ['', undefined],
  ])('of %j means %j ms', (header, expected) => {
    expect(parseRetryAfter(header, NOW)).toBe(expected);
  });
});

it('an answer that its document does not explain is unknown', () => {
  expect(unexpectedAnswer('a surprise')).toEqual({
    kind: 'unknown',
    problem: { code: 'unexpected_answer', message: 'a surprise' },
  });
});
