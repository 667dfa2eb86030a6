import { describe, expect, test } from 'vitest';
import type { Subject } from '../../src/domain/subject.js';
import { BACKENDS, useStore } from './backends.js';
import { AT, eur, uniqueId } from './examples.js';

const told = (subject: Partial<Subject>): Subject => ({
  amount: eur(250),
  createdAt: AT,
  ...subject,
});

describe.each(BACKENDS)('expectations on $name', (backend) => {
  const store = useStore(backend);
  const expecting = () => {
    const connectionId = uniqueId('shop');
    const { expectations } = store();
    return {
      add: (paymentId: string, expectation: object) =>
        expectations.add({ connectionId, paymentId, expectation }),
      find: (subject: Partial<Subject>) => expectations.find(connectionId, told(subject)),
    };
  };

  test('are found by reference and amount together', async () => {
    const { add, find } = expecting();
    await add('invoice-1', { reference: 'r1', amount: eur(250) });
    expect(await find({ reference: 'r1' })).toBe('invoice-1');
    expect(await find({ reference: 'r1', amount: eur(251) })).toBeUndefined();
    expect(await find({ reference: 'r1', amount: { minor: '250', currency: 'USD' } })).toBe(
      undefined,
    );
    expect(await find({ reference: 'r2' })).toBeUndefined();
    expect(await find({})).toBeUndefined();
  });

  test('without an amount take what the payer chooses, after those of exactly that amount', async () => {
    const { add, find } = expecting();
    await add('open', { reference: 'r1' });
    await add('exact', { reference: 'r1', amount: eur(250) });
    expect(await find({ reference: 'r1', amount: eur(99) })).toBe('open');
    expect(await find({ reference: 'r1', amount: eur(250) })).toBe('exact');
  });

  test('without a reference are found by description, as structured invoices are', async () => {
    const { add, find } = expecting();
    await add('ogm', { description: '173855053134', amount: eur(250) });
    await add('referenced', { reference: 'r1', description: 'tea', amount: eur(250) });
    expect(await find({ description: '173855053134' })).toBe('ogm');
    expect(await find({ description: 'tea' })).toBeUndefined();
  });

  test('of one reference and amount are told apart by description, else the oldest is it', async () => {
    const { add, find } = expecting();
    await add('tea', { reference: 'r1', description: 'tea', amount: eur(250) });
    await add('cake', { reference: 'r1', description: 'cake', amount: eur(250) });
    expect(await find({ reference: 'r1', description: 'cake' })).toBe('cake');
    expect(await find({ reference: 'r1', description: 'soup' })).toBe('tea');
  });

  test('belong to the payment that had them first, however often they are kept', async () => {
    const { add } = expecting();
    const same = { reference: 'r1', description: 'tea', amount: eur(250) };
    expect(await add('first', same)).toBe('first');
    expect(await add('first', same)).toBe('first');
    expect(await add('second', same)).toBe('first');
    expect(await add('second', { ...same, description: 'cake' })).toBe('second');
  });

  test('of another connection are none of this one', async () => {
    await expecting().add('elsewhere', { reference: 'r1', amount: eur(250) });
    expect(await expecting().find({ reference: 'r1' })).toBeUndefined();
  });
});

describe.each(BACKENDS)('how far a connection is swept, on $name', (backend) => {
  const store = useStore(backend);

  test('is unknown at first, goes on, and never back', async () => {
    const { sweeps } = store();
    const shop = uniqueId('shop');
    expect(await sweeps.sweptUntil(shop)).toBeUndefined();
    await sweeps.markSwept(shop, '2026-03-04T05:00:00.000Z');
    await sweeps.markSwept(shop, '2026-03-04T06:00:00.000Z');
    await sweeps.markSwept(shop, '2026-03-04T04:00:00.000Z');
    expect(await sweeps.sweptUntil(shop)).toBe('2026-03-04T06:00:00.000Z');
    expect(await sweeps.sweptUntil(uniqueId('shop'))).toBeUndefined();
  });
});
