/** A shop whose provider reports: payments, refunds and payouts, and the morning after. */
import { pino } from 'pino';
import { nextWorkingDay, dayOf, instantOf } from '../../src/domain/calendar.js';
import type { Payment } from '../../src/domain/payment.js';
import type { Break, ReconciliationRun } from '../../src/domain/reconciliation.js';
import { TIMING } from '../../src/domain/timing.js';
import { createDispatcher } from '../../src/http/dispatcher.js';
import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import { merchantKeys, SIGNING_KID } from '../providers/payconiq/merchant.js';
import { CONNECTION_ID, startHarness, type Harness, type HarnessOptions } from './harness.js';

export const BRUSSELS = 'Europe/Brussels';

export interface Books {
  readonly harness: Harness;
  /** The business day on which all is sold. */
  readonly day: string;
  /** A payment of ours that is captured; in cents. */
  sell(cents: number): Promise<Payment>;
  /** Closes the day, and goes to the morning when its payouts are reported. */
  toMorning(): Promise<void>;
  /** Moves provider and worker to a local time of a day. */
  moveTo(day: string, time: string): Promise<void>;
  /** Reconciles the day, or what is asked for, and answers when it has ended. */
  reconcile(scope?: Parameters<typeof scopeOf>[1]): Promise<ReconciliationRun>;
  breaks(): Promise<readonly Break[]>;
  /** Requests to the reports, as `payments?…`. */
  asked(): readonly string[];
  close(): Promise<void>;
}

const scopeOf = (
  day: string,
  scope?: { readonly days?: { from: string; to: string }; readonly payoutReference?: string },
) =>
  scope?.payoutReference === undefined
    ? { days: scope?.days ?? { from: day, to: day } }
    : { payoutReference: scope.payoutReference };

export async function openBooks(
  options: HarnessOptions & { readonly sandbox?: PayconiqSandboxOptions } = {},
): Promise<Books> {
  const keys = merchantKeys();
  let now = Date.now;
  const harness = await startHarness({
    notifications: true,
    now: () => now(),
    ...options,
    sandbox: { merchantKeys: keys.keySet, ...options.sandbox },
    settings: {
      apiKey: undefined,
      signing: { kid: SIGNING_KID, privateKeyPem: keys.privateKeyPem },
      ...options.settings,
    },
  });
  const { sandbox, client, store } = harness;
  now = () => sandbox.clock.now();
  await harness.startWorker();
  const logger = pino({ level: 'silent' });
  const dispatcher = createDispatcher({ store, client, timing: TIMING.fast, logger });
  dispatcher.start();
  const day = dayOf(new Date(now()).toISOString(), BRUSSELS);
  const moveTo: Books['moveTo'] = async (to, time) => {
    const at = Date.parse(instantOf({ day: to, time }, BRUSSELS));
    await sandbox.clock.advance(at - sandbox.clock.now());
  };
  return {
    harness,
    day,
    async sell(cents) {
      const amount = { minor: String(cents), currency: 'EUR' };
      const { paymentId, created } = await harness.open({ amount });
      sandbox.consumer.pay(created.paymentId);
      return harness.ended(paymentId);
    },
    async toMorning() {
      sandbox.payouts.run({ day });
      await moveTo(nextWorkingDay(day), '10:00');
    },
    moveTo,
    async reconcile(scope) {
      const asked = { connectionId: CONNECTION_ID, ...scopeOf(day, scope) };
      const answer = await client.reconciliations.run(asked);
      const runId = answer.kind === 'answered' ? answer.result.runId : answer.runId;
      const run = await store.reconciliations.get(runId);
      if (!run || answer.kind !== 'answered') throw new Error(`still ${JSON.stringify(run)}`);
      return run;
    },
    async breaks() {
      const { breaks } = await store.breaks.list({ connectionId: CONNECTION_ID, limit: 100 });
      return breaks;
    },
    asked: () =>
      sandbox
        .requests()
        .filter(({ path }) => path.startsWith('/v3/reconciliation/'))
        .map(({ path, query }) => `${path.slice('/v3/reconciliation/'.length)}?${query}`),
    async close() {
      await dispatcher.stop();
      await harness.close();
    },
  };
}
