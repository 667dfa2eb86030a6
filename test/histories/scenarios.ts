import { fact } from '../../src/domain/facts.js';
import type { PaymentStatus } from '../../src/domain/reducer.js';
import type { Harness, OpenedPayment } from '../support/harness.js';
import { loseCallbacks, RELEASED, TAKEN } from '../workflows/observed.js';

/** A way through the payment workflow, and what must have come of it however it was run. */
export interface Scenario {
  /** Answers with the payment's id; the workflow has ended, or stands still. */
  run(harness: Harness): Promise<{ readonly paymentId: string; readonly reference: string }>;
  readonly status: PaymentStatus;
  /** The calls at the provider, reads left out. */
  readonly sent: readonly string[];
  readonly moved: readonly string[];
}

const reason = 'sold out';

/** Every history in this folder, by the name of its file. */
export const SCENARIOS = {
  'acknowledged-by-itself': {
    async run(harness) {
      const opened = await harness.open();
      loseCallbacks(harness.sandbox, opened.request.merchantReference, 'SUCCEEDED');
      harness.sandbox.consumer.pay(opened.created.paymentId, { tip: 0 });
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'acknowledge'],
    moved: TAKEN,
  },
  'found-paid-by-asking': {
    async run(harness) {
      const asked = harness.request();
      loseCallbacks(harness.sandbox, asked.merchantReference);
      const opened = await harness.open(asked);
      harness.sandbox.consumer.pay(opened.created.paymentId);
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'acknowledge'],
    moved: TAKEN,
  },
  'captured-on-request': {
    async run(harness) {
      const opened = await openAuthorized(harness);
      await harness.client.capture(opened.paymentId);
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'acknowledge'],
    moved: TAKEN,
  },
  'voided-on-request': {
    async run(harness) {
      const opened = await openAuthorized(harness);
      await harness.client.void(opened.paymentId, { reason });
      return ended(harness, opened);
    },
    status: 'voided',
    sent: ['create', 'void'],
    moved: RELEASED,
  },
  'voided-at-our-deadline': {
    async run(harness) {
      const captureBefore = new Date(Date.now() + 2_000).toISOString();
      const opened = await harness.open({ captureMode: 'manual', captureBefore });
      harness.sandbox.consumer.pay(opened.created.paymentId);
      return ended(harness, opened);
    },
    status: 'voided',
    sent: ['create', 'void'],
    moved: RELEASED,
  },
  'cancelled-unpaid': {
    async run(harness) {
      const opened = await harness.open();
      await harness.client.cancel(opened.paymentId, { reason });
      return ended(harness, opened);
    },
    status: 'canceled',
    sent: ['create', 'cancel'],
    moved: [],
  },
  'cancelled-too-late': {
    async run(harness) {
      const opened = await harness.open();
      const { paymentId } = opened.created;
      harness.sandbox.consumer.scan(paymentId);
      harness.sandbox.consumer.confirm(paymentId, { stopAt: 'bank' });
      await harness.client.cancel(opened.paymentId, { reason });
      harness.sandbox.consumer.settleAtBank(paymentId);
      return ended(harness, opened);
    },
    status: 'voided',
    sent: ['create', 'cancel', 'void'],
    moved: RELEASED,
  },
  'workflow-cancelled': {
    async run(harness) {
      const opened = await harness.open();
      await harness.handle(opened.paymentId).cancel();
      return ended(harness, opened);
    },
    status: 'canceled',
    sent: ['create', 'cancel'],
    moved: [],
  },
  'creation-lost-and-found': {
    async run(harness) {
      const asked = harness.request();
      const where = { reference: asked.merchantReference };
      harness.sandbox.faults.next('create', { kind: 'reset_after_effect' }, where);
      const opened = await harness.open(asked);
      await harness.until(opened.paymentId, ({ status }) => status === 'requires_action');
      harness.sandbox.consumer.pay(opened.created.paymentId);
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'acknowledge'],
    moved: TAKEN,
  },
  'creation-made-again': {
    async run(harness) {
      const asked = harness.request();
      const where = { reference: asked.merchantReference };
      harness.sandbox.faults.next('create', { kind: 'throttle' }, where);
      harness.sandbox.faults.next('create', { kind: 'reset_before_effect' }, where);
      const opened = await harness.open(asked);
      harness.sandbox.consumer.pay(opened.created.paymentId);
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'create', 'create', 'acknowledge'],
    moved: TAKEN,
  },
  'acknowledgement-repeated': {
    async run(harness) {
      const opened = await harness.open();
      const where = { paymentId: opened.created.paymentId };
      const fault = { kind: 'error_before_effect' } as const;
      harness.sandbox.faults.always('acknowledge', fault, { where, times: 3 });
      harness.sandbox.consumer.pay(opened.created.paymentId);
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', ...Array<string>(4).fill('acknowledge')],
    moved: TAKEN,
  },
  'hinted-and-asked': {
    async run(harness) {
      const asked = harness.request();
      loseCallbacks(harness.sandbox, asked.merchantReference);
      const opened = await harness.open(asked);
      harness.sandbox.consumer.pay(opened.created.paymentId);
      await harness.client.notify(opened.paymentId, { facts: [], hint: true });
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'acknowledge'],
    moved: TAKEN,
  },
  rejected: {
    async run(harness) {
      const request = harness.request({ amount: { minor: '1250', currency: 'USD' } });
      await harness.client.open(request);
      await harness.ended(request.paymentId);
      return { paymentId: request.paymentId, reference: request.merchantReference };
    },
    status: 'rejected',
    sent: [],
    moved: [],
  },
  'resumed-with-late-facts': {
    async run(harness) {
      const opened = await harness.open();
      await harness.client.cancel(opened.paymentId, { reason });
      await harness.ended(opened.paymentId);
      const object = opened.created.paymentId;
      const amount = { minor: '1250', currency: 'EUR' };
      const occurredAt = new Date().toISOString();
      const facts = (['authorized', 'captured'] as const).map((kind) =>
        fact({ kind, object, amount, occurredAt, source: 'report' }),
      );
      await harness.client.resume(opened.paymentId, { facts });
      return ended(harness, opened);
    },
    status: 'captured',
    sent: ['create', 'cancel'],
    moved: [],
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

async function openAuthorized(harness: Harness): Promise<OpenedPayment> {
  const opened = await harness.open({ captureMode: 'manual' });
  harness.sandbox.consumer.pay(opened.created.paymentId);
  await harness.until(opened.paymentId, ({ status }) => status === 'authorized');
  return opened;
}

async function ended(harness: Harness, { paymentId, request }: OpenedPayment) {
  await harness.ended(paymentId);
  return { paymentId, reference: request.merchantReference };
}
