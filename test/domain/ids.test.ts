import { describe, expect, it, test } from 'vitest';
import {
  OPERATION_NAMES,
  isPaymentId,
  operationKey,
  paymentWorkflowId,
} from '../../src/domain/ids.js';
import { isDefinitive, type NotSentCause, type Outcome } from '../../src/domain/outcome.js';
import { groupBy } from '../../src/domain/collections.js';
import { PROBLEM_CODES, type Problem, type ProblemCode } from '../../src/domain/problem.js';

describe('the key of an operation', () => {
  const ref = { paymentId: 'order-1', operation: 'capture', sequence: 2 } as const;

  it('is the same on every repeat', () => {
    expect(operationKey(ref)).toBe('order-1/capture/2');
    expect(operationKey({ ...ref })).toBe(operationKey(ref));
  });

  it('differs for every payment, operation and sequence', () => {
    const keys = ['order-1', 'order-11', 'order'].flatMap((paymentId) =>
      OPERATION_NAMES.flatMap((operation) =>
        [1, 2, 11].map((sequence) => operationKey({ paymentId, operation, sequence })),
      ),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('cannot be imitated by a payment id', () => {
    expect(isPaymentId('order-1/capture/2')).toBe(false);
  });
});

it('the workflow of a payment carries its id', () => {
  expect(paymentWorkflowId('order-1')).toBe('payment/order-1');
});

describe('an outcome is definitive', () => {
  const problem = (code: ProblemCode): Problem => ({ code, message: 'x' });
  const notSent = (cause: NotSentCause, code: ProblemCode): Outcome => ({
    kind: 'not_sent',
    cause,
    problem: problem(code),
  });
  const yes = { create: true, capture: true, void: true, cancel: true };
  const no = { create: false, capture: false, void: false, cancel: false };

  test.each<[string, Outcome, typeof yes]>([
    ['succeeded', { kind: 'succeeded', value: null, facts: [] }, yes],
    ['pending', { kind: 'pending', value: null, facts: [] }, yes],
    ['declined', { kind: 'declined', problem: problem('declined_by_payer'), facts: [] }, yes],
    ['unknown', { kind: 'unknown', problem: problem('no_answer') }, no],
    ['not sent: unreachable', notSent('unreachable', 'unreachable'), no],
    ['not sent: throttled', notSent('throttled', 'throttled'), no],
    ['not sent: too late', notSent('too_late', 'too_late'), no],
    ['not sent: a wrong request', notSent('rejected', 'provider_refused'), yes],
    // Somebody waits for a creation; a command has held money behind it, and credentials can be mended.
    ['not sent: wrong credentials', notSent('rejected', 'unauthorized'), { ...no, create: true }],
  ])('%s', (_name, outcome, expected) => {
    const actual = OPERATION_NAMES.map((name) => [name, isDefinitive(name, outcome)]);
    expect(Object.fromEntries(actual)).toEqual(expected);
  });
});

it('every problem code says in a sentence what it means', () => {
  for (const [code, meaning] of Object.entries(PROBLEM_CODES)) {
    expect([code, /^[A-Z].*\.$/.test(meaning)]).toEqual([code, true]);
  }
});

it('groups keep the order of first sight', () => {
  const groups = groupBy(['b1', 'a1', 'b2'], (text) => text.charAt(0));
  expect([...groups]).toEqual([
    ['b', ['b1', 'b2']],
    ['a', ['a1']],
  ]);
});
