/** The end of the demo: the money reaches the merchant's bank, and one row of the report is wrong. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { dayOf, instantOf, nextWorkingDay } from '../domain/calendar.js';
import { formatMoney, money, type Money } from '../domain/money.js';
import type { Break, ReconciliationRun } from '../domain/reconciliation.js';
import type { Day } from '../domain/report.js';
import type { PayconiqSandbox } from '../sandbox/payconiq/sandbox.js';
import type { DevStack } from '../workers/dev-stack.js';
import type { Told } from './demo-scenarios.js';
import { PLAIN } from './table-style.js';

const CONNECTION_ID = 'payconiq-online';
const TIME_ZONE = 'Europe/Brussels';
/** When the report of the day before is complete. */
const MORNING = '10:00';
const RUN_TIMEOUT_MS = 60_000;
/** What the provider reports too much of one payment, in euro cents. */
const WRONG_BY = 100;

interface PayoutDay {
  readonly stack: DevStack;
  readonly sandbox: PayconiqSandbox;
  /** What has been paid there before. */
  readonly told: readonly Told[];
  readonly step: (message: string) => void;
  /** Moves our clock and the provider's forward. */
  pass(ms: number): Promise<void>;
}

/** @throws Error when the break is not found, or something else is */
export async function tellPayoutDay(stage: PayoutDay): Promise<void> {
  const { stack, sandbox, step } = stage;
  const wronged = captured(stage.told);
  const day = dayOf(new Date(sandbox.clock.now()).toISOString(), TIME_ZONE);
  sandbox.payouts.inject({
    kind: 'wrong_amount',
    of: { paymentId: wronged.reference },
    amount: Number(wronged.amount.minor) + WRONG_BY,
    totals: 'follow',
  });
  const [payout] = sandbox.payouts.run({ day });
  const morning = Date.parse(instantOf({ day: nextWorkingDay(day), time: MORNING }, TIME_ZONE));
  await stage.pass(morning - sandbox.clock.now());
  step(`${nextWorkingDay(day)}, ${MORNING} in Brussels: the payments of ${day} are paid out`);
  step(`the merchant's bank gets ${formatMoney(money(payout?.payoutAmount ?? 0, 'EUR'))}`);
  step('one row of the provider’s report is wrong, by a euro');
  const run = await reconcile(stack, day);
  const { breaks } = await stack.store.breaks.list({ runId: run.runId, limit: 100 });
  process.stdout.write(`\n${tableOf(run, breaks)}\n`);
  const address = `${stack.apiUrl}/v1/reconciliations/${run.runId}/report?format=html`;
  step(`its report, as long as this runs: ${address}`);
  await check(stack, { breaks, reference: wronged.reference });
}

function captured(told: readonly Told[]): { readonly reference: string; readonly amount: Money } {
  const found = told.findLast(
    ({ payment }) => payment.connectionId === CONNECTION_ID && payment.status === 'captured',
  );
  if (found?.payment.providerReference === undefined) throw new Error('nothing was captured there');
  const { providerReference: reference, amounts } = found.payment;
  return { reference, amount: amounts.captured };
}

async function reconcile({ client, store }: DevStack, day: Day): Promise<ReconciliationRun> {
  const days = { from: day, to: day };
  const answer = await client.reconciliations.run({ connectionId: CONNECTION_ID, days });
  const { runId } = answer.kind === 'answered' ? answer.result : answer;
  for (const deadlineMs = Date.now() + RUN_TIMEOUT_MS; ;) {
    const run = await store.reconciliations.get(runId);
    if (run && run.status !== 'running') return run;
    if (Date.now() > deadlineMs) throw new Error(`reconciliation ${runId} got stuck`);
    await new Promise((resume) => setTimeout(resume, 200));
  }
}

function tableOf({ totals, status }: ReconciliationRun, breaks: readonly Break[]): string {
  const { payments, refunds, payouts } = totals ?? {};
  const seen = new Table({ head: ['reported', 'seen', 'matched', 'amount'], ...PLAIN });
  seen.push(
    ['payments', payments?.seen.count ?? 0, payments?.matched.count ?? 0, sum(payments?.seen)],
    ['refunds', refunds?.seen.count ?? 0, refunds?.matched.count ?? 0, sum(refunds?.seen)],
    ['payouts', payouts?.seen.count ?? 0, '', sum(payouts?.seen)],
  );
  const found = new Table({ head: ['break', 'payment', 'ours', 'theirs', 'difference'], ...PLAIN });
  for (const { kind, paymentId = '', ours, theirs, difference } of breaks) {
    found.push([pc.yellow(kind), paymentId, ...[ours, theirs, difference].map(amountOf)]);
  }
  const heading = `${pc.bold('Reconciliation')}: ${status}`;
  return `${heading}\n${seen.toString()}\n${found.toString()}`;
}

function amountOf(amount: Money | undefined): string {
  return amount ? formatMoney(amount) : '';
}

function sum(tally: { readonly amounts: readonly Money[] } | undefined): string {
  return (tally?.amounts ?? []).map(formatMoney).join(', ');
}

async function check(
  { store }: DevStack,
  found: { readonly breaks: readonly Break[]; readonly reference: string },
): Promise<void> {
  const { breaks, reference } = found;
  const [only] = breaks;
  const isFound =
    breaks.length === 1 &&
    only?.kind === 'amount_differs' &&
    only.providerReference === reference &&
    only.difference?.minor === String(WRONG_BY);
  const { trial } = await store.ledger.balances(CONNECTION_ID);
  const isBalanced = trial.every(({ minor }) => minor === '0');
  if (isFound && isBalanced) return;
  throw new Error(`not the one break that was to be found: ${JSON.stringify({ breaks, trial })}`);
}
