/** What persons do to a payment whose course has gone wrong: kept with who did it, and why. */
import { condition, type ApplicationFailure } from '@temporalio/workflow';
import { fact, STATABLE_FACT_KINDS, type FactKind } from '../domain/facts.js';
import {
  REPAIR_KINDS,
  type Payment,
  type RepairCommand,
  type StatedFact,
} from '../domain/payment.js';
import { isPositiveMinor } from '../domain/money.js';
import { checkWords, refusal } from './refusals.js';
import type { PaymentRun } from './run.js';

const MONEY: readonly FactKind[] = [
  'authorized',
  'captured',
  'voided',
  'refunded',
  'refund_reversed',
];
const RETRIABLE = ['capture', 'void', 'cancel'] as const;

/** Static rules alone: it does not run again on replay. */
export function checkRepair(asked: RepairCommand): void {
  const { repair, actor, reason } = asked ?? {};
  checkWords('actor', actor);
  checkWords('reason', reason);
  if (!REPAIR_KINDS.includes(repair?.kind)) {
    throw invalid('repair.kind', `must be one of ${REPAIR_KINDS.join(', ')}`);
  }
  if (repair.kind === 'retry' && !RETRIABLE.includes(repair.operation)) {
    throw invalid('repair.operation', `must be one of ${RETRIABLE.join(', ')}`);
  }
  if (repair.kind === 'state') checkStated(repair.fact);
}

function checkStated(stated: StatedFact | undefined): void {
  if (!stated || !STATABLE_FACT_KINDS.includes(stated.kind)) {
    throw invalid('repair.fact.kind', `must be one of ${STATABLE_FACT_KINDS.join(', ')}`);
  }
  const { amount, occurredAt } = stated;
  if (amount !== undefined && !isPositiveMinor(amount.minor)) {
    throw invalid('repair.fact.amount.minor', 'must be a positive integer, as a string');
  }
  if (occurredAt !== undefined && Number.isNaN(Date.parse(occurredAt))) {
    throw invalid('repair.fact.occurredAt', 'must be an ISO 8601 time');
  }
}

/** Carried out at once, but for the question to the provider, which is answered as far as known. */
export async function answerRepair(run: PaymentRun, asked: RepairCommand): Promise<Payment> {
  const { state } = run;
  const { repair, actor, reason } = asked;
  if (repair.kind === 'state') stateFact(run, repair.fact);
  if (repair.kind === 'retry') {
    state.refused = new Set([...state.refused].filter((each) => each !== repair.operation));
  }
  const at = new Date().toISOString();
  state.repairs = [...state.repairs, { repair, actor, reason, at, factCount: state.facts.length }];
  state.advance();
  if (repair.kind === 'dismiss') {
    state.isUnexpected = false;
    run.clearAttention();
  }
  if (repair.kind === 'ask') await ask(run);
  return state.payment();
}

async function ask(run: PaymentRun): Promise<void> {
  const before = run.answersTaken;
  run.state.isHinted = true;
  await condition(() => run.answersTaken > before, run.timing.updateWithinMs);
}

function stateFact({ state }: PaymentRun, stated: StatedFact): void {
  const { kind, occurredAt = new Date().toISOString() } = stated;
  const object = stated.object ?? state.providerReference;
  if (object === undefined) {
    throw invalid('repair.fact.object', 'must be given: the provider has no object of it yet');
  }
  const { authorized } = state.view.amounts;
  const { amount = authorized } = stated;
  if (MONEY.includes(kind) && (amount.minor === '0' || amount.currency !== authorized.currency)) {
    throw invalid('repair.fact.amount', `must be given, in ${authorized.currency}`);
  }
  const money = MONEY.includes(kind) ? { amount } : {};
  state.learn([fact({ kind, object, ...money, occurredAt, source: 'person' })]);
}

function invalid(field: string, rule: string): ApplicationFailure {
  return refusal('invalid', `${field}: ${rule}`);
}
