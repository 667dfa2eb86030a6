import fc from 'fast-check';
import { FACT_KINDS, fact, type Fact } from '../../src/domain/facts.js';
import { money, type Money } from '../../src/domain/money.js';

const amount = (currencies: readonly string[]): fc.Arbitrary<Money> =>
  fc
    .record({ minor: fc.integer({ min: 0, max: 3 }), currency: fc.constantFrom(...currencies) })
    .map(({ minor, currency }) => money(minor * 50, currency));

/** Few objects, parts and amounts, so that facts meet: repeats, conflicts, contradictions. */
const randomFact: fc.Arbitrary<Fact> = fc
  .record(
    {
      kind: fc.constantFrom(...FACT_KINDS),
      object: fc.constantFrom('obj-1', 'obj-2', 'obj-3'),
      part: fc.constantFrom('', 'part-1', 'part-2'),
      amount: amount(['EUR', 'EUR', 'EUR', 'USD']),
      tip: amount(['EUR', 'EUR', 'USD']),
      problem: fc.constantFrom(
        { code: 'declined_by_issuer' as const, message: 'no funds' },
        { code: 'declined_by_payer' as const, message: 'no wish' },
      ),
      occurredAt: fc.constantFrom('2026-03-01T10:00:00.000Z', '2026-03-02T10:00:00.000Z'),
      source: fc.constantFrom('answer', 'notification', 'query', 'report', 'person', 'holdfast'),
    },
    { requiredKeys: ['kind', 'object', 'occurredAt', 'source'] },
  )
  .map((stated) => fact(stated as Omit<Fact, 'id'>));

export const randomFacts = fc.array(randomFact, { maxLength: 14 });

export interface Delivery {
  readonly told: readonly Fact[];
  /** The same, some of it more than once, in another order, in batches. */
  readonly arrived: readonly (readonly Fact[])[];
}

/** Facts as they are told, and as they arrive: shuffled, duplicated, split. */
export const delivery: fc.Arbitrary<Delivery> = randomFacts.chain((told) =>
  fc
    .tuple(
      fc.shuffledSubarray([...told], { minLength: told.length }),
      fc.shuffledSubarray([...told, ...told]),
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
    )
    .chain(([all, repeats, sizes]) =>
      fc
        .shuffledSubarray([...all, ...repeats], { minLength: all.length + repeats.length })
        .map((arrived) => ({ told, arrived: split(arrived, sizes) })),
    ),
);

function split(facts: readonly Fact[], sizes: Iterator<number>): Fact[][] {
  const batches: Fact[][] = [];
  for (let at = 0; at < facts.length;) {
    const size = sizes.next().value as number;
    batches.push(facts.slice(at, at + size));
    at += size;
  }
  return batches;
}
