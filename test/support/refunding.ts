import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { AskedRefund } from '../../src/client/refunds.js';
import { refundWorkflowId } from '../../src/domain/ids.js';
import type { Refund } from '../../src/domain/refund.js';
import type { FaultFor, FaultHandle } from '../../src/sandbox/payconiq/faults.js';
import type { SandboxRefund } from '../../src/sandbox/payconiq/refund.js';
import type { Harness } from './harness.js';

/** A payment that was paid: ours, and the provider's id of it. */
export interface Captured {
  readonly paymentId: string;
  readonly object: string;
}

/** What tests do with refunds in a harness whose requests are signed. */
export interface Refunding {
  /** A payment of 12.50 EUR that was paid. */
  captured(options?: { readonly app?: 'bancontact'; readonly minor?: string }): Promise<Captured>;
  ask(paymentId: string, changes?: Partial<AskedRefund>): Promise<Refund>;
  /** The refund as soon as it is as wanted, by its workflow. */
  until(refundId: string, isWanted: (refund: Refund) => boolean): Promise<Refund>;
  /** The same, by the store. */
  recorded(refundId: string, isWanted: (refund: Refund) => boolean): Promise<Refund>;
  /** The refund when its workflow has ended, by the workflow's own result. */
  ended(refundId: string): Promise<Refund>;
  atProvider(object: string): readonly SandboxRefund[];
  /** The key of each request for a refund of it. */
  keysSent(object: string): readonly (string | undefined)[];
  fault(what: FaultFor<'refund'>, object: string, times?: number): FaultHandle;
  /** Ends the refund's workflow in the midst of what it does, if it runs. */
  terminate(refundId: string): Promise<void>;
}

export const euros = (minor: string) => ({ minor, currency: 'EUR' });

const WITHIN_MS = 20_000;
const PAUSE_MS = 40;

export function refunding(harness: () => Harness): Refunding {
  const handle = (refundId: string) =>
    harness().temporalClient.workflow.getHandle(refundWorkflowId(refundId));
  const terminate = async (refundId: string): Promise<void> => {
    await handle(refundId)
      .terminate('ended by a test')
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  };
  return {
    async captured({ app, minor = '1250' } = {}) {
      const { paymentId, created } = await harness().open({ amount: euros(minor) });
      harness().sandbox.consumer.pay(created.paymentId, app ? { app } : {});
      await harness().ended(paymentId);
      return { paymentId, object: created.paymentId };
    },
    async ask(paymentId, changes) {
      const asked = { refundId: randomUUID(), paymentId, ...changes };
      const answer = await harness().client.refunds.create(asked);
      if (answer.kind !== 'answered') throw new Error('no answer in time');
      return answer.refund;
    },
    until: (refundId, isWanted) =>
      // A query is refused while a task of the workflow is to be done again.
      poll(() => harness().client.refunds.get(refundId), isWanted),
    recorded: (refundId, isWanted) => poll(() => harness().store.refunds.get(refundId), isWanted),
    ended: (refundId) => handle(refundId).result() as Promise<Refund>,
    atProvider: (object) => harness().sandbox.refunds.ofPayment(object),
    keysSent: (object) =>
      harness()
        .sandbox.requests()
        .filter(({ operation, paymentId }) => operation === 'refund' && paymentId === object)
        .map(({ idempotencyKey }) => idempotencyKey),
    fault: (what, object, times = 1) =>
      harness().sandbox.faults.always('refund', what, { times, where: { paymentId: object } }),
    terminate,
  };
}

async function poll(
  get: () => Promise<Refund | undefined>,
  isWanted: (refund: Refund) => boolean,
): Promise<Refund> {
  for (const deadlineMs = Date.now() + WITHIN_MS; ;) {
    const refund = await get().catch(() => undefined);
    if (refund && isWanted(refund)) return refund;
    if (Date.now() > deadlineMs) throw new Error(`still ${JSON.stringify(refund)}`);
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}
