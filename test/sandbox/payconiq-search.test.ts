import { describe, expect, it } from 'vitest';
import { HOUR_MS, call, create, post, sandbox, start } from './payconiq-harness.js';
import type { Reply } from './payconiq-harness.js';

describe('search', () => {
  const search = (body: unknown = {}, query = ''): Promise<Reply> =>
    post(`/v3/payments/search${query}`, body);
  const found = async (body: unknown = {}, query = ''): Promise<string[]> => {
    const { details } = (await search(body, query)).json;
    return details.map(({ paymentId }) => paymentId);
  };

  it('finds the newest first, in pages', async () => {
    await start();
    const ids = [await create(), await create(), await create()].reverse();
    expect(await found()).toEqual(ids);
    const { json } = await search({}, '?page=1&size=2');
    expect(json).toMatchObject({ size: 1, totalPages: 2, totalElements: 3, number: 1 });
    expect(json.details[0]).toMatchObject({
      paymentId: ids[2],
      status: 'PENDING',
      totalAmount: 122,
    });
  });

  it('looks by reference, status and time, one day back unless told', async () => {
    await start();
    const old = await create({ reference: 'r-1' });
    sandbox.consumer.pay(old);
    await sandbox.clock.advance(25 * HOUR_MS);
    const fresh = await create({ reference: 'r-1' });
    expect(await found({ reference: 'r-1' })).toEqual([fresh]);
    const from = new Date(sandbox.clock.now() - 30 * HOUR_MS).toISOString();
    expect(await found({ reference: 'r-1', from })).toEqual([fresh, old]);
    expect(await found({ from, paymentStatuses: ['SUCCEEDED'] })).toEqual([old]);
    const to = new Date(sandbox.clock.now() - HOUR_MS).toISOString();
    expect(await found({ from, to })).toEqual([old]);
    expect(await found({ reference: 'r-2', from })).toEqual([]);
  });

  it('may find a new payment a little later', async () => {
    await start({ searchDelayMs: 5_000 });
    const id = await create();
    expect(await found()).toEqual([]);
    await sandbox.clock.advance(5_000);
    expect(await found()).toEqual([id]);
  });

  it.each([
    ['a time without milliseconds', { from: '2026-03-01T00:00:00Z' }, ''],
    ['an unknown status', { paymentStatuses: ['PAID'] }, ''],
    ['a long reference', { reference: 'x'.repeat(36) }, ''],
    ['a negative page', {}, '?page=-1'],
    ['an empty page', {}, '?size=0'],
  ])('refuses %s', async (_name, body, query) => {
    await start();
    const { status, json } = await search(body, query);
    expect([status, json.code]).toEqual([400, 'FIELD_IS_INVALID']);
  });
});

describe('other callers', () => {
  it('see nothing of this merchant and may end nothing', async () => {
    await start({ restrictedApiKeys: ['weak'], otherMerchantApiKeys: ['other'] });
    const id = await create();
    const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    expect((await call(`/v3/payments/${id}`, as('weak'))).json.code).toBe('ACCESS_DENIED');
    expect((await call(`/v3/payments/${id}`, as('other'))).json.code).toBe('PAYMENT_NOT_FOUND');
    const ended = await call(`/v3/payments/${id}`, { method: 'DELETE', ...as('other') });
    expect([ended.status, ended.json.code]).toEqual([403, 'CALLER_NOT_ALLOWED_TO_CANCEL']);
    const search = await post('/v3/payments/search', {}, as('other').headers);
    expect(search.json.totalElements).toBe(0);
  });
});
