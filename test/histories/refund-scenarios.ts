import type { RefundStatus } from '../../src/domain/refund.js';
import type { Harness } from '../support/harness.js';
import { euros, refunding, type Captured, type Refunding } from '../support/refunding.js';

/** A way through the refund workflow, and what must have come of it however it was run. */
export interface RefundScenario {
  /** Answers with the refund's id and the provider's of its payment; the workflow has ended. */
  run(harness: Harness): Promise<{ readonly refundId: string; readonly object: string }>;
  readonly status: RefundStatus;
  /** How often it was sent, always under one key. */
  readonly sent: number;
  /** What moved at the provider besides the payment. */
  readonly moved: readonly string[];
}

const person = { actor: 'ann', reason: 'the payer is asking' };
const DONE = ['refunded 400', 'refund_collected 400'];

/** Every history of a refund in this folder, by the name of its file. */
export const REFUND_SCENARIOS = {
  'refund-followed-to-its-end': {
    async run(harness) {
      const { tools, payment, refundId } = await begun(harness);
      const { providerReference } = await tools.recorded(refundId, isPending);
      harness.sandbox.refunds.advance(providerReference!, 'PROCESSING');
      await tools.recorded(refundId, ({ status }) => status === 'processing');
      harness.sandbox.refunds.advance(providerReference!, 'REFUNDED');
      return ended(tools, payment, refundId);
    },
    status: 'succeeded',
    sent: 1,
    moved: DONE,
  },
  'refund-answer-lost': {
    async run(harness) {
      const { tools, payment, refundId } = await begun(harness, (own, { object }) => {
        own.fault({ kind: 'reset_after_effect' }, object);
        own.fault({ kind: 'error_before_effect' }, object);
      });
      const { providerReference } = await tools.recorded(refundId, isPending);
      harness.sandbox.refunds.advance(providerReference!, 'REFUNDED');
      return ended(tools, payment, refundId);
    },
    status: 'succeeded',
    sent: 3,
    moved: DONE,
  },
  'refund-not-possible-yet': {
    async run(harness) {
      const { tools, payment, refundId } = await begun(harness, (own, { object }) => {
        own.fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object, 2);
      });
      const { providerReference } = await tools.recorded(refundId, isPending);
      harness.sandbox.refunds.advance(providerReference!, 'REFUNDED');
      return ended(tools, payment, refundId);
    },
    status: 'succeeded',
    sent: 3,
    moved: DONE,
  },
  'refund-reversed': {
    async run(harness) {
      const { tools, payment, refundId } = await begun(harness);
      const { providerReference } = await tools.recorded(refundId, isPending);
      harness.sandbox.refunds.advance(providerReference!, 'REFUNDED');
      await tools.ended(refundId);
      harness.sandbox.refunds.reverse(providerReference!);
      const { refunds } = harness.client;
      await refunds.repair(refundId, { ...person, repair: { kind: 'ask' } });
      return ended(tools, payment, refundId);
    },
    status: 'reversed',
    sent: 1,
    moved: [...DONE, 'refund_reversed 400'],
  },
  'refund-cancelled': {
    async run(harness) {
      const { tools, payment, refundId } = await begun(harness, (own, { object }) => {
        own.fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object);
      });
      await tools.recorded(refundId, ({ operation }) => operation?.state === 'not_sent');
      await harness.client.refunds.cancel(refundId, { reason: 'kept it' });
      return ended(tools, payment, refundId);
    },
    status: 'failed',
    sent: 1,
    moved: [],
  },
} as const satisfies Record<string, RefundScenario>;

export type RefundScenarioName = keyof typeof REFUND_SCENARIOS;

export const REFUND_SCENARIO_NAMES = Object.keys(REFUND_SCENARIOS) as RefundScenarioName[];

/** Of the harness's sandbox: what was sent for a payment, by key, and what moved of refunds. */
export function refundTraces({ sandbox }: Harness, object: string) {
  const sent = sandbox
    .requests()
    .filter(({ operation, paymentId }) => operation === 'refund' && paymentId === object);
  const moved = sandbox.ledger.ofPayment(object).filter(({ refundId }) => refundId !== undefined);
  return {
    sent: sent.length,
    keys: new Set(sent.map(({ idempotencyKey }) => idempotencyKey)).size,
    moved: moved.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`),
  };
}

async function begun(
  harness: Harness,
  prepare: (tools: Refunding, payment: Captured) => void = () => undefined,
): Promise<{
  readonly tools: Refunding;
  readonly payment: Captured;
  readonly refundId: string;
}> {
  const tools = refunding(() => harness);
  harness.sandbox.refunds.course('pending');
  const payment = await tools.captured();
  prepare(tools, payment);
  const { refundId } = await tools.ask(payment.paymentId, { amount: euros('400') });
  return { tools, payment, refundId };
}

async function ended(tools: Refunding, { object }: Captured, refundId: string) {
  await tools.ended(refundId);
  return { refundId, object };
}

function isPending({ status }: { readonly status: RefundStatus }): boolean {
  return status === 'pending';
}
