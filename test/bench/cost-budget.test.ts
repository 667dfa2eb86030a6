import { Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge, readBudget, type Costs } from '../../bench/cost/budget.js';
import { costOf } from '../../bench/cost/count.js';
import { measureCosts } from '../../bench/cost/measure.js';
import { sharedTemporal, sharedWorkflowBundle } from '../support/temporal.js';

const budget = readBudget();

describe('the cost of a payment', () => {
  let connection: Connection;
  let costs: Costs;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const { address, namespace } = await sharedTemporal();
    const { codePath } = await sharedWorkflowBundle();
    connection = await Connection.connect({ address });
    costs = await measureCosts({
      server: { address, namespace, connection },
      workflowBundlePath: codePath,
    });
  }, 240_000);
  afterAll(() => connection?.close());

  test.each(Object.entries(budget.atMost))(
    '%s is within its budget',
    (name, { events, actions }) => {
      const cost = costs[name];
      expect(cost?.events, cost?.trail.join('\n')).toBeLessThanOrEqual(events);
      expect(cost?.actions, cost?.trail.join('\n')).toBeLessThanOrEqual(actions);
    },
  );

  test.each(Object.entries(budget.noMoreThan))('%s adds nothing to: %s', (name, shorter) => {
    expect(costs[name]?.trail).toEqual(costs[shorter]?.trail);
    expect(costs[name]?.actions).toBe(costs[shorter]?.actions);
    expect(costs[name]?.retriedAttempts).toBeGreaterThan(costs[shorter]?.retriedAttempts ?? NaN);
  });

  test('the floor is what Temporal asks for a start, an update, a signal and two activities', () => {
    expect(costs['bare floor']).toMatchObject({ events: 23, actions: 5 });
  });
});

describe('counting', () => {
  const marker = (task: number) => ({
    eventType: 25,
    markerRecordedEventAttributes: {
      markerName: 'core_local_activity',
      workflowTaskCompletedEventId: task as never,
    },
  });

  test('the local activities of one workflow task are one action', () => {
    const { events, actions } = costOf({ events: [marker(4), marker(4), marker(9)] });
    expect({ events, actions }).toEqual({ events: 3, actions: 2 });
  });

  test('an event whose price is not known is an error, not free', () => {
    expect(() => costOf({ events: [{ eventType: 29 }] })).toThrow('START_CHILD_WORKFLOW');
  });

  test('a cost over its limit is not kept, nor is a longer wait with a longer history', () => {
    const cost = (events: number) => ({
      events,
      actions: 8,
      bytes: 0,
      trail: [],
      retriedAttempts: 0,
    });
    const verdicts = judge(
      { fine: cost(28), over: cost(29), day: cost(28), week: cost(29) },
      {
        atMost: { fine: { events: 28, actions: 8 }, over: { events: 28, actions: 8 } },
        noMoreThan: { week: 'day' },
      },
    );
    expect(verdicts.map(({ name, isKept }) => [name, isKept])).toEqual([
      ['fine', true],
      ['over', false],
      ['week', false],
    ]);
  });
});
