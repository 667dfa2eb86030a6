/** The lives a payment can have, each told against the sandbox and compared with its ledger. */
import { randomToken } from '../transport/digest.js';
import { adoptedPaymentId } from '../client/adoption.js';
import type { Answer, OpenRequest } from '../client/client.js';
import { formatMoney, minorOf, money, type Money } from '../domain/money.js';
import type { Payment } from '../domain/payment.js';
import type { PaymentStatus } from '../domain/reducer.js';
import type { PayconiqSandbox } from '../sandbox/payconiq/sandbox.js';
import type { DevStack } from '../workers/dev-stack.js';
import type { Sandboxes } from '../workers/sandboxes.js';

interface Stage {
  readonly stack: DevStack;
  readonly sandboxes: Sandboxes;
  readonly step: (message: string) => void;
}

export interface Scenario {
  readonly title: string;
  run(stage: Stage): Promise<Told>;
}

/** How a payment ended here, beside what moved at the provider. */
export interface Told {
  readonly title: string;
  readonly payment: Payment;
  /** What the payer has lost for good, and what the merchant gets, by the sandbox's ledger. */
  readonly moved: {
    readonly debited: Money;
    readonly paidOut: Money;
    readonly creditedBack: Money;
    readonly refunded: Money;
  };
  readonly isAsExpected: boolean;
}

const OUTCOME_TIMEOUT_MS = 30_000;
const PAY_TERMINAL = { connectionId: 'payconiq-terminal', via: 'terminal' } as const;
const PAY_ONLINE = { connectionId: 'payconiq-online', via: 'online' } as const;

