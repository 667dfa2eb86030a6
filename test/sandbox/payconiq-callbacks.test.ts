import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FORGERIES } from '../../src/sandbox/payconiq/faults.js';
import type { CallbackFault } from '../../src/sandbox/payconiq/faults.js';
import {
  CLAIM,
  HOUR_MS,
  acknowledge,
  callbackUrl,
  create,
  paid,
  received,
  receiver,
  respondWith,
  sandbox,
  start,
  statusOf,
  statuses,
  verify,
} from './payconiq-harness.js';
import type { Received } from './payconiq-harness.js';

describe('callbacks', () => {
  const first = (): Received => received[0] as Received;

  it('are signed as documented', async () => {
    await start();
    const id = await paid({ reference: 'r-1', description: 'Tea' });
    expect(received).toHaveLength(1);
    expect(first().headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Payconiq Payments/v3',
    });
    expect(await verify(first())).toMatchObject({
      kind: 'valid',
      header: {
        typ: 'jose+json',
        alg: 'ES256',
        [`${CLAIM}iss`]: 'Payconiq',
        [`${CLAIM}sub`]: sandbox.profileId,
        [`${CLAIM}path`]: callbackUrl,
      },
    });
    const body = JSON.parse(first().body) as Record<string, unknown>;
    expect(body).toMatchObject({
      paymentId: id,
      amount: 122,
      transferAmount: 122,
      tippingAmount: 0,
      totalAmount: 122,
      currency: 'EUR',
      description: 'Tea',
      reference: 'r-1',
      status: 'SUCCEEDED',
      debtor: { name: 'John', iban: '*************12636' },
    });
    for (const absent of ['creditor', 'bulkId', 'message', 'expiresAt', '_links']) {
      expect(body).not.toHaveProperty(absent);
    }
  });

  it('are sent for intermediary states only when asked', async () => {
    await start({ callbackStatuses: 'all' });
    await paid();
    expect(statuses().sort()).toEqual(['AUTHORIZED', 'IDENTIFIED', 'SUCCEEDED']);
  });

  it('go to the configured URL when the payment has none', async () => {
    await start({ profileCallbackUrl: callbackUrl });
    await paid({ callbackUrl: undefined });
    expect(received.map(({ url }) => url)).toEqual(['/hook/7?a=b']);
  });

  it.each([429, 500, 503, 504, 509])('are repeated byte for byte after %d', async (status) => {
    await start({ callbackRetryIntervalMs: () => 60_000 });
    respondWith((response, count) => response.writeHead(count < 3 ? status : 200).end());
    const id = await paid();
    await sandbox.clock.advance(60_000);
    await sandbox.clock.advance(60_000);
    expect(received).toHaveLength(3);
    for (const { url, headers, body } of received) {
      expect({ url, body }).toEqual({ url: first().url, body: first().body });
      expect(headers['signature']).toBe(first().headers['signature']);
    }
    await sandbox.clock.advance(HOUR_MS);
    expect(received).toHaveLength(3);
    expect(sandbox.callbacks.ofPayment(id)).toMatchObject([{ state: 'delivered' }]);
  });

  it.each([400, 401, 404, 502, 202])('are not repeated after %d', async (status) => {
    await start();
    respondWith((response) => response.writeHead(status).end());
    await paid();
    await sandbox.clock.advance(24 * HOUR_MS);
    expect(received).toHaveLength(1);
    expect(sandbox.callbacks.list()).toMatchObject([{ state: 'refused' }]);
  });

  it('are repeated when no answer comes in 15 seconds, for 24 hours', async () => {
    await start({ callbackRetryIntervalMs: () => HOUR_MS });
    respondWith((_response, count) => (count === 1 ? undefined : _response.socket?.destroy()));
    const id = await create();
    sandbox.consumer.pay(id);
    await once(receiver, 'callback');
    await sandbox.clock.advance(15_000);
    await sandbox.callbacks.idle();
    expect(sandbox.callbacks.list()[0]?.attempts).toMatchObject([{ answer: 'none' }]);
    await sandbox.clock.advance(48 * HOUR_MS);
    expect(received).toHaveLength(24);
    expect(sandbox.callbacks.list()).toMatchObject([{ state: 'given_up' }]);
    expect(statusOf(id)).toBe('SUCCEEDED');
  });

  it('are signed with the new key after a rotation; the old one stays until dropped', async () => {
    await start();
    await paid();
    const kid = await sandbox.rotateKey();
    await paid();
    expect(await verify(received[1] as Received)).toMatchObject({ kind: 'valid', header: { kid } });
    expect(await verify(first())).toMatchObject({ kind: 'valid' });
    sandbox.dropOldKeys();
    expect(await verify(first())).toMatchObject({ kind: 'forged' });
  });

  describe('with a fault', () => {
    const withFault = async (fault: CallbackFault): Promise<void> => {
      await start({ callbackRetryIntervalMs: () => 60_000 });
      sandbox.faults.next('callback', fault);
    };

    it('may be lost for good', async () => {
      await withFault({ kind: 'lose' });
      await paid();
      await sandbox.clock.advance(24 * HOUR_MS);
      expect(received).toEqual([]);
      expect(sandbox.callbacks.list()).toMatchObject([{ state: 'lost', attempts: [] }]);
    });

    it('may be lost once and repeated', async () => {
      await withFault({ kind: 'lose', scope: 'attempt' });
      await paid();
      expect(received).toEqual([]);
      await sandbox.clock.advance(60_000);
      expect(statuses()).toEqual(['SUCCEEDED']);
    });

    it('may come twice', async () => {
      await withFault({ kind: 'twice' });
      await paid();
      expect(received).toHaveLength(2);
      expect(received[1]).toEqual(first());
    });

    it('may be late, until released or for a time', async () => {
      await start();
      const fault = sandbox.faults.next('callback', { kind: 'late' });
      await paid();
      expect(received).toEqual([]);
      fault.release();
      await once(receiver, 'callback');
      sandbox.faults.next('callback', { kind: 'late', ms: 60_000 });
      await paid();
      expect(received).toHaveLength(1);
      await Promise.all([once(receiver, 'callback'), sandbox.clock.advance(60_000)]);
      expect(received).toHaveLength(2);
    });

    it('may overtake one another', async () => {
      await start({ voidSupport: true });
      sandbox.faults.next('callback', { kind: 'reorder' });
      const id = await paid();
      const second = once(receiver, 'callback');
      await acknowledge(id);
      await second;
      await sandbox.callbacks.idle();
      expect(statuses()).toEqual(['SUCCEEDED', 'PENDING_MERCHANT_ACKNOWLEDGEMENT']);
    });

    it.each(FORGERIES.filter((how) => !how.startsWith('wrong_') || how === 'wrong_key'))(
      'may be forged: %s does not verify',
      async (how) => {
        await withFault({ kind: 'forge', how });
        await paid();
        expect(received).toHaveLength(1);
        expect((await verify(first())).kind).toBe('forged');
      },
    );

    it.each([
      ['wrong_path', 'path'],
      ['wrong_subject', 'sub'],
      ['wrong_issuer', 'iss'],
    ] as const)('may be signed for somebody else: %s', async (how, name) => {
      await withFault({ kind: 'forge', how, genuine: 'also' });
      await paid();
      const claims = (await Promise.all(received.map(verify))).map((result) =>
        result.kind === 'valid' ? result.header[CLAIM + name] : result.reason,
      );
      const genuine = { path: callbackUrl, sub: sandbox.profileId, iss: 'Payconiq' };
      expect(claims).toEqual([expect.not.stringContaining(genuine[name]), genuine[name]]);
    });

    it('may be forged or repeated at any time', async () => {
      await start();
      const id = await create();
      respondWith((response) => response.writeHead(401).end());
      const forgery = { how: 'wrong_key', status: 'SUCCEEDED' } as const;
      expect(await sandbox.callbacks.forge(id, forgery)).toBe(401);
      expect(statuses()).toEqual(['SUCCEEDED']);
      expect(statusOf(id)).toBe('PENDING');
      sandbox.consumer.pay(id);
      await sandbox.callbacks.idle();
      expect(await sandbox.callbacks.repeat(sandbox.callbacks.list()[0]?.id ?? 0)).toBe(401);
      expect(received[2]).toEqual(received[1]);
    });
  });
});
