import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fact } from '../../src/domain/facts.js';
import type { ReconciliationRun } from '../../src/domain/reconciliation.js';
import type { Store } from '../../src/store/store.js';
import { startPrivatePostgres, type TestPostgres } from '../support/postgres.js';
import { until } from './support/waiting.js';
import { CONNECTION_ID, openWorld, type Stage, type World } from './support/world.js';

/** A report of some pages, whose reader is killed: it goes on where it was, and finds what is wrong. */
const DAY = '2026-03-04';
const OCCURRED_AT = '2026-03-04T09:00:00.000Z';
const PAYMENTS = 40;
const PAGE_SIZE = 10;
/** The one whose reported amount is a cent too much. */
const WRONG = 7;
const LONG_MS = 120_000;
const postgres = await startPrivatePostgres();

const objectOf = (n: number): string => n.toString(16).padStart(24, '0');
const PAYOUT_ID = 'f'.repeat(24);
const CENTS = 1_250;

describe.runIf(postgres !== undefined)('PCQ-14: a reconciliation', () => {
  let world: World;
  let stage: Stage;
  let store: Store;
  const { url, stop } = postgres ?? ({} as TestPostgres);

  beforeAll(async () => {
    world = await openWorld('signed', { reconciliationPageSize: PAGE_SIZE });
    stage = await world.openStage({ kind: 'postgres', url });
    ({ store } = await stage.foundation());
    await store.migrate();
    for (let n = 0; n < PAYMENTS; n += 1) await recordCaptured(n);
    publish();
  });
  afterAll(async () => {
    await world?.close();
    await stop?.();
  });

  async function recordCaptured(n: number): Promise<void> {
    const amount = { minor: String(CENTS), currency: 'EUR' };
    const stated = { object: objectOf(n), amount, occurredAt: OCCURRED_AT } as const;
    await store.recordPayment({
      request: {
        ...{ paymentId: `pay-${n}`, connectionId: CONNECTION_ID, amount },
        ...{ captureMode: 'automatic', merchantReference: `order-${n}`, requestedAt: OCCURRED_AT },
      },
      particulars: {},
      facts: [fact({ kind: 'captured', ...stated, source: 'notification' })],
      operations: [],
      progress: { revision: 1, ended: true },
    });
  }

  function publish(): void {
    const total = PAYMENTS * CENTS + 1;
    const row = (n: number) => ({
      ...{ paymentId: objectOf(n), payoutId: PAYOUT_ID, paymentProfileId: world.sandbox.profileId },
      ...{ merchantName: 'A shop', submerchantName: '', submerchantId: '' },
      ...{ paymentChannel: 'ONLINE', currency: 'EUR', reference: `order-${n}` },
      amount: n === WRONG ? CENTS + 1 : CENTS,
      transactionDate: OCCURRED_AT,
    });
    const payout = {
      ...{ payoutId: PAYOUT_ID, merchantId: world.sandbox.merchantId, bulkId: 'NONE' },
      ...({
        iban: 'NL47FRBK0293409698',
        payoutStatus: 'SUCCEEDED',
        payoutCurrency: 'EUR',
      } as const),
      ...{ payoutDate: '2026-03-05T06:00:00.000Z', totalPayments: PAYMENTS, totalRefunds: 0 },
      ...{ totalPaymentAmount: total, totalRefundAmount: 0, payoutAmount: total },
    };
    world.sandbox.payouts.publish({
      businessDay: DAY,
      payments: { length: PAYMENTS, at: row },
      payouts: [payout],
    });
  }

  async function run(): Promise<ReconciliationRun> {
    const days = { from: DAY, to: DAY };
    const asked = { connectionId: CONNECTION_ID, days };
    const answer = await stage.client.reconciliations.run(asked);
    const { runId } = answer.kind === 'answered' ? answer.result : answer;
    return until(
      `run ${runId} has ended`,
      async () => {
        const found = await store.reconciliations.get(runId);
        if (found && found.status !== 'running') return found;
        throw new Error(JSON.stringify(found));
      },
      LONG_MS,
    );
  }

  const pagesAsked = (): readonly (string | null)[] =>
    world.sandbox
      .requests()
      .filter(({ operation }) => operation === 'payout_payments')
      .map(({ query }) => new URLSearchParams(query).get('page'));

  test(
    'whose worker is killed at a page goes on there, and finds what differs, once',
    async () => {
      let worker = await stage.spawn(['worker']);
      const held = [1, 3].map((page) =>
        world.sandbox.faults.next('payout_payments', { kind: 'slow' }, { page }),
      );
      const running = run();
      for (const fault of held) {
        await fault.hit;
        await worker.kill();
        fault.remove();
        worker = await stage.spawn(['worker']);
      }
      const first = await running;
      // Those that were held never reached us: they alone are asked for again.
      expect(pagesAsked()).toEqual(['0', '1', '1', '2', '3', '3']);
      expect(first).toMatchObject({
        status: 'finished',
        totals: { payments: { seen: { count: PAYMENTS }, matched: { count: PAYMENTS - 1 } } },
      });
      await run();
      const { breaks } = await store.breaks.list({ connectionId: CONNECTION_ID, limit: 100 });
      expect(breaks).toMatchObject([
        { kind: 'amount_differs', status: 'open', paymentId: `pay-${WRONG}` },
      ]);
      const { trial } = await store.ledger.balances();
      expect(trial.map(({ minor }) => minor)).toEqual(['0']);
      await worker.end();
    },
    LONG_MS + 30_000,
  );
});