export const SCENARIOS: readonly Scenario[] = [
  scenario('Paid at the terminal, and acknowledged', 'captured', PAY_TERMINAL, async (play) => {
    const { reference } = await play.open({ description: 'Two coffees' });
    play.sandbox.consumer.pay(reference);
    play.step('the payer scans and confirms; the callback comes, signed; we acknowledge');
    return play.outcome();
  }),
  scenario('Paid in the web shop', 'captured', PAY_ONLINE, async (play) => {
    const returnUrl = 'https://shop.example/thanks';
    const { reference } = await play.open({ returnUrl, amount: money(4_999, 'EUR') });
    play.sandbox.consumer.pay(reference);
    play.step('the payer confirms on the checkout page');
    return play.outcome();
  }),
  scenario('Held, then voided by the merchant', 'voided', PAY_TERMINAL, async (play) => {
    const { reference } = await play.open({ captureMode: 'manual' });
    play.sandbox.consumer.pay(reference);
    await play.outcome();
    play.step('authorized: the payer is debited, the merchant has not acknowledged');
    await play.client.void(play.paymentId, { reason: 'the goods were out of stock' });
    play.step('voided on request: the payer is credited');
    return play.end();
  }),
  scenario('Held, forgotten, voided at our deadline', 'voided', PAY_TERMINAL, async (play) => {
    const captureBefore = new Date(Date.now() + 4_000).toISOString();
    const { reference } = await play.open({ captureMode: 'manual', captureBefore });
    play.sandbox.consumer.pay(reference);
    await play.outcome();
    play.step('authorized; nobody captures it, so the deadline passes');
    return play.end();
  }),
  scenario('Paid while the answers were lost', 'captured', PAY_TERMINAL, async (play) => {
    play.sandbox.faults.next('create', { kind: 'reset_after_effect' });
    play.sandbox.faults.next('acknowledge', { kind: 'reset_after_effect' });
    const { reference } = await play.open({});
    play.step('the answer to our creation was lost; it was found again by our reference');
    play.sandbox.consumer.pay(reference);
    play.step('the answer to our acknowledge is lost too; it is repeated');
    return play.outcome();
  }),
  scenario('Paid, and the callback never came', 'captured', PAY_TERMINAL, async (play) => {
    play.sandbox.faults.next('callback', { kind: 'lose', scope: 'delivery' });
    const { reference } = await play.open({});
    play.sandbox.consumer.pay(reference);
    play.step('no callback: after a while we ask the provider ourselves');
    return play.outcome();
  }),
  scenario('Paid at a printed sticker', 'captured', PAY_TERMINAL, async (play) => {
    const options = { provider: 'payconiq', flavour: 'sticker', posId: 'TABLE-7' };
    const { code } = await play.open({ options });
    play.step(`on the table since last year: ${code}`);
    const { paymentId } = play.sandbox.consumer.scanCode(code);
    play.sandbox.consumer.confirm(paymentId);
    play.step('the payer scans it: the app shows the payment we made for this table');
    return play.outcome();
  }),
  scenario('A printed invoice', 'captured', PAY_ONLINE, async (play) => {
    const structuredCommunication = '424779266492';
    const options = { provider: 'payconiq', flavour: 'invoice', structuredCommunication };
    const { code } = await play.open({ options, amount: money(12_340, 'EUR') });
    play.step(`nothing is sent; on the invoice: ${code}`);
    const givenUp = play.sandbox.consumer.scanCode(code);
    play.sandbox.consumer.cancel(givenUp.paymentId);
    play.step('scanned, and given up: the invoice stays open');
    const { paymentId } = play.sandbox.consumer.scanCode(code);
    play.sandbox.consumer.confirm(paymentId);
    play.step('scanned again and paid: matched by its structured communication');
    return play.outcome();
  }),
  scenario('A top-up that nobody asked for', 'captured', PAY_ONLINE, async (play) => {
    const code = `https://payconiq.com/t/1/${play.sandbox.profileId}?D=Top-up&R=WRISTBAND-12`;
    play.step(`on the guest's wristband: ${code}`);
    const { paymentId } = play.sandbox.consumer.scanCode(code, { amount: 2_000 });
    play.sandbox.consumer.confirm(paymentId, { tip: 50 });
    play.adopt(paymentId);
    play.step('the guest scans it and chooses EUR 20.00: the callback becomes a payment here');
    return play.outcome();
  }),
  scenario('Paid, and refunded in part', 'captured', PAY_ONLINE, async (play) => {
    const { reference } = await play.open({ amount: money(2_750, 'EUR') });
    play.sandbox.consumer.pay(reference);
    await play.end();
    play.sandbox.faults.next('refund', { kind: 'reset_after_effect' });
    const amount = money(750, 'EUR');
    const refundId = `refund-of-${play.paymentId}`;
    await play.client.refunds.create({ refundId, paymentId: play.paymentId, amount });
    play.step('EUR 7.50 are set aside and asked for; the answer is lost, so it is asked again');
    await play.refunded(refundId);
    play.step('the same key, the same refund: the payer has the money once');
    return play.end();
  }),
  scenario('Never paid', 'expired', PAY_TERMINAL, async (play) => {
    await play.open({});
    await play.sandbox.clock.advance(121_000);
    play.step('two minutes pass at the provider; the QR code is dead');
    return play.outcome();
  }),
];

interface Play {
  readonly client: DevStack['client'];
  readonly sandbox: PayconiqSandbox;
  readonly paymentId: string;
  readonly step: (message: string) => void;
  /** Opens the payment: the provider's id of it, if it has one yet, and what its QR code says. */
  open(
    changes: Partial<OpenRequest>,
  ): Promise<{ readonly reference: string; readonly code: string }>;
  /** From now on it is about the payment that this object of the provider's becomes. */
  adopt(providerReference: string): void;
  /** Waits until the payer's part is over. */
  outcome(): Promise<Payment>;
  /** Waits until Holdfast has nothing left to do. */
  end(): Promise<Payment>;
  /** Waits until a refund is done on both sides. */
  refunded(refundId: string): Promise<void>;
}

