/**
 * The updates, the signal and the query of a refund. Handlers stand before the first await;
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
import {
  REFUND_REPAIR_KINDS,
  STATABLE_REFUND_STATUSES,
  isPaid,
  type Refund,
  type RefundRepair,
  type RefundRepairCommand,
} from '../domain/refund.js';
import { REFUND_QUERIES, REFUND_SIGNALS, REFUND_UPDATES, type ReasonCommand } from './contract.js';
import { checkWords, refusal } from './refusals.js';
import type { RefundRun } from './refund-run.js';

const updates = {
  open: defineUpdate<Refund>(REFUND_UPDATES.open),
  cancel: defineUpdate<Refund, [ReasonCommand]>(REFUND_UPDATES.cancel),
  repair: defineUpdate<Refund, [RefundRepairCommand]>(REFUND_UPDATES.repair),
};
const hint = defineSignal(REFUND_SIGNALS.hint);
const refundQuery = defineQuery<Refund | null>(REFUND_QUERIES.refund);

export interface RefundHandlers {
  /** Gives the handlers the run they speak for. */
  attach(run: RefundRun): void;
  /**
   * There is none to speak for.
   *
   * @throws ApplicationFailure `not_found`, once everybody who asks has been told so
   */
  refuseAll(message: string): Promise<never>;
}

export function registerRefundHandlers(): RefundHandlers {
  let run: RefundRun | undefined;
  let refused: ApplicationFailure | undefined;
  let isHintedEarly = false;
  const heedRefusal = (): void => {
    if (refused) throw refused;
  };
  // A workflow that was cancelled in Temporal goes on with its refund, and goes on answering.
  const answer = (give: (run: RefundRun) => Promise<void>): Promise<Refund> =>
    CancellationScope.nonCancellable(async () => {
      await condition(() => run !== undefined || refused !== undefined);
      heedRefusal();
      if (!run) throw refusal('notFound', 'there is no refund');
      await give(run);
      heedRefusal();
      return run.state.refund;
    });

  setHandler(updates.open, () => answer((attached) => awaitAnswer(attached, () => refused)));
  setHandler(updates.cancel, () => answer(cancel), {
    validator: (asked: ReasonCommand) => checkWords('reason', asked?.reason),
  });
  setHandler(updates.repair, (asked) => answer((attached) => repair(attached, asked)), {
    validator: checkRepair,
  });
  setHandler(hint, () => {
    if (run) run.state.isHinted = true;
    else isHintedEarly = true;
  });
  setHandler(refundQuery, () => run?.state.refund ?? null);

  return {
    attach(attached) {
      run = attached;
      if (isHintedEarly) attached.state.isHinted = true;
    },
    async refuseAll(message) {
      refused = refusal('notFound', message);
      await condition(allHandlersFinished);
      throw refused;
    },
  };
}

/** The first answer, whatever it is; unknown and not yet reserved included. */
async function awaitAnswer(run: RefundRun, refused: () => unknown): Promise<void> {
  const isAnswered = (): boolean => run.hasAnswer || refused() !== undefined;
  await condition(isAnswered, run.timing.updateWithinMs);
}

/** Possible while nothing has been sent; what may have been is seen through. */
async function cancel(run: RefundRun): Promise<void> {
  const { state, timing } = run;
  const { status, problem } = state.refund;
  if (problem?.code === 'withdrawn') return;
  if (status === 'unknown') {
    throw refusal('inFlight', 'the refund may have been sent, so it cannot be cancelled');
  }
  if (status !== 'requested' && status !== 'reserved') {
    throw refusal('conflict', `only a refund that is not sent can be cancelled; this is ${status}`);
  }
  state.isCancelled = true;
  await condition(() => state.refund.status !== status, timing.updateWithinMs);
}

/** Carried out at once, but for the question to the provider, which is answered as far as known. */
async function repair(run: RefundRun, asked: RefundRepairCommand): Promise<void> {
  const { state } = run;
  if (state.refund.status === 'rejected') {
    throw refusal('conflict', 'the refund was rejected: nothing was set aside and nothing sent');
  }
  if (asked.repair.kind === 'state') stateOutcome(run, asked.repair);
  if (asked.repair.kind === 'dismiss') run.clearAttention();
  state.repaired(asked);
  // What only waits, for days or for a person, has no turn of its own to record it.
  run.recorder.inBackground();
  if (asked.repair.kind === 'ask') await ask(run);
}

async function ask(run: RefundRun): Promise<void> {
  const { answersTaken } = run;
  const { operation } = run.state.refund;
  run.state.isHinted = true;
  const isAnswered = (): boolean =>
    run.answersTaken > answersTaken || run.state.refund.operation !== operation;
  await condition(isAnswered, run.timing.updateWithinMs);
}

function stateOutcome(
  { state }: RefundRun,
  stated: Extract<RefundRepair, { kind: 'state' }>,
): void {
  const isNamed = (stated.providerReference ?? state.refund.providerReference) !== undefined;
  if (state.refund.amount === undefined || state.refund.paymentReference === undefined) {
    throw refusal('conflict', 'nothing has been set aside yet, so nothing can have been sent');
  }
  if (stated.status === 'failed' && isPaid(state.refund.status)) {
    throw refusal('conflict', 'the payer has had the money; what came back since is reversed');
  }
  // Reports name it by that id: without it the same refund would be counted twice.
  if (stated.status !== 'failed' && !isNamed) {
    throw refusal('invalid', 'repair.providerReference: must be given: it is not known here');
  }
  state.state(stated);
}

/** Static rules alone: it does not run again on replay. */
function checkRepair(asked: RefundRepairCommand): void {
  const { repair, actor, reason } = asked ?? {};
  checkWords('actor', actor);
  checkWords('reason', reason);
  if (!REFUND_REPAIR_KINDS.includes(repair?.kind)) {
    throw refusal('invalid', `repair.kind: must be one of ${REFUND_REPAIR_KINDS.join(', ')}`);
  }
  if (repair.kind !== 'state') return;
  if (!STATABLE_REFUND_STATUSES.includes(repair.status)) {
    const allowed = STATABLE_REFUND_STATUSES.join(', ');
    throw refusal('invalid', `repair.status: must be one of ${allowed}`);
  }
  if (repair.providerReference !== undefined) {
    checkWords('repair.providerReference', repair.providerReference);
  }
}
