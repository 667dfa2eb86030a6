/** Nights in which the provider's test environment is switched off on plan, in skipped time. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { openEmptyStore, startHarness, type Harness } from '../support/harness.js';
import { startTestTimeSkipping } from '../support/temporal.js';
import { eventsOf } from './history.js';
import { loseCallbacks } from './observed.js';
import { inSkippedTime, passTime } from './skipped-time.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let environment: TestWorkflowEnvironment;
let store: Store;
let harness: Harness;

beforeAll(async () => void (store = await openEmptyStore()));
afterAll(() => store.close());
// A clock for each: this server passes no time while a payment without worker is open.
beforeEach(async () => void (environment = await startTestTimeSkipping()));
afterEach(async () => {
  await harness.close();
  await environment.teardown();
});

async function start(settings: Record<string, unknown>): Promise<void> {
  harness = await startHarness({
    ...inSkippedTime(environment, () => harness.sandbox),
    notifications: true,
    store,
    settings,
  });
  await harness.startWorker();
}

const BRUSSELS = new Intl.DateTimeFormat('en-GB', {
  ...{ timeZone: 'Europe/Brussels', weekday: 'short', hour: '2-digit', minute: '2-digit' },
});

/** Lets time pass until the clocks in Brussels next show this, e.g. `Tue 21:20`; that instant. */
async function passTo(clock: string): Promise<number> {
  const nowMs = await environment.currentTimeMs();
  const firstMs = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
  for (let ms = firstMs; ms < firstMs + 7 * DAY_MS; ms += MINUTE_MS) {
    if (BRUSSELS.format(ms) !== clock) continue;
    await passTime(environment, harness.sandbox, ms - nowMs);
    return ms;
  }
  throw new Error(`the clock never shows ${clock}`);
}

const attentionOf = async (paymentId: string) =>
  (await harness.client.get(paymentId))?.attention?.reason;

/** Three ways of waiting for an answer that does not come; each by the reason it alarms with. */
async function openAll() {
  const { sandbox, open, client, request, until } = harness;
  const unpaid = request();
  loseCallbacks(sandbox, unpaid.merchantReference);
  const hinted = await open({ captureMode: 'manual' });
  const captured = await open({ captureMode: 'manual' });
  for (const { created, paymentId } of [hinted, captured]) {
    sandbox.consumer.pay(created.paymentId);
    await until(paymentId, ({ status }) => status === 'authorized');
  }
  const unheard = await open(unpaid);
  const down = sandbox.faults.always('any', { kind: 'error_before_effect' });
  await client.notify(hinted.paymentId, { facts: [], hint: true });
  await client.capture(captured.paymentId);
  return { ids: [unheard, hinted, captured].map(({ paymentId }) => paymentId), down };
}

const REASONS = ['provider_silent', 'provider_silent', 'outcome_unknown'];
const attentions = (ids: readonly string[]) => Promise.all(ids.map(attentionOf));

/** What is under way when the clock stops may take some minutes more of it. */
async function untilAlarmed(ids: readonly string[]): Promise<void> {
  for (let minute = 0; minute < 10; minute += 1) {
    if ((await attentions(ids)).every((reason) => reason !== undefined)) break;
    await passTime(environment, harness.sandbox, MINUTE_MS);
  }
  expect(await attentions(ids)).toEqual(REASONS);
}

describe('EXT’s downtime', () => {
  test('at night raises no alarm, and silence after it does', async () => {
    await start({ plannedDowntime: true });
    await passTo('Tue 21:20');
    const { ids, down } = await openAll();
    for (const clock of ['Tue 21:59', 'Wed 05:59', 'Wed 06:14']) {
      await passTo(clock);
      expect(await attentions(ids), clock).toEqual([undefined, undefined, undefined]);
    }
    await passTo('Wed 06:20');
    await untilAlarmed(ids);
    const asked = harness.sandbox.requests().filter(({ operation }) => operation === 'get');
    expect(asked.length).toBeLessThan(200);
    down.remove();
  });

  test('over a weekend raises none at all where the provider is back with it', async () => {
    await start({ plannedDowntime: true });
    await passTo('Fri 21:20');
    const { ids, down } = await openAll();
    await passTo('Sun 12:00');
    expect(await attentions(ids)).toEqual([undefined, undefined, undefined]);
    await passTo('Mon 05:50');
    down.remove();
    await passTo('Mon 08:00');
    expect(await attentions(ids)).toEqual([undefined, undefined, undefined]);
    for (const id of ids) {
      const names = (await eventsOf(harness.handle(id))).flatMap(
        ({ upsertWorkflowSearchAttributesEventAttributes: upserted }) =>
          Object.keys(upserted?.searchAttributes?.indexedFields ?? {}),
      );
      expect(names).not.toContain('HoldfastAttention');
    }
  });

  test('is an alarm like any other where none is planned', async () => {
    await start({});
    await passTo('Tue 21:20');
    const { ids, down } = await openAll();
    await passTo('Tue 21:45');
    await untilAlarmed(ids);
    down.remove();
  });
});
