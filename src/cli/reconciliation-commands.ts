/** `holdfast reconcile`, `breaks`, `payouts` and `ledger`: the books, through the API. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { Config } from '../config.js';
import type { AccountBalance, Balances } from '../domain/ledger.js';
import { formatMoney, type Money } from '../domain/money.js';
import {
  BREAK_KINDS,
  BREAK_STATUSES,
  type Break,
  type ReconciliationRun,
  type StoredPayout,
  type Tally,
} from '../domain/reconciliation.js';
import { apiTarget, callApi, type ApiTarget } from './api.js';
import { say } from './processes.js';
import { PLAIN } from './table-style.js';

interface Scoped {
  readonly day?: string;
  readonly from?: string;
  readonly to?: string;
  readonly payout?: string;
  readonly url?: string;
}

type Target = (url: string | undefined) => ApiTarget;

export function reconciliationCommands(program: Command, config: () => Config): void {
  const target: Target = (url) => apiTarget(config(), url);
  reconcileCommand(program, target);
  breakCommands(program, target);
  payoutCommands(program, target);
  ledgerCommand(program, target);
}

const URL_OPTION = ['--url <url>', 'of the API; else that of the configuration'] as const;

function reconcileCommand(program: Command, target: Target): void {
  program
    .command('reconcile <connectionId>')
    .description('compare our records with what the provider reports, now')
    .option('--day <day>', 'a business day, YYYY-MM-DD')
    .option('--from <day>', 'the first of several')
    .option('--to <day>', 'the last of them')
    .option('--payout <id>', "instead of days: the provider's id of a payout")
    .option(...URL_OPTION)
    .action(async (connectionId: string, { url, payout, ...days }: Scoped) => {
      const body = {
        connectionId,
        ...days,
        ...(payout !== undefined && { payoutReference: payout }),
      };
      const path = '/v1/reconciliations';
      say(runSummary(await callApi<Answered>(target(url), 'POST', path, body)));
    });
}

type Answered = Pick<ReconciliationRun, 'runId'> & Partial<ReconciliationRun>;

function runSummary({ runId, status, totals, problem }: Answered): string {
  if (status === undefined) return `run ${runId} is under way: GET /v1/reconciliations/${runId}`;
  const head = `run ${runId} ${status}`;
  if (problem) return `${head}: ${problem.message}`;
  if (!totals) return head;
  const table = new Table({ head: ['', 'count', 'amount'], ...PLAIN });
  const { payments, refunds, payouts, breaks, unexplained } = totals;
  table.push(
    rowOf('payments reported', payments.seen),
    rowOf('payments matched', payments.matched),
    rowOf('refunds reported', refunds.seen),
    rowOf('refunds matched', refunds.matched),
    rowOf('payouts', payouts.seen),
    ...breaks.flatMap(({ kind, open, explained, closed }) =>
      Object.entries({ open, explained, closed })
        .filter(([, { count }]) => count > 0)
        .map(([state, tally]) => rowOf(`${kind}, ${state}`, tally)),
    ),
    ['unexplained', '', amountsOf(unexplained)],
  );
  return `${head}\n${table.toString()}`;
}

function rowOf(name: string, { count, amounts }: Tally): [string, number, string] {
  return [name, count, amountsOf(amounts)];
}

function amountsOf(amounts: readonly Money[]): string {
  return amounts.map(formatMoney).join(' + ') || '-';
}

interface ListBreaks {
  readonly connection?: string;
  readonly kind?: string;
  readonly status: string;
  readonly day?: string;
  readonly limit: string;
}

function breakCommands(program: Command, target: Target): void {
  const breaks = program
    .command('breaks')
    .description('differences between our records and the reports, through the API')
    .option(...URL_OPTION);
  const here = (): ApiTarget => target(breaks.opts<{ url?: string }>().url);
  breaks
    .command('list')
    .description('newest first')
    .option('--connection <id>')
    .option('--kind <kind>', BREAK_KINDS.join(', '))
    .option('--status <status>', `${BREAK_STATUSES.join(', ')}, or all`, 'open')
    .option('--day <day>', 'business day, YYYY-MM-DD')
    .option('--limit <n>', 'at most, 1 to 100', '20')
    .action(async ({ connection, kind, status, day, limit }: ListBreaks) => {
      const query = queryOf({
        ...{ limit, kind },
        connectionId: connection,
        status: status === 'all' ? undefined : status,
        businessDay: day,
      });
      const path = `/v1/breaks?${query}`;
      const page = await callApi<{ breaks: readonly Break[] }>(here(), 'GET', path);
      say(breakTable(page.breaks));
    });
  breaks
    .command('resolve <breakId>')
    .description('close a break that has been looked at')
    .requiredOption('--actor <name>', 'who does it')
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .action(async (breakId: string, body: { actor: string; reason: string }) => {
      const path = `/v1/breaks/${encodeURIComponent(breakId)}/resolve`;
      const { status } = await callApi<Break>(here(), 'POST', path, body);
      say(`${breakId} is ${status}`);
    });
}

function breakTable(breaks: readonly Break[]): string {
  const head = ['break', 'day', 'kind', 'status', 'of', 'ours', 'theirs', 'difference'];
  const table = new Table({ head, ...PLAIN });
  for (const found of breaks) {
    const { breakId, businessDay, kind, status, ours, theirs, difference } = found;
    const money = [ours, theirs, difference].map((amount) => (amount ? formatMoney(amount) : '-'));
    table.push([breakId, businessDay, kind, status, subjectOf(found), ...money]);
  }
  return table.toString();
}

/** By our id where we know it, else by the provider's. */
function subjectOf(found: Break): string {
  const { subject, paymentId, refundId, providerReference, refundReference } = found;
  const ids = {
    payment: paymentId ?? providerReference,
    refund: refundId ?? refundReference,
    payout: found.payoutReference,
  };
  return `${subject} ${ids[subject] ?? ''}`;
}

