import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../src/store/store.js';
import {
  openEmptyStore,
  startHarness,
  type Harness,
  type HarnessOptions,
} from '../support/harness.js';
import { startTestDevServer } from '../support/temporal.js';
import { eventsOf } from './history.js';
import { loseCallbacks, movements, sent, TAKEN } from './observed.js';
import { switchableStore } from './switchable-store.js';

const HOUR_MS = 3_600_000;
const reason = 'sold out';
const WAIT = { timeout: 20_000, interval: 50 };

/** One world for each trouble, so that all can be waited out at once. */
type World = 'plain' | 'expiring' | 'refusing' | 'one step' | 'surprised' | 'storeless';

const storeSwitch = switchableStore();
const OPTIONS: Readonly<Record<World, HarnessOptions>> = {
  plain: {},
  expiring: {},
  refusing: {},
  'one step': { settings: { voidSupport: false }, sandbox: { voidSupport: false } },
  surprised: { settings: { voidSupport: false } },
  storeless: { workerStore: storeSwitch.over },
};

let store: Store;
const harnesses = {} as Record<World, Harness>;
beforeAll(async () => {
  store = await openEmptyStore();
  for (const world of Object.keys(OPTIONS) as World[]) {
    harnesses[world] = await startHarness({ notifications: true, store, ...OPTIONS[world] });
    await harnesses[world].startWorker();
  }
});
afterAll(async () => {
  await Promise.all(Object.values(harnesses).map((harness) => harness.close()));
  await store.close();
});

describe.concurrent('a payer who never pays', () => {
  test('lets the payment expire, whether we are told or have to ask', async () => {
    const { open, request, ended, sandbox } = harnesses.expiring;
    const untold = request();
    loseCallbacks(sandbox, untold.merchantReference);
    const opened = await Promise.all([open(), open(untold)]);
    await sandbox.clock.advance(121_000);
    for (const { paymentId, request: asked } of opened) {
      expect(await ended(paymentId)).toMatchObject({ status: 'expired', ended: true });
      expect(movements(sandbox, asked.merchantReference)).toEqual([]);
    }
  });
});

describe.concurrent('a provider out of reach', () => {
  test('gets the same creation again once it is back, but none that was cancelled', async () => {
    const { client, request, sandbox, until, ended } = harnesses.refusing;
    const [wanted, unwanted] = [request(), request()];
    await sandbox.faults.refuse();
    await Promise.all([client.open(wanted), client.open(unwanted)]);
    expect(await client.get(wanted.paymentId)).toMatchObject({
      status: 'created',
      operations: [{ operation: 'create', sequence: 1 }],
    });
    await client.cancel(unwanted.paymentId, { reason });
    expect(await ended(unwanted.paymentId)).toMatchObject({ status: 'canceled' });

    await sandbox.faults.accept();
    const { operations } = await until(
      wanted.paymentId,
      ({ status }) => status === 'requires_action',
    );
    expect(operations.map(({ key }) => key)).toEqual([`${wanted.paymentId}/create/1`]);
    expect(sent(sandbox, wanted.merchantReference)).toEqual(['create']);
    expect(sent(sandbox, unwanted.merchantReference)).toEqual([]);
  });

  test('does not keep the record from telling how it stands', async () => {
    const { open, sandbox, ended } = harnesses.plain;
    const { paymentId, created, request } = await open();
    const where = { paymentId: created.paymentId };
    const failing = sandbox.faults.always(
      'acknowledge',
      { kind: 'error_before_effect' },
      { where },
    );
    sandbox.consumer.pay(created.paymentId);
    await vi.waitFor(
      async () =>
        expect(await store.getPayment(paymentId)).toMatchObject({
          status: 'authorized',
          unknownSince: expect.any(String) as string,
          attention: { reason: 'outcome_unknown' },
        }),
      WAIT,
    );
    failing.remove();
    const payment = await ended(paymentId);
    expect(payment).toMatchObject({ status: 'captured' });
    expect(payment.attention).toBeUndefined();
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
  });
});

describe.concurrent('a connection without void support', () => {
  test('has its payments succeed straight away, and cannot capture or void', async () => {
    const { client, open, request, sandbox, ended } = harnesses['one step'];
    const { paymentId, created, request: asked } = await open();
    await expect(client.capture(paymentId)).rejects.toMatchObject({ code: 'unsupported' });
    await expect(client.void(paymentId, { reason })).rejects.toMatchObject({ code: 'unsupported' });
    sandbox.consumer.pay(created.paymentId);
    expect(await ended(paymentId)).toMatchObject({ status: 'captured', flags: [] });
    expect(sent(sandbox, asked.merchantReference)).toEqual(['create']);

    const answer = await client.open(request({ captureMode: 'manual' }));
    expect(answer).toMatchObject({
      payment: { status: 'rejected', problem: { violations: [{ field: 'captureMode' }] } },
    });
  });

  test('PCQ-07: acknowledges what unexpectedly waits for it, and shows it to a person', async () => {
    const { open, sandbox, ended } = harnesses.surprised;
    const { paymentId, created, request } = await open();
    sandbox.consumer.pay(created.paymentId);
    expect(await ended(paymentId)).toMatchObject({
      status: 'captured',
      attention: { reason: 'unexpected_authorization' },
    });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'acknowledge']);
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
  });
});

