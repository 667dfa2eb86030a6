import { Buffer } from 'node:buffer';
import { hostname } from 'node:os';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DevServer } from '../../src/temporal/dev-server.js';
import { startHarness, type Harness } from '../support/harness.js';
import { sharedWorkflowBundle, startTestDevServer } from '../support/temporal.js';
import { movements, sent } from '../workflows/observed.js';
import { fromJson, readHistory, recordedNames } from './files.js';
import { REFUND_SCENARIO_NAMES, REFUND_SCENARIOS, refundTraces } from './refund-scenarios.js';
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.js';

const ALL_NAMES = [...SCENARIO_NAMES, ...REFUND_SCENARIO_NAMES];

describe('recorded histories', () => {
  test('are there for every scenario, and for nothing else', async () => {
    expect([...(await recordedNames())].sort()).toEqual(ALL_NAMES.toSorted());
  });

  test('replay on the workflows of today', { timeout: 60_000 }, async () => {
    const names = await recordedNames();
    const histories = await Promise.all(
      names.map(async (name) => {
        const history = fromJson(await readHistory(name));
        return { name, workflowId: recordedId(history), history };
      }),
    );
    const nameOf = new Map(histories.map(({ name, workflowId }) => [workflowId, name]));
    const { codePath } = await sharedWorkflowBundle();
    const options = { workflowBundle: { codePath }, replayName: 'replay' };
    const outcomes: [string, string | undefined][] = [];
    for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
      outcomes.push([nameOf.get(workflowId) ?? workflowId, error?.message]);
    }
    expect(outcomes.sort()).toEqual([...names].sort().map((name) => [name, undefined]));
  });

  test.each([
    ['another activity', 'acknowledged-by-itself', /"createPayment"/, '"capturePayment"'],
    [
      'another order',
      'acknowledged-by-itself',
      /"EVENT_TYPE_TIMER_STARTED"/,
      '"EVENT_TYPE_TIMER_FIRED"',
    ],
    ['another refund', 'refund-followed-to-its-end', /"sendRefund"/, '"resolveRefund"'],
  ])('fail to replay where they tell of %s', async (_what, name, told, altered) => {
    const json = await readHistory(name);
    expect(json).toMatch(told);
    const { codePath } = await sharedWorkflowBundle();
    const history = fromJson(json.replace(told, altered));
    const replay = Worker.runReplayHistory(
      { workflowBundle: { codePath }, replayName: 'altered' },
      history,
      recordedId(history),
    );
    await expect(replay).rejects.toThrow();
  });

  test.each(ALL_NAMES)('tell nothing of machine or secrets: %s', async (name) => {
    const json = await readHistory(name);
    const payloads = [...json.matchAll(/"data": "([^"]*)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString('utf8'),
    );
    expect(payloads.length).toBeGreaterThan(0);
    const all = [json, ...payloads].join('\n');
    expect(all).not.toMatch(/node_modules|file:\/\/|\/(work|home|root|tmp|usr)\/|[A-Z]:\\\\/);
    expect(all).not.toMatch(/apiKey|bearer|authorization"/i);
    expect(all).not.toContain(`@${hostname()}`);
  });
});

describe('with no workflow kept in memory', () => {
  let harness: Harness;
  let server: DevServer;
  beforeAll(async () => {
    // Evicted while it answers an update, a workflow has its task lost until the task's time is up.
    const dynamicConfig = { 'history.defaultWorkflowTaskTimeout': '2s' };
    server = await startTestDevServer({ dynamicConfig });
    const { address, namespace } = server;
    harness = await startHarness({
      notifications: true,
      signed: true,
      temporal: { address, namespace },
      worker: { maxCachedWorkflows: 0 },
    });
    await harness.startWorker();
  });
  afterAll(async () => {
    await harness.close();
    await server.stop();
  });

  test.each(SCENARIO_NAMES)('nothing happens twice: %s', async (name) => {
    const { run, ...expected } = SCENARIOS[name];
    const { paymentId, reference } = await run(harness);
    const { sandbox, store } = harness;
    expect(sent(sandbox, reference)).toEqual(expected.sent);
    expect(movements(sandbox, reference)).toEqual(expected.moved);
    expect(await store.getPayment(paymentId)).toMatchObject({
      status: expected.status,
      ended: true,
    });
  });

  test.each(REFUND_SCENARIO_NAMES)('nothing happens twice: %s', async (name) => {
    const { run, status, ...expected } = REFUND_SCENARIOS[name];
    const { refundId, object } = await run(harness);
    expect(refundTraces(harness, object)).toEqual({ ...expected, keys: 1 });
    expect(await harness.store.refunds.get(refundId)).toMatchObject({ status, ended: true });
  });
});

/** A payment or refund is carried under its own workflow id alone. */
function recordedId({ events }: ReturnType<typeof fromJson>): string {
  return events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
}
