import { describe, expect, it, test } from 'vitest';
import { fact, mergeFacts, type Fact } from '../../src/domain/facts.js';
import { money } from '../../src/domain/money.js';

const BASE: Omit<Fact, 'id'> = {
  kind: 'captured',
  object: 'obj-1',
  amount: money(1250, 'EUR'),
  occurredAt: '2026-03-01T10:00:00.000Z',
  source: 'answer',
};

describe('the identity of a fact', () => {
  test.each<[string, Partial<Fact>]>([
    ['where it was learned', { source: 'notification' }],
    ['when it happened', { occurredAt: '2026-03-02T10:00:00.000Z' }],
    ['why', { problem: { code: 'internal', message: 'x' } }],
    ['a tip of nothing', { tip: money(0, 'EUR') }],
    ['an empty part', { part: '' }],
  ])('does not depend on %s', (_name, changes) => {
    expect(fact({ ...BASE, ...changes }).id).toBe(fact(BASE).id);
  });

  test.each<[string, Partial<Fact>]>([
    ['kind', { kind: 'authorized' }],
    ['object', { object: 'obj-2' }],
    ['part', { part: 'capture-2' }],
    ['amount', { amount: money(1251, 'EUR') }],
    ['currency', { amount: money(1250, 'USD') }],
    ['tip', { tip: money(50, 'EUR') }],
  ])('depends on its %s', (_name, changes) => {
    expect(fact({ ...BASE, ...changes }).id).not.toBe(fact(BASE).id);
  });

  it('depends on whether there is an amount', () => {
    const { amount: _amount, ...without } = BASE;
    expect(fact(without).id).not.toBe(fact(BASE).id);
    expect(fact(without).id).not.toBe(fact({ ...BASE, amount: money(0, 'EUR') }).id);
  });

  it('does not mistake a separator in an id of the provider’s for one of its own', () => {
    const ids = [
      fact({ ...BASE, object: 'a|b', part: '' }).id,
      fact({ ...BASE, object: 'a', part: 'b|' }).id,
      fact({ ...BASE, object: 'a', part: '|b' }).id,
      fact({ ...BASE, object: 'a|', part: 'b' }).id,
      fact({ ...BASE, object: 'a%7C', part: 'b' }).id,
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is readable', () => {
    expect(fact(BASE).id).toBe('captured|obj-1||1250EUR');
  });
});

describe('mergeFacts', () => {
  const captured = fact(BASE);
  const again = fact({ ...BASE, source: 'query' });
  const refunded = fact({ ...BASE, kind: 'refunded', part: 'r1' });

  it('keeps each fact once, in the order of first sight', () => {
    expect(mergeFacts([captured], [again, refunded, refunded])).toEqual([captured, refunded]);
  });

  it('gives the same list back where there is no news', () => {
    const known = [captured, refunded];
    expect(mergeFacts(known, [again])).toBe(known);
    expect(mergeFacts(known, [])).toBe(known);
  });
});
