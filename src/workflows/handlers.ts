/**
 * The updates, the signal and the queries of a payment. Handlers stand before the first await;
 * validators check static rules only, since they do not run again on replay.
 */
import {
  type ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import type { Fact } from '../domain/facts.js';
import { compareMoney, isPositiveMinor, type Money } from '../domain/money.js';
import type { Payment, RepairCommand } from '../domain/payment.js';
import {
  PAYMENT_QUERIES,
  PAYMENT_SIGNALS,
  PAYMENT_UPDATES,
  type CaptureCommand,
  type Notice,
  type ReasonCommand,
} from './contract.js';
import { checkWords, refusal } from './refusals.js';
import { answerRepair, checkRepair } from './repairs.js';
import type { PaymentRun } from './run.js';
import type { Command } from './state.js';

const updates = {
  open: defineUpdate<Payment>(PAYMENT_UPDATES.open),
  capture: defineUpdate<Payment, [CaptureCommand]>(PAYMENT_UPDATES.capture),
  void: defineUpdate<Payment, [ReasonCommand]>(PAYMENT_UPDATES.void),
  cancel: defineUpdate<Payment, [ReasonCommand]>(PAYMENT_UPDATES.cancel),
  repair: defineUpdate<Payment, [RepairCommand]>(PAYMENT_UPDATES.repair),
};
const notify = defineSignal<[Notice]>(PAYMENT_SIGNALS.notify);
const queries = {
  payment: defineQuery<Payment | null>(PAYMENT_QUERIES.payment),
  facts: defineQuery<readonly Fact[]>(PAYMENT_QUERIES.facts),
};

export interface Handlers {
  /** Gives the handlers the run they speak for. */
  attach(run: PaymentRun): void;
  /**
   * There is none to speak for.
   *
   * @throws ApplicationFailure `not_found`, once everybody who asks has been told so
   */
  refuseAll(message: string): Promise<never>;
}

export function registerHandlers(): Handlers {
  let run: PaymentRun | undefined;
  let refused: ApplicationFailure | undefined;
  const early: Notice[] = [];
  // A workflow that was cancelled in Temporal goes on with its payment, and goes on answering.
  const answer = (give: (run: PaymentRun) => Promise<Payment>): Promise<Payment> =>
    CancellationScope.nonCancellable(async () => {
      await condition(() => run !== undefined || refused !== undefined);
      if (!run) throw refused ?? refusal('notFound', 'there is no payment');
      return give(run);
    });

  setHandler(updates.open, () => answer(answerOpen));
  setHandler(updates.capture, (asked) => answer((attached) => answerCapture(attached, asked)), {
    validator: checkCapture,
  });
  setHandler(updates.void, (asked) => answer((attached) => answerVoid(attached, asked)), {
    validator: checkReason,
  });
  setHandler(updates.cancel, (asked) => answer((attached) => answerCancel(attached, asked)), {
    validator: checkReason,
  });
  setHandler(updates.repair, (asked) => answer((attached) => answerRepair(attached, asked)), {
    validator: checkRepair,
  });
  setHandler(notify, (notice) => {
    if (run) takeNotice(run, notice);
    else early.push(notice);
  });
  setHandler(queries.payment, () => run?.state.payment() ?? null);
  setHandler(queries.facts, () => run?.state.facts ?? []);

  return {
    attach(attachedRun) {
      run = attachedRun;
      early.forEach((notice) => takeNotice(attachedRun, notice));
    },
    async refuseAll(message) {
      refused = refusal('notFound', message);
      await condition(allHandlersFinished);
      throw refused;
    },
  };
}

/** Callers of Temporal may send a hint alone. */
function takeNotice({ state }: PaymentRun, { facts = [], hint }: Partial<Notice>): void {
  state.learn(facts);
  if (hint) state.isHinted = true;
}

/** The first answer, whatever it is; unknown and not yet reached included. */
async function answerOpen(run: PaymentRun): Promise<Payment> {
  const { state } = run;
  const askedMs = Date.now();
  const isAnswered = (): boolean => state.view.status !== 'created';
  await condition(() => isAnswered() || run.hasAttempted('create'));
  // Only a first attempt that failed leaves time to wait for more, which costs a timer.
  const remainingMs = askedMs + run.timing.updateWithinMs - Date.now();
  if (!isAnswered() && remainingMs > 0) await condition(isAnswered, remainingMs);
  return state.payment();
}

async function answerCapture(run: PaymentRun, { amount }: CaptureCommand): Promise<Payment> {
  const { state } = run;
  const { status, amounts } = state.view;
  if (status === 'captured') return state.payment();
  offer(run, 'capture');
  if (status !== 'authorized') {
    throw refusal('conflict', `only an authorized payment can be captured; this one is ${status}`);
  }
  const wanted = amount ?? amounts.authorized;
  checkAmount(run, wanted, amounts.authorized);
  const { capture } = state.wishes;
  if (state.wishes.void ?? state.wishes.cancel) throw inFlight('void');
  if (isOtherAmount(capture?.amount, wanted)) throw inFlight('capture');
  // An earlier attempt of unknown outcome may have been done.
  if (isOtherAmount(state.unsettledOf('capture')?.amount, wanted)) throw inFlight('capture');
  if (!capture) wish(run, 'capture', { capture: { amount: wanted } });
  return answered(run, 'capture');
}

async function answerVoid(run: PaymentRun, { reason }: ReasonCommand): Promise<Payment> {
  const { state } = run;
  const { status } = state.view;
  if (status === 'voided') return state.payment();
  offer(run, 'void');
  if (status !== 'authorized') {
    throw refusal('conflict', `only an authorized payment can be voided; this one is ${status}`);
  }
  if (state.wishes.capture ?? isBusyWith(run, 'capture')) throw inFlight('capture');
  if (!state.wishes.void) wish(run, 'void', { void: { reason } });
  return answered(run, 'void');
}

async function answerCancel(run: PaymentRun, { reason }: ReasonCommand): Promise<Payment> {
  const { state } = run;
  const { status } = state.view;
  if (status === 'canceled') return state.payment();
  if (!['created', 'requires_action', 'processing'].includes(status)) {
    throw refusal('conflict', `only an unpaid payment can be cancelled; this one is ${status}`);
  }
  if (status !== 'created') offer(run, 'cancel');
  if (!state.wishes.cancel) wish(run, 'cancel', { cancel: { reason } });
  return status === 'created' ? state.payment() : answered(run, 'cancel');
}

function wish(run: PaymentRun, command: Command, wanted: object): void {
  run.forgetAttempt(command);
  run.state.wishes = { ...run.state.wishes, ...wanted };
}

/** Answers after the first attempt, or when the matter has settled itself. */
async function answered(run: PaymentRun, command: Command): Promise<Payment> {
  const { state } = run;
  const before = state.view.status;
  const isAnswered = (): boolean => run.hasAttempted(command) || state.view.status !== before;
  // Until the terms are known nothing is attempted, and learning them may take long.
  if (state.particulars.terms) await condition(isAnswered);
  else await condition(isAnswered, run.timing.updateWithinMs);
  return state.payment();
}

function isOtherAmount(amount: Money | undefined, wanted: Money): boolean {
  return amount !== undefined && compareMoney(amount, wanted) !== 0;
}

function isBusyWith({ state }: PaymentRun, command: Command): boolean {
  return state.nextStep().do === command;
}

function offer({ state }: PaymentRun, command: Command): void {
  const { terms } = state.particulars;
  if (terms && !terms.recoveries[command]) {
    throw refusal('unsupported', `this connection cannot ${command} payments`);
  }
  if (state.refused.has(command) && command !== 'cancel') {
    throw refusal('conflict', `the provider has refused to ${command} this payment`);
  }
}

function checkAmount({ state }: PaymentRun, wanted: Money, authorized: Money): void {
  if (wanted.currency !== authorized.currency) {
    throw refusal('invalid', `amount.currency: must be ${authorized.currency}`);
  }
  const difference = compareMoney(wanted, authorized);
  if (difference > 0) {
    throw refusal('invalid', `amount.minor: must be at most ${authorized.minor}, as authorized`);
  }
  if (difference < 0 && !state.particulars.terms?.partialCapture) {
    throw refusal(
      'unsupported',
      `amount.minor: must be ${authorized.minor}: this connection captures whole amounts only`,
    );
  }
}

function checkCapture(asked: CaptureCommand): void {
  if (asked.amount !== undefined && !isPositiveMinor(asked.amount.minor)) {
    throw refusal(
      'invalid',
      'amount.minor: must be a positive integer of minor units, as a string',
    );
  }
}

function checkReason(asked: ReasonCommand): void {
  checkWords('reason', asked?.reason);
}

function inFlight(operation: string): ApplicationFailure {
  return refusal('inFlight', `a ${operation} of this payment is under way`);
}
