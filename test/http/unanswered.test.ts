import { describe, expect, it } from 'vitest';
import { startHarness } from '../support/harness.js';
import { clientWithoutTemporal, openBody, paymentIn, serve } from './support.js';

/** The client waits 10 s for an answer, twice where Temporal is away. */
const timeout = 90_000;

describe.concurrent('when no answer comes in time', { timeout }, () => {
  it('without a worker: 202 and the id, and the payment goes on when there is one', async () => {
    const harness = await startHarness();
    const server = await serve(harness);
    const call = { body: openBody(), idempotencyKey: crypto.randomUUID() };
    const answer = await server.call('POST', '/v1/payments', call);
    expect(answer.status).toBe(202);
    const { paymentId } = answer.body as { paymentId: string };
    expect(answer.body).toEqual({ paymentId, status: 'created' });
    expect(answer.headers.get('location')).toBe(`/v1/payments/${paymentId}`);
    const repeat = await server.call('POST', '/v1/payments', call);
    expect(repeat.text).toBe(answer.text);
    await harness.startWorker();
    await harness.until(paymentId, ({ status }) => status === 'requires_action');
    const read = await server.call('GET', `/v1/payments/${paymentId}`);
    expect(paymentIn(read).status).toBe('requires_action');
    await server.close();
    await harness.close();
  });

  it('without Temporal: 503, and the same key opens the payment when it is back', async () => {
    const harness = await startHarness();
    await harness.startWorker();
    const cutOff = await serve(harness, { client: clientWithoutTemporal() });
    const call = { body: openBody(), idempotencyKey: crypto.randomUUID() };
    const refused = await cutOff.call('POST', '/v1/payments', call);
    expect(refused.body).toMatchObject({ status: 503, code: 'orchestrator_unavailable' });
    expect(refused.headers.get('retry-after')).toBe('5');
    await cutOff.close();
    const server = await serve(harness);
    const opened = await server.call('POST', '/v1/payments', call);
    expect(opened.status).toBe(201);
    expect(opened.headers.has('idempotency-replayed')).toBe(false);
    await server.close();
    await harness.close();
  });
});