function scenario(
  title: string,
  expected: PaymentStatus,
  { connectionId, via }: { readonly connectionId: string; readonly via: 'terminal' | 'online' },
  act: (play: Play) => Promise<Payment>,
): Scenario {
  return {
    title,
    async run({ stack, sandboxes, step }) {
      const sandbox = sandboxes[via];
      const play = playOf({ client: stack.client, sandbox, connectionId, step });
      await act(play);
      const ended = await play.end();
      // What happened to it since is in the store alone.
      const payment = (await stack.store.getPayment(ended.paymentId)) ?? ended;
      const moved = movedAt(sandbox, payment);
      return { title, payment, moved, isAsExpected: isTied(payment, expected, moved) };
    },
  };
}

function playOf(stage: {
  readonly client: DevStack['client'];
  readonly sandbox: PayconiqSandbox;
  readonly connectionId: string;
  readonly step: (message: string) => void;
}): Play {
  const { client, sandbox, connectionId, step } = stage;
  const ownId = `demo-${randomToken(9)}`;
  let paymentId = ownId;
  const until = async (isReached: (payment: Payment) => boolean): Promise<Payment> => {
    for (const deadlineMs = Date.now() + OUTCOME_TIMEOUT_MS; ;) {
      const payment = await client.get(paymentId);
      if (payment && isReached(payment)) return payment;
      if (Date.now() > deadlineMs) throw new Error(`${paymentId} got stuck`);
      await new Promise((resume) => setTimeout(resume, 100));
    }
  };
  return {
    client,
    sandbox,
    paymentId: ownId,
    step,
    adopt: (providerReference) =>
      void (paymentId = adoptedPaymentId(connectionId, providerReference)),
    async open(changes) {
      const answer = await client.open({
        paymentId,
        connectionId,
        amount: money(1_250, 'EUR'),
        merchantReference: paymentId,
        ...changes,
      });
      const payment = answeredPayment(answer) ?? (await until(({ nextAction }) => !!nextAction));
      const { requested } = payment.amounts;
      step(`${requested ? formatMoney(requested) : ''} asked: ${payment.nextAction?.kind ?? ''}`);
      const { providerReference: reference = '', nextAction } = payment;
      return { reference, code: nextAction?.qrCode?.content ?? '' };
    },
    outcome: () =>
      until(({ status }) => !['created', 'requires_action', 'processing'].includes(status)),
    end: () => until(({ ended }) => ended),
    async refunded(refundId) {
      for (const deadlineMs = Date.now() + OUTCOME_TIMEOUT_MS; ;) {
        const refund = await client.refunds.get(refundId);
        if (refund?.status === 'succeeded') return;
        if (Date.now() > deadlineMs) throw new Error(`${refundId} got stuck`);
        await new Promise((resume) => setTimeout(resume, 100));
      }
    },
  };
}

function answeredPayment(answer: Answer): Payment | undefined {
  return answer.kind === 'answered' && answer.payment.nextAction ? answer.payment : undefined;
}

/** What the sandbox's own ledger says, over every object of this payment. */
function movedAt(sandbox: PayconiqSandbox, payment: Payment): Told['moved'] {
  const { merchantReference, providerReference } = payment;
  const own = sandbox.ledger.ofReference(merchantReference);
  const entries = own.length > 0 ? own : sandbox.ledger.ofPayment(providerReference ?? '');
  const sum = (kind: (typeof entries)[number]['kind']): Money =>
    money(
      entries.filter((entry) => entry.kind === kind).reduce((total, e) => total + e.amountMinor, 0),
      'EUR',
    );
  return {
    debited: sum('debited'),
    paidOut: sum('paid_out'),
    creditedBack: sum('credited_back'),
    refunded: sum('refunded'),
  };
}

function isTied(payment: Payment, expected: PaymentStatus, moved: Told['moved']): boolean {
  const { authorized, captured, voided, refunded } = payment.amounts;
  return (
    payment.status === expected &&
    minorOf(refunded) === minorOf(moved.refunded) &&
    minorOf(authorized) === minorOf(moved.debited) &&
    minorOf(captured) === minorOf(moved.paidOut) &&
    minorOf(voided) === minorOf(moved.creditedBack)
  );
}
