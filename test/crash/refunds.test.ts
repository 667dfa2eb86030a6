import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Payment } from '../../src/domain/payment.js';
import type { Refund } from '../../src/domain/refund.js';
import type { Store } from '../../src/store/store.js';
import { startPrivatePostgres, type TestPostgres } from '../support/postgres.js';
import type { Api, ApiAnswer, Call } from './support/api.js';
import { Gates, type Gate } from './support/gates.js';
import { inTime, until } from './support/waiting.js';
import { CONNECTION_ID, openWorld, type Stage, type World } from './support/world.js';

/** Refunds while everything of ours that can die does: one movement each, and never too many. */
const TEST_TIMEOUT_MS = 240_000;
const LONG_MS = 150_000;
const postgres = await startPrivatePostgres();

describe.runIf(postgres !== undefined)('PCQ-11: refunds', () => {
  let world: World;
  let stage: Stage;
  let store: Store;
  const { url, kill9, start, stop } = postgres ?? ({} as TestPostgres);

  beforeAll(async () => {
    world = await openWorld('signed');
    stage = await world.openStage({ kind: 'postgres', url });
    ({ store } = await stage.foundation());
    await store.migrate();
    await stage.spawn(['server']);
  });
  afterAll(async () => {
    await world?.close();
    await stop?.();
  });

  async function captured(minor: string): Promise<{ paymentId: string; object: string }> {
    const reference = randomUUID().slice(0, 35);
    const opening = {
      path: '/v1/payments',
      body: {
        connectionId: CONNECTION_ID,
        amount: { minor, currency: 'EUR' },
        merchantReference: reference,
      },
      key: reference,
    };
    const { paymentId } = (await stage.api.insist(opening)).body as Payment;
    await stage.api.until('waits', paymentId, ({ status }) => status === 'requires_action');
    const object = world.sandbox.payments({ reference })[0]!.paymentId;
    world.sandbox.consumer.pay(object);
    await until(`${paymentId} is captured`, async () => {
      const payment = await store.getPayment(paymentId);
      return payment?.status === 'captured' || undefined;
    });
    return { paymentId, object };
  }

  /** The refund as the store has it, when it is over. */
  const over = (refundId: string): Promise<Refund> =>
    until(
      `${refundId} is over`,
      async () => {
        const refund = await store.refunds.get(refundId);
        if (refund?.ended) return refund;
        throw new Error(JSON.stringify(refund));
      },
      LONG_MS,
    );

  const atProvider = (object: string) => world.sandbox.refunds.ofPayment(object);

  const refundedBy = (object: string): readonly number[] =>
    world.sandbox.ledger
      .ofPayment(object)
      .filter(({ kind }) => kind === 'refunded')
      .map(({ amountMinor }) => amountMinor);

  test(
    'a hundred at once through several servers, the worker killed meanwhile: never too many',
    async () => {
      const second = await world.openStage({ kind: 'postgres', url }, stage);
      await second.spawn(['server']);
      const noCache = { maxCachedWorkflows: 0 };
      let worker = await stage.spawn(['worker'], [], noCache);
      const { paymentId, object } = await captured('1000');

      const apis = [stage.api, second.api];
      const ids = Array.from({ length: 100 }, () => `mine-${randomUUID()}`);
      const asking = ids.map((refundId, index) =>
        answered(apis[index % 2]!, {
          path: `/v1/payments/${paymentId}/refunds`,
          body: { refundId, amount: { minor: '60', currency: 'EUR' } },
          key: refundId,
        }),
      );
      for (const made of [2, 8]) {
        await until(
          `${made} refunds at the provider`,
          () => atProvider(object).length >= made || undefined,
          LONG_MS,
        );
        await worker.kill();
        worker = await stage.spawn(['worker'], [], noCache);
      }
      const answers = await Promise.all(asking);
      const refunds = await Promise.all(ids.map(over));
      await worker.end();

      const accepted = refunds.filter(({ status }) => status === 'succeeded');
      const refused = refunds.filter(({ status }) => status === 'rejected');
      expect([accepted.length, refused.length]).toEqual([16, 84]);
      for (const { problem } of refused) expect(problem?.code).toBe('amount_unavailable');
      answers.forEach(({ status, body }, index) => {
        const { code } = body as { code?: string };
        if (status === 201) expect(refunds[index]?.status).toBe('succeeded');
        if (status === 409)
          expect([code, refunds[index]?.status]).toEqual(['amount_unavailable', 'rejected']);
      });
      expect(
        atProvider(object)
          .map(({ idempotencyKey }) => idempotencyKey)
          .sort(),
      ).toEqual(accepted.map(({ refundId }) => `${refundId}/refund/1`).sort());
      expect(refundedBy(object)).toEqual(Array(16).fill(60));

      const euros = (minor: string) => ({ minor, currency: 'EUR' });
      const { amounts, flags } = (await store.getPayment(paymentId))!;
      expect([amounts.refunded, flags]).toEqual([euros('960'), []]);
      expect(await store.refunds.refundable(paymentId)).toEqual(euros('40'));
      const { accounts, trial } = await store.ledger.balances();
      expect(trial).toEqual([euros('0')]);
      expect(accounts.find(({ account }) => account === 'refunds')).toMatchObject({
        postedCredits: euros('960'),
        pendingCredits: euros('0'),
      });
      await second.close();
    },
    TEST_TIMEOUT_MS,
  );

  const POINTS = [
    'before it was sent',
    'while the provider did it',
    'while the provider did not do it',
    'after the answer',
    'after the record',
  ] as const;

  test(
    'a worker killed at every point of them: each happens once',
    async () => {
      const helper = await stage.spawn(['worker']);
      const payments = await Promise.all(POINTS.map(() => captured('500')));
      await helper.end();
      const cells = POINTS.map((point, index) => ({
        point,
        ...payments[index]!,
        refundId: randomUUID(),
      }));
      const gates: Gate[] = cells.flatMap(({ point, refundId: reference }) => {
        const at = GATES[point];
        return at ? [{ brink: at, operation: 'refund', reference }] : [];
      });
      const victim = await stage.spawn(['worker'], gates);
      const held = cells.flatMap(({ point, object }) => {
        const effect = EFFECTS[point];
        if (!effect) return [];
        return [
          world.sandbox.faults.next('refund', { kind: 'slow', effect }, { paymentId: object }),
        ];
      });
      const calls = cells.map(({ paymentId, refundId }) => ({
        path: `/v1/payments/${paymentId}/refunds`,
        body: { refundId },
        key: refundId,
      }));
      const asking = calls.map((call) => answered(stage.api, call));
      await inTime('all at their points', Promise.all(held.map(({ hit }) => hit)));
      await inTime('all at their points', Promise.all(gates.map((gate) => victim.reached(gate))));
      await victim.kill();
      held.forEach((fault) => fault.release());

      const next = await stage.spawn(['worker']);
      await Promise.all(asking);
      for (const { refundId, object, point } of cells) {
        expect([point, await over(refundId)]).toMatchObject([point, { status: 'succeeded' }]);
        const keys = new Set(atProvider(object).map(({ idempotencyKey }) => idempotencyKey));
        expect([point, [...keys]]).toEqual([point, [`${refundId}/refund/1`]]);
        expect([point, refundedBy(object)]).toEqual([point, [500]]);
      }
      // Asked for once more, after their ends: nothing more goes out.
      const again = await Promise.all(
        calls.map((call) => answered(stage.api, { ...call, key: randomUUID() })),
      );
      expect(again.map(({ status }) => status)).toEqual(calls.map(() => 201));
      for (const { object } of cells) expect(atProvider(object)).toHaveLength(1);
      await next.end();
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'the store killed before they are recorded: each goes on without it, and is recorded once',
    async () => {
      const refundId = randomUUID();
      const gates = new Gates();
      await stage.work(gates);
      const { paymentId, object } = await captured('500');
      const gate: Gate = { brink: 'after the answer', operation: 'refund', reference: refundId };
      gates.arm([gate]);
      const call = {
        path: `/v1/payments/${paymentId}/refunds`,
        body: { refundId },
        key: refundId,
      };
      const asking = answered(stage.api, call);
      await inTime('the answer of the provider', gates.reached(gate));
      await kill9();
      gates.letOn();
      await until('the payer has the money', () => refundedBy(object).length === 1 || undefined);
      await until('its workflow knows', async () => {
        const refund = await stage.client.refunds.get(refundId);
        return refund?.status === 'succeeded' || undefined;
      });
      await start();
      await asking;
      expect(await over(refundId)).toMatchObject({ status: 'succeeded', paymentId });
      expect((await store.getPayment(paymentId))?.amounts.refunded.minor).toBe('500');
      expect(refundedBy(object)).toEqual([500]);
    },
    TEST_TIMEOUT_MS,
  );
});

const GATES = {
  'before it was sent': 'after the intent',
  'while the provider did it': undefined,
  'while the provider did not do it': undefined,
  'after the answer': 'after the answer',
  'after the record': 'after the record',
} as const;

const EFFECTS = {
  'before it was sent': undefined,
  'while the provider did it': 'before',
  'while the provider did not do it': 'never',
  'after the answer': undefined,
  'after the record': undefined,
} as const;

/** Repeats the call under its key until it is taken, or refused for good. */
function answered(api: Api, call: Call): Promise<ApiAnswer> {
  return until(
    `an answer to ${call.key}`,
    async () => {
      const answer = await api.begin(call).answer;
      const { code } = answer.body as { code?: string };
      const isSettled = answer.status < 500 && code !== 'request_in_progress';
      if (isSettled) return answer;
      throw new Error(JSON.stringify(answer));
    },
    LONG_MS,
  );
}
