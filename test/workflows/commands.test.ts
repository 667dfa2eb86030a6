import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OpenRequest } from '../../src/client/client.js';
import { paymentWorkflowId } from '../../src/domain/ids.js';
import type { ProblemCode } from '../../src/domain/problem.js';
import type { FaultFor, Operation } from '../../src/sandbox/payconiq/faults.js';
import {
  PAYMENT_SIGNALS,
  PAYMENT_UPDATES,
  PAYMENT_WORKFLOW,
} from '../../src/workflows/contract.js';
import { startHarness, type Harness, type OpenedPayment } from '../support/harness.js';
import { movements, RELEASED, sent, TAKEN } from './observed.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true });
  await harness.startWorker();
});
afterAll(() => harness.close());

const euros = (minor: string) => ({ minor, currency: 'EUR' });
const reason = 'sold out';

/** Paid, held, and waiting for its merchant. */
async function openAuthorized(): Promise<OpenedPayment> {
  const opened = await harness.open({ captureMode: 'manual' });
  harness.sandbox.consumer.pay(opened.created.paymentId);
  await harness.until(opened.paymentId, ({ status }) => status === 'authorized');
  return opened;
}

function fault<T extends Operation>(operation: T, what: FaultFor<T>, { created }: OpenedPayment) {
  const where = { paymentId: created.paymentId };
  return harness.sandbox.faults.always(operation, what, { where });
}

const refused = (code: ProblemCode, message: RegExp) => ({
  code,
  message: expect.stringMatching(message) as string,
});

describe.concurrent('a command is refused', () => {
  test('when the payment is in no state for it', async () => {
    const { client, open } = harness;
    const { paymentId } = await open({ captureMode: 'manual' });
    await expect(client.capture(paymentId)).rejects.toMatchObject(
      refused(
        'conflict',
        /only an authorized payment can be captured; this one is requires_action/,
      ),
    );
    await expect(client.void(paymentId, { reason })).rejects.toMatchObject(
      refused('conflict', /only an authorized payment can be voided/),
    );
    const paid = await openAuthorized();
    await expect(client.cancel(paid.paymentId, { reason })).rejects.toMatchObject(
      refused('conflict', /only an unpaid payment can be cancelled; this one is authorized/),
    );
  });

  test('when the amount is not one that can be captured', async () => {
    const { client, sandbox } = harness;
    const { paymentId, request } = await openAuthorized();
    await expect(client.capture(paymentId, { amount: euros('1251') })).rejects.toMatchObject(
      refused('invalid_request', /amount\.minor: must be at most 1250/),
    );
    const dollars = { minor: '1250', currency: 'USD' };
    await expect(client.capture(paymentId, { amount: dollars })).rejects.toMatchObject(
      refused('invalid_request', /amount\.currency: must be EUR/),
    );
    await expect(client.capture(paymentId, { amount: euros('1249') })).rejects.toMatchObject(
      refused('unsupported', /captures whole amounts only/),
    );
    for (const minor of ['0', '-1', '12.50', '']) {
      await expect(client.capture(paymentId, { amount: euros(minor) })).rejects.toMatchObject(
        refused('invalid_request', /amount\.minor: must be a positive integer/),
      );
    }
    expect(sent(sandbox, request.merchantReference)).toEqual(['create']);
  });

  test('when it gives no usable reason', async () => {
    const { client, open } = harness;
    const { paymentId } = await open();
    for (const useless of ['', 'x'.repeat(201)]) {
      await expect(client.cancel(paymentId, { reason: useless })).rejects.toMatchObject(
        refused('invalid_request', /reason: must have 1 to 200 characters/),
      );
    }
  });

  test('while another one is under way', async () => {
    const { client, sandbox, ended } = harness;
    const opened = await openAuthorized();
    const held = fault('void', { kind: 'slow', effect: 'after' }, opened);
    const voiding = client.void(opened.paymentId, { reason });
    await held.hit;
    await expect(client.capture(opened.paymentId)).rejects.toMatchObject(
      refused('operation_in_flight', /a void of this payment is under way/),
    );
    held.remove();
    expect(await voiding).toMatchObject({ kind: 'answered' });
    await ended(opened.paymentId);
    expect(movements(sandbox, opened.request.merchantReference)).toEqual(RELEASED);
  });

  test('while a capture is under way, though its outcome is not known yet', async () => {
    const { client, sandbox, ended } = harness;
    const opened = await openAuthorized();
    const failing = fault('acknowledge', { kind: 'error_before_effect' }, opened);
    const answer = await client.capture(opened.paymentId);
    expect(answer).toMatchObject({
      payment: { status: 'authorized', unknownSince: expect.any(String) as string },
    });
    await expect(client.void(opened.paymentId, { reason })).rejects.toMatchObject(
      refused('operation_in_flight', /a capture of this payment is under way/),
    );
    failing.remove();
    expect(await ended(opened.paymentId)).toMatchObject({ status: 'captured' });
    expect(movements(sandbox, opened.request.merchantReference)).toEqual(TAKEN);
  });

  test('when the provider has refused it for good', async () => {
    const { client, until, handle } = harness;
    const opened = await openAuthorized();
    fault('void', { kind: 'answer', code: 'CALLER_NOT_ALLOWED_TO_CANCEL' }, opened);
    await client.void(opened.paymentId, { reason });
    const held = await until(opened.paymentId, ({ attention }) => attention !== undefined);
    expect(held).toMatchObject({ status: 'authorized', attention: { reason: 'void_refused' } });
    await expect(client.void(opened.paymentId, { reason })).rejects.toMatchObject(
      refused('conflict', /the provider has refused to void this payment/),
    );
    await handle(opened.paymentId).terminate('left to the provider');
  });

  test('when there is no such payment, or another one has its id', async () => {
    const { client, open } = harness;
    await expect(client.capture(randomUUID())).rejects.toMatchObject({ code: 'not_found' });
    const { request } = await open();
    await expect(client.open({ ...request, amount: euros('9') })).rejects.toMatchObject(
      refused('conflict', /is taken by another payment/),
    );
    const again = await client.open(request);
    expect(again).toMatchObject({ payment: { status: 'requires_action' } });
    expect(sent(harness.sandbox, request.merchantReference)).toEqual(['create']);
  });
});

