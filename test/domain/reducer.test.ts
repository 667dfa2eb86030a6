import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fact, mergeFacts, type Fact, type FactKind } from '../../src/domain/facts.js';
import { compareMoney, money, type Money } from '../../src/domain/money.js';
import {
  PAYMENT_STATUSES,
  reduceFacts,
  type Flag,
  type PaymentStatus,
  type PaymentView,
} from '../../src/domain/reducer.js';
import { delivery, randomFacts } from './random-facts.js';

const EUR = (minor: number) => money(minor, 'EUR');
const ASKED = { currency: 'EUR', amount: EUR(100) };
const said = (kind: FactKind, minor?: number, more: Partial<Fact> = {}): Fact =>
  fact({
    kind,
    object: 'obj-1',
    ...(minor !== undefined && { amount: EUR(minor) }),
    occurredAt: '2026-03-01T10:00:00.000Z',
    source: 'answer',
    ...more,
  });
const onSecond = { object: 'obj-2' };
const GIVEN_OUT = { object: 'pay/expected' };
const sums = ({ amounts }: PaymentView) =>
  [amounts.authorized, amounts.captured, amounts.voided, amounts.refunded].map(({ minor }) =>
    Number(minor),
  );

type Case = readonly [name: string, facts: readonly Fact[]];

const STATUS_CASES = {
  created: [['nothing is known', []]],
  requires_action: [
    ['the payer may pay', [said('created')]],
    [
      'one of two objects ended',
      [said('created'), said('expired'), said('created', undefined, onSecond)],
    ],
    ['a code was given out', [said('expected', undefined, GIVEN_OUT)]],
    [
      'a scan of what was given out ended without money',
      [said('expected', undefined, GIVEN_OUT), said('processing'), said('canceled')],
    ],
    [
      'the first creation is proven not to have happened',
      [said('not_started', undefined, { object: 'key/1' }), said('created')],
    ],
  ],
  processing: [
    ['the payer acts', [said('created'), said('processing')]],
    ['the creation was never seen', [said('processing')]],
  ],
  authorized: [
    ['money is held', [said('created'), said('processing'), said('authorized', 100)]],
    [
      'one object is held, another voided',
      [said('voided', 100), said('authorized', 100, onSecond)],
    ],
    ['a part of the hold was released', [said('authorized', 100), said('voided', 40)]],
    ['it was said to have expired as well', [said('authorized', 100), said('expired')]],
  ],
  captured: [
    ['money is taken', [said('authorized', 100), said('captured', 100)]],
    ['the authorization was never seen', [said('captured', 100)]],
    [
      'a part is taken, the rest released',
      [said('authorized', 100), said('captured', 60), said('voided', 40)],
    ],
    ['it was voided too', [said('captured', 100), said('voided', 100)]],
    ['it was refunded', [said('captured', 100), said('refunded', 100)]],
    ['another object was declined', [said('captured', 100), said('declined', undefined, onSecond)]],
  ],
  voided: [
    [
      'what was expected came, and was given back',
      [said('expected', undefined, GIVEN_OUT), said('authorized', 100), said('voided', 100)],
    ],
    ['the hold was released', [said('authorized', 100), said('voided', 100)]],
    ['the authorization was never seen', [said('voided', 100)]],
    ['the object was known before', [said('created'), said('voided', 100)]],
  ],
  expired: [['the time ran out', [said('created'), said('processing'), said('expired')]]],
  canceled: [
    [
      'what was given out was withdrawn',
      [said('expected', undefined, GIVEN_OUT), said('canceled', undefined, GIVEN_OUT)],
    ],
    ['it was cancelled', [said('created'), said('canceled')]],
    ['another expired', [said('canceled'), said('expired', undefined, onSecond)]],
  ],
  declined: [
    ['it was refused', [said('created'), said('declined')]],
    ['another was cancelled', [said('declined'), said('canceled', undefined, onSecond)]],
  ],
  rejected: [['the request was wrong', [said('rejected', undefined, { object: 'key/1' })]]],
  not_started: [
    ['it is proven that nothing happened', [said('not_started', undefined, { object: 'key/1' })]],
  ],
  verified: [['it ended as asked, without money', [said('created'), said('verified')]]],
} as const satisfies Record<PaymentStatus, readonly Case[]>;

describe('the status', () => {
  const cases = PAYMENT_STATUSES.flatMap((status) =>
    (STATUS_CASES[status] as readonly Case[]).map(
      ([name, facts]) => [status, name, facts] as const,
    ),
  );

  test.each(cases)('is %s when %s', (status, _name, facts) => {
    expect(reduceFacts(ASKED, facts).status).toBe(status);
  });
});

