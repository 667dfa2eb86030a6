import { randomUUID } from 'node:crypto';
import { ScheduleClient, type ScheduleDescription } from '@temporalio/client';
import { defaultDataConverter } from '@temporalio/common';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepSchedules, type WantedSchedules } from '../../src/client/schedules.js';
import { TIMING } from '../../src/domain/timing.js';
import {
  reconciliationScheduleId,
  sweepId,
  type SweepResult,
} from '../../src/workflows/contract.js';
import { CONNECTION_ID, startHarness, type Harness } from '../support/harness.js';
import { TEST_NAMESPACE } from '../support/temporal.js';

let harness: Harness;
let schedules: ScheduleClient;
/** Not ours: what stands beside ours in the namespace. */
const foreign: string[] = [];

beforeAll(async () => {
  harness = await startHarness();
  schedules = new ScheduleClient({ connection: harness.temporal, namespace: TEST_NAMESPACE });
});

afterAll(async () => {
  await keep({ swept: [] });
  for (const id of foreign) await schedules.getHandle(id).delete();
  await harness.close();
});

const shops = Array.from({ length: 3 }, () => `shop-${randomUUID()}`);
const [first = '', second = '', third = ''] = shops;

function keep(changes: Partial<WantedSchedules>): Promise<void> {
  return keepSchedules({
    connection: harness.temporal,
    namespace: TEST_NAMESPACE,
    taskQueue: harness.taskQueue,
    timing: 'production',
    dataConverter: defaultDataConverter,
    swept: shops,
    reconciled: [],
    ...changes,
  });
}

const describeOf = (connectionId: string): Promise<ScheduleDescription> =>
  schedules.getHandle(sweepId(connectionId)).describe();

/** Lists are behind what they list. */
async function listed(): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of schedules.list()) ids.push(scheduleId);
  return ids.sort();
}

const untilListed = (ids: readonly string[]) =>
  expect.poll(listed, { timeout: 15_000 }).toEqual([...ids, ...foreign].sort());

/** Somebody else's, who happens to like our names. */
async function createForeign(scheduleId: string, workflowType: string): Promise<void> {
  await schedules.create({
    scheduleId,
    spec: { intervals: [{ every: '1 hour' }] },
    action: { type: 'startWorkflow', workflowType, taskQueue: `nobody-${randomUUID()}` },
  });
  foreign.push(scheduleId);
}