describe.concurrent('a command', () => {
  test('is carried out once, though eleven ask for it at once', async () => {
    const { client, sandbox, ended } = harness;
    const opened = await openAuthorized();
    const held = fault('acknowledge', { kind: 'slow' }, opened);
    const asked = Array.from({ length: 11 }, () => client.capture(opened.paymentId));
    await held.hit;
    held.remove();
    const answers = await Promise.allSettled(asked);
    const captured = answers.filter(({ status }) => status === 'fulfilled');
    expect(captured.length).toBeGreaterThanOrEqual(10);
    // Temporal holds ten at once; another one may come when all is over.
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'not_found' });
    }
    expect(await ended(opened.paymentId)).toMatchObject({ status: 'captured' });
    expect(movements(sandbox, opened.request.merchantReference)).toEqual(TAKEN);
    expect(sent(sandbox, opened.request.merchantReference)).toEqual(['create', 'acknowledge']);
  });

  test('is answered while the provider does not answer a question', async () => {
    const { client, ended } = harness;
    const opened = await openAuthorized();
    const silent = fault('get', { kind: 'error_before_effect' }, opened);
    await client.notify(opened.paymentId, { facts: [], hint: true });
    await silent.hit;

    const answer = await client.capture(opened.paymentId);
    expect(answer).toMatchObject({ payment: { status: 'captured' } });
    await ended(opened.paymentId);
  });
});

describe.concurrent('cancelling the workflow in Temporal', () => {
  test('cancels a payment that is not paid', async () => {
    const { open, handle, ended, sandbox } = harness;
    const { paymentId, request } = await open();
    await handle(paymentId).cancel();
    expect(await ended(paymentId)).toMatchObject({ status: 'canceled' });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'cancel']);
  });

  test('leaves money that is held to its merchant', async () => {
    const { client, handle, ended, sandbox } = harness;
    const { paymentId, request } = await openAuthorized();
    await handle(paymentId).cancel();
    const answer = await client.capture(paymentId);
    expect(answer).toMatchObject({ payment: { status: 'captured' } });
    expect(await ended(paymentId)).toMatchObject({ status: 'captured' });
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
  });
});

describe.concurrent('started directly through Temporal', () => {
  async function start(changes: Record<string, unknown>) {
    const request = { ...harness.fullRequest(), ...changes } as OpenRequest;
    await harness.temporalClient.workflow.start(PAYMENT_WORKFLOW, {
      workflowId: paymentWorkflowId(request.paymentId),
      taskQueue: harness.taskQueue,
      args: [{ mode: 'open', request, timing: 'fast' }],
    });
    return request;
  }

  test('a request that breaks rules is rejected, naming each field', async () => {
    const { ended, sandbox, store } = harness;
    const { paymentId, merchantReference } = await start({
      amount: { minor: '0', currency: 'USD' },
      description: 'x'.repeat(141),
      returnUrl: 'javascript:alert(1)',
    });
    const payment = await ended(paymentId);
    expect(payment).toMatchObject({ status: 'rejected', problem: { code: 'invalid_request' } });
    expect(payment.problem?.violations?.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['amount.minor', 'returnUrl']),
    );
    expect(sent(sandbox, merchantReference)).toEqual([]);
    expect(await store.getPayment(paymentId)).toMatchObject({ status: 'rejected', ended: true });
  });

  test('a request that only this provider refuses is rejected the same way', async () => {
    const { ended, sandbox } = harness;
    const { paymentId, merchantReference } = await start({
      amount: { minor: '1250', currency: 'USD' },
      merchantReference: 'r'.repeat(36),
    });
    const { problem, status } = await ended(paymentId);
    expect(status).toBe('rejected');
    expect(problem?.violations?.map(({ field }) => field)).toEqual([
      'amount.currency',
      'merchantReference',
    ]);
    expect(sent(sandbox, merchantReference)).toEqual([]);
  });

  test.each([
    ['a decimal amount', { amount: { minor: '12.50', currency: 'EUR' } }],
    ['a numeric amount', { amount: { minor: 1250, currency: 'EUR' } }],
    ['no amount', { amount: undefined }],
    ['no currency', { amount: { minor: '1250' } }],
    ['no reference', { merchantReference: undefined }],
    ['no time of asking', { requestedAt: undefined }],
  ])('%s ends it without anything being sent', async (_name, changes) => {
    const { handle, sandbox } = harness;
    const { paymentId } = await start(changes);
    const outcome = await handle(paymentId)
      .result()
      .catch((error: unknown) => error);
    expect(JSON.stringify(outcome)).toContain('invalid_request');
    expect(sent(sandbox, paymentId)).toEqual([]);
  });

  test('a hint needs no facts, and an update no client of ours', async () => {
    const { handle, open, until } = harness;
    const { paymentId } = await open();
    await handle(paymentId).signal(PAYMENT_SIGNALS.notify, { hint: true });
    await handle(paymentId).executeUpdate(PAYMENT_UPDATES.cancel, { args: [{ reason }] });
    await until(paymentId, ({ status }) => status === 'canceled');
  });
});