describe('the amounts', () => {
  test.each<[string, readonly Fact[], readonly [number, number, number, number]]>([
    [
      'count a movement told twice once',
      [said('captured', 60), said('captured', 60, { source: 'query' })],
      [60, 60, 0, 0],
    ],
    [
      'add several movements',
      [
        said('authorized', 100),
        said('captured', 60, { part: 'a' }),
        said('captured', 40, { part: 'b' }),
      ],
      [100, 100, 0, 0],
    ],
    [
      'take the larger of two reports of one movement',
      [said('captured', 60), said('captured', 70)],
      [70, 70, 0, 0],
    ],
    [
      'add over objects',
      [said('authorized', 100), said('authorized', 30, onSecond)],
      [130, 0, 0, 0],
    ],
    ['infer the authorization from what was taken', [said('captured', 60)], [60, 60, 0, 0]],
    [
      'keep contradicting movements both',
      [said('authorized', 100), said('captured', 100), said('voided', 100)],
      [100, 100, 100, 0],
    ],
    [
      'tell refunds apart',
      [said('captured', 100), refund(30, 'r1'), refund(30, 'r2')],
      [100, 100, 0, 60],
    ],
    [
      'count a refund that came back as not gone',
      [
        said('captured', 100),
        refund(30, 'r1'),
        refund(30, 'r2'),
        said('refund_reversed', 30, { part: 'r1' }),
      ],
      [100, 100, 0, 30],
    ],
    [
      'leave another currency out',
      [said('captured', 100, { amount: money(100, 'USD') })],
      [0, 0, 0, 0],
    ],
  ])('%s', (_name, facts, expected) => {
    expect(sums(reduceFacts(ASKED, facts))).toEqual(expected);
  });

  it('have what was requested, unless the payer chooses', () => {
    expect(reduceFacts(ASKED, []).amounts.requested).toEqual(EUR(100));
    expect(reduceFacts({ currency: 'EUR' }, [])).not.toHaveProperty('amounts.requested');
  });
});

function refund(minor: number, part: string): Fact {
  return said('refunded', minor, { part });
}

const FLAG_CASES = {
  contradiction: {
    raised: [
      [
        'captured and voided',
        [said('authorized', 100), said('captured', 100), said('voided', 100)],
      ],
      ['held and declined', [said('authorized', 100), said('declined')]],
      ['taken and expired', [said('captured', 100), said('expired')]],
      ['taken and proven never started', [said('captured', 100), said('not_started')]],
    ],
    silent: [
      [
        'a part captured, the rest voided',
        [said('authorized', 100), said('captured', 60), said('voided', 40)],
      ],
      [
        'one object declined, another taken',
        [said('captured', 100), said('declined', undefined, onSecond)],
      ],
    ],
  },
  amount_conflict: {
    raised: [['one capture with two amounts', [said('captured', 100), said('captured', 90)]]],
    silent: [
      [
        'two captures',
        [
          said('authorized', 100),
          said('captured', 60, { part: 'a' }),
          said('captured', 40, { part: 'b' }),
        ],
      ],
    ],
  },
  amount_differs: {
    raised: [
      ['more than asked', [said('authorized', 110)]],
      ['less than asked', [said('authorized', 90)]],
      ['more than the tip explains', [said('authorized', 120, { tip: EUR(10) })]],
    ],
    silent: [
      ['as asked', [said('authorized', 100)]],
      ['a tip on top', [said('authorized', 110, { tip: EUR(10) })]],
      ['a partial capture', [said('authorized', 100), said('captured', 60)]],
    ],
  },
  currency_differs: {
    raised: [
      ['money in dollars', [said('captured', 1, { amount: money(100, 'USD') })]],
      ['a tip in dollars', [said('captured', 100, { tip: money(1, 'USD') })]],
    ],
    silent: [['money in euros', [said('captured', 100)]]],
  },
  paid_twice: {
    raised: [
      ['two objects hold money', [said('authorized', 100), said('captured', 100, onSecond)]],
    ],
    silent: [['one of two was released', [said('voided', 100), said('captured', 100, onSecond)]]],
  },
  over_refunded: {
    raised: [
      ['more than was captured', [said('captured', 100), refund(60, 'r1'), refund(50, 'r2')]],
      ['a refund of what was only held', [said('authorized', 100), refund(10, 'r1')]],
    ],
    silent: [
      ['all of it', [said('captured', 100), refund(100, 'r1')]],
      [
        'again, what came back',
        [
          said('captured', 100),
          refund(100, 'r1'),
          said('refund_reversed', 100, { part: 'r1' }),
          refund(100, 'r2'),
        ],
      ],
    ],
  },
} as const satisfies Record<Flag, { raised: readonly Case[]; silent: readonly Case[] }>;

describe.each(Object.entries(FLAG_CASES))('the flag %s', (flag, { raised, silent }) => {
  test.each(raised as readonly Case[])('is raised: %s', (_name, facts) => {
    expect(reduceFacts(ASKED, facts).flags).toContain(flag);
  });
  test.each(silent as readonly Case[])('is not raised: %s', (_name, facts) => {
    expect(reduceFacts(ASKED, facts).flags).not.toContain(flag);
  });
});

it('flags no difference where the payer chooses the amount', () => {
  expect(reduceFacts({ currency: 'EUR' }, [said('captured', 55)]).flags).toEqual([]);
});