describe.concurrent('a store that is down', () => {
  test('holds no payment up, grows no history, and has everything once it is back', async () => {
    const { open, sandbox, handle, ended, until, client } = harnesses.storeless;
    storeSwitch.isDown = true;
    const { paymentId, created, request } = await open();
    const waiting = await open({ captureMode: 'manual' });
    loseCallbacks(sandbox, request.merchantReference, 'SUCCEEDED');
    sandbox.consumer.pay(created.paymentId);
    sandbox.consumer.pay(waiting.created.paymentId);
    await until(paymentId, ({ status }) => status === 'captured');
    await until(waiting.paymentId, ({ status }) => status === 'authorized');
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);

    await vi.waitFor(() => expect(storeSwitch.failures).toBeGreaterThan(6), WAIT);
    const before = (await eventsOf(handle(paymentId))).length;
    const failuresBefore = storeSwitch.failures;
    await vi.waitFor(() => expect(storeSwitch.failures).toBeGreaterThan(failuresBefore + 6), WAIT);
    expect((await eventsOf(handle(paymentId))).length).toBe(before);
    expect(before).toBeLessThanOrEqual(40);
    expect(await store.getPayment(paymentId)).toBeUndefined();

    storeSwitch.isDown = false;
    const { operations: _operations, ...payment } = await ended(paymentId);
    expect(await store.getPayment(paymentId)).toMatchObject(payment);
    // Nothing more happens to this one, so nothing but the record itself brings it up to date.
    await vi.waitFor(
      async () =>
        expect(await store.getPayment(waiting.paymentId)).toMatchObject({ status: 'authorized' }),
      WAIT,
    );
    await client.capture(waiting.paymentId);
    await ended(waiting.paymentId);
  });
});

describe.concurrent('a workflow that is reset', () => {
  test('looks for what it sent before, and does not send it again', async () => {
    const { open, handle, sandbox, temporalClient, client, ended, until } = harnesses.plain;
    // Asked for long ago, so that only a search from then finds it.
    const requestedAt = new Date(Date.now() - HOUR_MS).toISOString();
    const { paymentId, request, created } = await open({ captureMode: 'manual', requestedAt });
    const { runId } = await handle(paymentId).describe();
    const firstTask = (await eventsOf(handle(paymentId))).find(
      ({ workflowTaskCompletedEventAttributes: completed }) => completed,
    );
    await temporalClient.workflowService.resetWorkflowExecution({
      namespace: temporalClient.options.namespace,
      workflowExecution: { workflowId: handle(paymentId).workflowId, runId },
      reason: 'a test',
      requestId: randomUUID(),
      workflowTaskFinishEventId: firstTask!.eventId!,
    });
    const payment = await until(paymentId, ({ status }) => status === 'requires_action');
    expect((await handle(paymentId).describe()).runId).not.toBe(runId);
    expect(payment.providerReference).toBe(created.paymentId);

    sandbox.consumer.pay(created.paymentId);
    await until(paymentId, ({ status }) => status === 'authorized');
    await client.capture(paymentId);
    await ended(paymentId);
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'acknowledge']);
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
  });
});

describe.concurrent('a history that has grown long', () => {
  test('is continued in a new run that knows all of it', async ({ onTestFinished }) => {
    const server = await startTestDevServer({
      dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 16 },
    });
    const { address, namespace } = server;
    const temporal = { address, namespace };
    const harness = await startHarness({ notifications: true, store, temporal });
    onTestFinished(async () => {
      await harness.close();
      await server.stop();
    });
    await harness.startWorker();
    const { client, open, sandbox, until, handle, ended } = harness;
    const { paymentId, created, request } = await open({ captureMode: 'manual' });
    const { runId } = await handle(paymentId).describe();
    sandbox.faults.next('void', { kind: 'answer', code: 'CALLER_NOT_ALLOWED_TO_CANCEL' });
    sandbox.consumer.pay(created.paymentId);
    await until(paymentId, ({ status }) => status === 'authorized');
    await client.void(paymentId, { reason });
    await vi.waitFor(async () => {
      await client.notify(paymentId, { facts: [], hint: true });
      expect((await handle(paymentId).describe()).runId).not.toBe(runId);
    }, WAIT);

    expect(await client.get(paymentId)).toMatchObject({
      status: 'authorized',
      providerReference: created.paymentId,
      attention: { reason: 'void_refused' },
      operations: [{ operation: 'create' }, { operation: 'void', state: 'declined' }],
    });
    await expect(client.void(paymentId, { reason })).rejects.toMatchObject({ code: 'conflict' });
    await sandbox.clock.advance(168 * HOUR_MS);
    expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'void']);
  });
});