describe('the schedules of sweeps', () => {
  test('PCQ-06: are one for each connection, however often they are made', async () => {
    for (let time = 0; time < 2; time += 1) await keep({});
    await untilListed(shops.map(sweepId));
    const { spec, action, policies, state } = await describeOf(first);
    expect(spec.intervals).toMatchObject([{ every: TIMING.production.sweepEveryMs }]);
    expect(action).toMatchObject({
      workflowType: 'sweep',
      workflowId: sweepId(first),
      taskQueue: harness.taskQueue,
      args: [{ connectionId: first }],
    });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 60_000 });
    expect(state.paused).toBe(false);
  });

  test('are made at once by several', async () => {
    const shop = `shop-${randomUUID()}`;
    await Promise.all(Array.from({ length: 4 }, () => keep({ swept: [...shops, shop] })));
    await untilListed([...shops, shop].map(sweepId));
    await Promise.all(Array.from({ length: 4 }, () => keep({})));
    await untilListed(shops.map(sweepId));
  });

  test('take a changed pace and task queue, and stay paused where somebody paused them', async () => {
    await schedules.getHandle(sweepId(second)).pause('we look into it');
    await keep({ timing: 'fast', taskQueue: 'another' });
    const { spec, action, state } = await describeOf(second);
    expect(spec.intervals).toMatchObject([{ every: TIMING.fast.sweepEveryMs }]);
    expect(action).toMatchObject({
      taskQueue: 'another',
      args: [{ connectionId: second, timing: 'fast' }],
    });
    expect(state).toMatchObject({ paused: true, note: 'we look into it' });
    await keep({});
  });

  test('go with their connection, and no other goes', async () => {
    await createForeign(`sweeping-${randomUUID()}`, 'sweep');
    await createForeign(sweepId(`floor-${randomUUID()}`), 'sweepTheFloor');
    await untilListed(shops.map(sweepId));
    await keep({ swept: [first, second] });
    await untilListed([first, second].map(sweepId));
    await expect(describeOf(third)).rejects.toMatchObject({ name: 'ScheduleNotFoundError' });
    // The list may still have what is gone.
    await keep({ swept: [first] });
    await keep({ swept: [first] });
    await untilListed([sweepId(first)]);
  });

  test('start sweeps', async () => {
    await harness.startWorker();
    await keep({ swept: [CONNECTION_ID] });
    const handle = schedules.getHandle(sweepId(CONNECTION_ID));
    await handle.trigger();
    await expect
      .poll(async () => (await handle.describe()).info.recentActions, { timeout: 15_000 })
      .toMatchObject([{ action: { type: 'startWorkflow' } }]);
    const { info } = await handle.describe();
    const { workflowId } = info.recentActions[0]!.action.workflow;
    const result = (await harness.temporalClient.workflow
      .getHandle(workflowId)
      .result()) as SweepResult;
    expect(workflowId).toContain(sweepId(CONNECTION_ID));
    expect(result).toMatchObject({ found: 0, news: 0 });
    expect(await harness.store.sweeps.sweptUntil(CONNECTION_ID)).toBe(result.to);
    const operations = harness.sandbox.requests().map(({ operation }) => operation);
    expect(operations).toEqual(['search']);
  });
});

describe('the schedules of reconciliations', () => {
  const report = (connectionId: string) => ({
    connectionId,
    completeAt: '09:15',
    timeZone: 'Europe/Brussels',
  });
  const describeDaily = (connectionId: string): Promise<ScheduleDescription> =>
    schedules.getHandle(reconciliationScheduleId(connectionId)).describe();

  test('PCQ-13: are one for each connection with reports, and go with it', async () => {
    await keep({ swept: [], reconciled: [report(first), report(second)] });
    await keep({ swept: [], reconciled: [report(first), report(second)] });
    await untilListed([first, second].map(reconciliationScheduleId));
    const { action, policies } = await describeDaily(first);
    expect(action).toMatchObject({
      workflowType: 'reconciliation',
      workflowId: reconciliationScheduleId(first),
      args: [{ connectionId: first }],
    });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 3_600_000 });
    await keep({ swept: [], reconciled: [report(second)] });
    await untilListed([reconciliationScheduleId(second)]);
  });

  test('start at the hour of the provider, summer and winter', async () => {
    await keep({ swept: [], reconciled: [report(first)] });
    const { info } = await describeDaily(first);
    const { schedule } = await harness.temporal.workflowService.describeSchedule({
      namespace: TEST_NAMESPACE,
      scheduleId: reconciliationScheduleId(first),
    });
    expect(schedule?.spec?.timezoneName).toBe('Europe/Brussels');
    const days = 370;
    const { startTime } = await harness.temporal.workflowService.listScheduleMatchingTimes({
      namespace: TEST_NAMESPACE,
      scheduleId: reconciliationScheduleId(first),
      startTime: msToTs(Date.parse('2027-01-01T00:00:00Z')),
      endTime: msToTs(Date.parse('2027-01-01T00:00:00Z') + days * 86_400_000),
    });
    const times = (startTime ?? []).map((time) => new Date(tsToMs(time)).toISOString());
    expect(times).toHaveLength(days);
    // Clocks change on March 28th and October 31st.
    for (const time of [
      '2027-03-27T08:15:00.000Z',
      '2027-03-28T07:15:00.000Z',
      '2027-10-30T07:15:00.000Z',
      '2027-10-31T08:15:00.000Z',
    ]) {
      expect(times).toContain(time);
    }
    expect(info.nextActionTimes.length).toBeGreaterThan(0);
  });
});
