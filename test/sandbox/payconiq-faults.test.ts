import { once } from 'node:events';
import { Client, request } from 'undici';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RequestFault } from '../../src/sandbox/payconiq/faults.js';
import {
  HOUR_MS,
  acknowledge,
  call,
  create,
  failureOf,
  get,
  movements,
  post,
  receiver,
  remove,
  sandbox,
  start,
  statusOf,
} from './payconiq-harness.js';

describe('faults of requests', () => {
  beforeEach(() => start({ voidSupport: true }));

  it.each<[RequestFault, string, number]>([
    [{ kind: 'reset_before_effect' }, 'ECONNRESET', 0],
    [{ kind: 'reset_after_effect' }, 'ECONNRESET', 1],
    [{ kind: 'cut_body' }, 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 1],
    [{ kind: 'slow', effect: 'never', ms: 0 }, 'ECONNRESET', 0],
  ])('%j ends a creation in %s, with %d payments made', async (fault, code, made) => {
    sandbox.faults.next('create', fault);
    expect(await failureOf(post('/v3/payments', { amount: 1 }))).toBe(code);
    expect(sandbox.payments()).toHaveLength(made);
    expect(sandbox.requests()).toMatchObject([
      { fault: fault.kind, status: undefined, isDone: true },
    ]);
    expect((await post('/v3/payments', { amount: 1 })).status).toBe(201);
  });

  it.each<[RequestFault, number, unknown, number]>([
    [{ kind: 'error_before_effect' }, 500, 'TECHNICAL_ERROR', 0],
    [{ kind: 'error_before_effect', status: 503 }, 503, undefined, 0],
    [{ kind: 'error_after_effect' }, 500, 'TECHNICAL_ERROR', 1],
    [{ kind: 'error_after_effect', status: 504 }, 504, undefined, 1],
    [{ kind: 'throttle' }, 429, undefined, 0],
    [{ kind: 'garbage' }, 201, undefined, 1],
    [{ kind: 'garbage', effect: 'never' }, 200, undefined, 0],
    [{ kind: 'answer', code: 'UNABLE_TO_PAY_CREDITOR' }, 422, 'UNABLE_TO_PAY_CREDITOR', 0],
    [{ kind: 'answer', code: 'MERCHANT_PROFILE_NOT_FOUND' }, 404, 'MERCHANT_PROFILE_NOT_FOUND', 0],
  ])(
    '%j answers a creation with %d %s, with %d payments made',
    async (fault, status, code, made) => {
      sandbox.faults.next('create', fault);
      const reply = await post('/v3/payments', { amount: 1 });
      expect([reply.status, reply.json.code]).toEqual([status, code]);
      expect(sandbox.payments()).toHaveLength(made);
      expect(sandbox.requests()).toMatchObject([
        { operation: 'create', fault: fault.kind, status },
      ]);
    },
  );

  it('cut an empty answer too', async () => {
    const id = await create();
    sandbox.consumer.pay(id);
    sandbox.faults.next('acknowledge', { kind: 'cut_body' });
    expect(await failureOf(acknowledge(id))).not.toBe('answered');
    expect(statusOf(id)).toBe('SUCCEEDED');
  });

  it('hold an answer after the effect, until released', async () => {
    const fault = sandbox.faults.next('create', { kind: 'slow' });
    const reply = post('/v3/payments', { amount: 1, reference: 'r-1' });
    await sandbox.waitForPayment('r-1');
    expect(sandbox.requests()).toMatchObject([{ isDone: false }]);
    fault.release();
    expect((await reply).status).toBe(201);
  });

  it('hold the effect itself, which happens although the caller has gone', async () => {
    const id = await create();
    const fault = sandbox.faults.next('cancel', { kind: 'slow', effect: 'after' });
    const leaving = new AbortController();
    const { signal } = leaving;
    const headers = { authorization: `Bearer ${sandbox.apiKey}` };
    const options = { method: 'DELETE', signal, headers } as const;
    const gone = failureOf(request(`${sandbox.url}/v3/payments/${id}`, options));
    await fault.hit;
    leaving.abort();
    expect(await gone).not.toBe('answered');
    expect(statusOf(id)).toBe('PENDING');
    const cancelled = once(receiver, 'callback');
    fault.release();
    await cancelled;
    expect(statusOf(id)).toBe('CANCELLED');
  });

  it('hold for a time of the sandbox clock', async () => {
    const fault = sandbox.faults.next('create', { kind: 'slow', effect: 'after', ms: HOUR_MS });
    const reply = post('/v3/payments', { amount: 1 });
    await fault.hit;
    await sandbox.clock.advance(HOUR_MS);
    expect((await reply).status).toBe(201);
  });

  it('tell cancel from void by the state at arrival', async () => {
    const voids = sandbox.faults.always('void', { kind: 'error_before_effect' });
    const cancels = sandbox.faults.always('cancel', { kind: 'error_before_effect' });
    const both = sandbox.faults.always('delete', { kind: 'throttle' });
    const id = await create();
    expect((await remove(id)).status).toBe(500);
    expect([voids.hits(), cancels.hits(), both.hits()]).toEqual([0, 1, 0]);
    sandbox.consumer.pay(id);
    cancels.remove();
    expect((await remove(id)).status).toBe(500);
    voids.remove();
    expect((await remove(id)).status).toBe(429);
    both.remove();
    expect((await remove(id)).status).toBe(204);
    expect(movements(id)).toEqual(['debited 122', 'credited_back 122']);
  });

  it('hit so many times, until some time, or one payment only', async () => {
    const throttle = { kind: 'throttle' } as const;
    const id = await create();
    const read = async (other = id): Promise<number> => (await get(other)).status;
    sandbox.faults.always('get', throttle, { times: 2 });
    expect([await read(), await read(), await read()]).toEqual([429, 429, 200]);
    sandbox.faults.always('any', throttle, { until: sandbox.clock.now() + 60_000 });
    expect(await read()).toBe(429);
    await sandbox.clock.advance(60_000);
    expect(await read()).toBe(200);
    sandbox.faults.next('get', throttle, { paymentId: id });
    expect([await read(await create()), await read()]).toEqual([200, 429]);
    sandbox.faults.next('create', throttle, { reference: 'r-1' });
    const reference = async (value: string): Promise<number> =>
      (await post('/v3/payments', { amount: 1, reference: value })).status;
    expect([await reference('r-2'), await reference('r-1')]).toEqual([201, 429]);
  });

  it('reach the key set too', async () => {
    const read = async (): Promise<number> => (await call('/certificates')).status;
    sandbox.faults.next('certificates', { kind: 'error_before_effect', status: 503 });
    expect([await read(), await read()]).toEqual([503, 200]);
  });

  it('refuse connections, and accept them again at the same address', async () => {
    const id = await create();
    await sandbox.faults.refuse();
    expect(await failureOf(get(id))).toBe('ECONNREFUSED');
    await sandbox.faults.accept();
    expect((await get(id)).status).toBe(200);
    await sandbox.faults.refuse({ forMs: 60_000 });
    expect(await failureOf(get(id))).toBe('ECONNREFUSED');
    await sandbox.clock.advance(60_000);
    expect((await get(id)).status).toBe(200);
  });

  it('refuse a kept connection too', async () => {
    const client = new Client(sandbox.url);
    const read = async (): Promise<number> => {
      const { statusCode, body } = await client.request({ path: '/certificates', method: 'GET' });
      await body.dump();
      return statusCode;
    };
    expect([await read(), await read()]).toEqual([200, 200]);
    const closed = once(client, 'disconnect');
    await sandbox.faults.refuse();
    await closed;
    expect(await failureOf(read())).toBe('ECONNREFUSED');
    await client.destroy();
  });

  it('are all taken away at once, and what they hold is let go', async () => {
    const fault = sandbox.faults.always('create', { kind: 'slow' });
    const reply = post('/v3/payments', { amount: 1 });
    await fault.hit;
    sandbox.faults.clear();
    expect((await reply).status).toBe(201);
    expect((await post('/v3/payments', { amount: 1 })).status).toBe(201);
    expect(fault.hits()).toBe(1);
  });
});