interface ListPayouts {
  readonly connection?: string;
  readonly status?: string;
  readonly limit: string;
}

function payoutCommands(program: Command, target: Target): void {
  const payouts = program
    .command('payouts')
    .description('what providers paid out, through the API')
    .option(...URL_OPTION);
  payouts
    .command('list')
    .description('newest first')
    .option('--connection <id>')
    .option('--status <status>', 'succeeded, failed')
    .option('--limit <n>', 'at most, 1 to 100', '20')
    .action(async ({ connection, status, limit }: ListPayouts) => {
      const query = queryOf({ limit, status, connectionId: connection });
      const here = target(payouts.opts<{ url?: string }>().url);
      const path = `/v1/payouts?${query}`;
      const page = await callApi<{ payouts: readonly StoredPayout[] }>(here, 'GET', path);
      say(payoutTable(page.payouts));
    });
}

function payoutTable(payouts: readonly StoredPayout[]): string {
  const head = [
    'payout',
    'connection',
    'made',
    'status',
    'payments',
    'refunds',
    'paid out',
    'lines',
  ];
  const table = new Table({ head, ...PLAIN });
  for (const { payments, refunds, amount, lines, ...payout } of payouts) {
    const known = lines.payments.count + lines.refunds.count;
    table.push([
      payout.payoutReference,
      payout.connectionId,
      payout.paidAt ?? '-',
      payout.status,
      `${payments.count}: ${formatMoney(payments.amount)}`,
      `${refunds.count}: ${formatMoney(refunds.amount)}`,
      formatMoney(amount),
      `${known} of ${payments.count + refunds.count}`,
    ]);
  }
  return table.toString();
}

function ledgerCommand(program: Command, target: Target): void {
  program
    .command('ledger')
    .description('the balances of the ledger, through the API')
    .option('--connection <id>')
    .option(...URL_OPTION)
    .action(async ({ connection, url }: { connection?: string; url?: string }) => {
      const path = `/v1/ledger?${queryOf({ connectionId: connection })}`;
      say(ledgerTable(await callApi<Balances>(target(url), 'GET', path)));
    });
}

function ledgerTable({ accounts, trial }: Balances): string {
  const table = new Table({
    head: ['connection', 'account', 'debits', 'credits', 'held debits', 'held credits'],
    ...PLAIN,
  });
  for (const account of accounts) table.push([...namesOf(account), ...amountsIn(account)]);
  for (const amount of trial) table.push(['all', 'trial balance', formatMoney(amount), '', '', '']);
  return table.toString();
}

function namesOf({ connectionId, account }: AccountBalance): [string, string] {
  return [connectionId, account];
}

function amountsIn(account: AccountBalance): string[] {
  const { postedDebits, postedCredits, pendingDebits, pendingCredits } = account;
  return [postedDebits, postedCredits, pendingDebits, pendingCredits].map(formatMoney);
}

function queryOf(asked: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(asked).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new URLSearchParams(given).toString();
}