describe('the provider’s references', () => {
  it('begin with the object that carries the most money, then go by name', () => {
    const facts = [
      said('created', undefined, { object: 'b' }),
      said('created', undefined, { object: 'a' }),
      said('authorized', 50, { object: 'c' }),
    ];
    expect(reduceFacts(ASKED, facts).providerReferences).toEqual(['c', 'a', 'b']);
  });

  test.each<FactKind>(['rejected', 'not_started', 'expected'])(
    'leave out what was only %s',
    (kind) => {
      expect(reduceFacts(ASKED, [said(kind)]).providerReferences).toEqual([]);
    },
  );
});

describe('the problem', () => {
  const because = (message: string) => ({ problem: { code: 'internal' as const, message } });

  it('is that of the fact that gave the status', () => {
    const facts = [
      said('declined', undefined, because('no')),
      said('expired', undefined, { ...onSecond, ...because('late') }),
    ];
    expect(reduceFacts(ASKED, facts).problem?.message).toBe('no');
  });

  it('is absent where the payment went well after all', () => {
    const facts = [said('declined', undefined, because('no')), said('captured', 100, onSecond)];
    expect(reduceFacts(ASKED, facts).problem).toBeUndefined();
  });

  it('is the same whichever wording of one fact came first', () => {
    const facts = [
      said('declined', undefined, because('b')),
      said('declined', undefined, because('a')),
    ];
    expect(reduceFacts(ASKED, facts)).toEqual(reduceFacts(ASKED, facts.toReversed()));
  });
});

describe('facts in any order', () => {
  const asked = fc.constantFrom(ASKED, { currency: 'EUR' });
  const runs = { numRuns: 1_000 };

  it('give the same view when shuffled, duplicated and split', () => {
    fc.assert(
      fc.property(delivery, asked, ({ told, arrived }, request) => {
        expect(reduceFacts(request, arrived.flat())).toEqual(reduceFacts(request, told));
      }),
      runs,
    );
  });

  it('give the same amounts, status and flags when merged batch by batch', () => {
    fc.assert(
      fc.property(delivery, ({ told, arrived }) => {
        const merged = arrived.reduce<readonly Fact[]>(mergeFacts, []);
        const { problem: _told, ...expected } = reduceFacts(ASKED, told);
        const { problem: _merged, ...actual } = reduceFacts(ASKED, merged);
        expect(actual).toEqual(expected);
      }),
      runs,
    );
  });

  it('are summed as a plain model sums them', () => {
    fc.assert(
      fc.property(randomFacts, (facts) => {
        expect(sums(reduceFacts(ASKED, facts))).toEqual(modelSums(facts));
      }),
      runs,
    );
  });

  it('never make money disappear when more are learned', () => {
    fc.assert(
      fc.property(randomFacts, randomFacts, (known, news) => {
        const [before, after] = [
          reduceFacts(ASKED, known),
          reduceFacts(ASKED, [...known, ...news]),
        ];
        for (const sum of ['authorized', 'captured', 'voided'] as const) {
          expect(compareMoney(after.amounts[sum], before.amounts[sum])).toBeGreaterThanOrEqual(0);
        }
        const hasReversal = news.some(({ kind }) => kind === 'refund_reversed');
        const { refunded } = after.amounts;
        expect(hasReversal || compareMoney(refunded, before.amounts.refunded) >= 0).toBe(true);
        if (before.status === 'captured') expect(after.status).toBe('captured');
      }),
      runs,
    );
  });

  it('end without money only where no money moved', () => {
    fc.assert(
      fc.property(randomFacts, (facts) => {
        const { status, amounts } = reduceFacts(ASKED, facts);
        const isOpenOrTaken = compareMoney(amounts.authorized, amounts.voided) > 0;
        expect(['captured', 'authorized'].includes(status)).toBe(
          isOpenOrTaken || compareMoney(amounts.captured, EUR(0)) > 0,
        );
      }),
      runs,
    );
  });
});

/** The rules again, written the plainest way: each movement once, its largest report. */
function modelSums(facts: readonly Fact[]): number[] {
  const isEuro = (amount: Money | undefined) => amount === undefined || amount.currency === 'EUR';
  const counted = facts.filter(
    ({ amount, tip }) => isEuro(amount) && (tip?.minor === '0' || isEuro(tip)),
  );
  const sumOf = (object: string, kind: FactKind): number => {
    const largest: Record<string, number> = {};
    for (const each of counted.filter((one) => one.object === object && one.kind === kind)) {
      const part = each.part ?? '';
      largest[part] = Math.max(largest[part] ?? 0, Number(each.amount?.minor ?? 0));
    }
    return Object.values(largest).reduce((a, b) => a + b, 0);
  };
  const objects = [...new Set(counted.map(({ object }) => object))].map((object) => {
    const [captured, voided] = [sumOf(object, 'captured'), sumOf(object, 'voided')];
    const authorized = Math.max(sumOf(object, 'authorized'), captured, voided);
    const refunded = sumOf(object, 'refunded') - sumOf(object, 'refund_reversed');
    return [authorized, captured, voided, Math.max(refunded, 0)];
  });
  return [0, 1, 2, 3].map((index) => objects.reduce((sum, each) => sum + (each[index] ?? 0), 0));
}
