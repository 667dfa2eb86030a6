/** `holdfast refund …`: what operators do about refunds, through the API. */
import type { Command } from 'commander';
import Table from 'cli-table3';
import type { Config } from '../config.js';
import { formatMoney, type Money } from '../domain/money.js';
import { REFUND_STATUSES, STATABLE_REFUND_STATUSES, type Refund } from '../domain/refund.js';
import { apiTarget, callApi, type ApiTarget } from './api.js';
import { say } from './processes.js';
import { PLAIN } from './table-style.js';

interface CreateOptions {
  readonly cents?: string;
  readonly currency: string;
  readonly description?: string;
  readonly id?: string;
}

interface ListOptions {
  readonly payment?: string;
  readonly connection?: string;
  readonly status?: string;
  readonly attention?: boolean;
  readonly limit: string;
}

interface Explained {
  readonly actor: string;
  readonly reason: string;
}

type Target = () => ApiTarget;

export function refundCommands(program: Command, config: () => Config): void {
  const refund = program
    .command('refund')
    .description('give captured money back, through the API')
    .option('--url <url>', 'of the API; else that of the configuration');
  const target: Target = () => apiTarget(config(), refund.opts<{ url?: string }>().url);
  createCommand(refund, target);
  readingCommands(refund, target);
  cancelCommand(refund, target);
  repairCommands(refund, target);
}

function createCommand(refund: Command, target: Target): void {
  refund
    .command('create <paymentId>')
    .description('of all that is left, unless cents are given')
    .option('--cents <cents>', 'how much, in the smallest unit of its currency')
    .option('--currency <code>', 'of the cents', 'EUR')
    .option('--description <text>', 'shown to the payer')
    .option('--id <refundId>', 'yours: the same id again is the same refund')
    .action((paymentId: string, options: CreateOptions) =>
      command(target(), `${pathOfPayment(paymentId)}/refunds`, asked(options)),
    );
}

function asked({ cents, currency, description, id }: CreateOptions): object {
  return {
    ...(cents !== undefined && { amount: { minor: cents, currency } }),
    ...(description !== undefined && { description }),
    ...(id !== undefined && { refundId: id }),
  };
}

function readingCommands(refund: Command, target: Target): void {
  refund
    .command('show <refundId>')
    .description('one refund, as JSON')
    .action(async (refundId: string) => {
      const found = await callApi<Refund>(target(), 'GET', pathOf(refundId));
      say(JSON.stringify(found, null, 2));
    });

  refund
    .command('list')
    .description('recorded refunds, newest first; of one payment, with what is left to refund')
    .option('--payment <paymentId>', 'of this payment')
    .option('--connection <connectionId>', 'of this connection')
    .option('--status <status>', REFUND_STATUSES.join(', '))
    .option('--attention', 'only those that need a person')
    .option('--limit <n>', 'at most, 1 to 100', '20')
    .action((options: ListOptions) => list(target(), options));
}

async function list(target: ApiTarget, options: ListOptions): Promise<void> {
  const path = `/v1/refunds?${listQuery(options).toString()}`;
  const { refunds } = await callApi<{ refunds: readonly Refund[] }>(target, 'GET', path);
  say(refundTable(refunds));
  if (options.payment === undefined) return;
  const ofPayment = `${pathOfPayment(options.payment)}/refunds`;
  const { refundable } = await callApi<{ refundable: Money }>(target, 'GET', ofPayment);
  say(`left to refund: ${formatMoney(refundable)}`);
}

function listQuery(options: ListOptions): URLSearchParams {
  const { payment, connection, status, attention, limit } = options;
  return new URLSearchParams({
    limit,
    ...(payment !== undefined && { paymentId: payment }),
    ...(connection !== undefined && { connectionId: connection }),
    ...(status !== undefined && { status }),
    ...(attention === true && { needsAttention: 'true' }),
  });
}

function refundTable(refunds: readonly Refund[]): string {
  const head = ['refund', 'payment', 'status', 'amount', 'attention'];
  const table = new Table({ head, ...PLAIN });
  for (const { refundId, paymentId, status, amount, attention } of refunds) {
    const money = amount ? formatMoney(amount) : '';
    table.push([refundId, paymentId, status, money, attention?.reason ?? '']);
  }
  return table.toString();
}

function cancelCommand(refund: Command, target: Target): void {
  refund
    .command('cancel <refundId>')
    .description('end a refund of which nothing has been sent')
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .action((refundId: string, { reason }: { reason: string }) =>
      command(target(), `${pathOf(refundId)}/cancel`, { reason }),
    );
}

/** One command for each kind of repair; all are kept with who did it, and why. */
function repairCommands(refund: Command, target: Target): void {
  const repair = refund
    .command('repair')
    .description('set right a refund whose course has gone wrong');
  const add = (usage: string, description: string): Command =>
    repair
      .command(usage)
      .description(description)
      .requiredOption('--actor <name>', 'who does it')
      .requiredOption('--reason <text>', 'why, for those who ask later');
  const send = (refundId: string, body: object): Promise<void> =>
    command(target(), `${pathOf(refundId)}/repairs`, body);

  for (const [kind, description] of [
    ['ask', 'ask the provider, and believe its answer'],
    ['dismiss', 'it has been looked at'],
  ] as const) {
    add(`${kind} <refundId>`, description).action((refundId: string, by: Explained) =>
      send(refundId, { repair: { kind }, ...explained(by) }),
    );
  }
  add('state <refundId> <status>', `how it stands: ${STATABLE_REFUND_STATUSES.join(', ')}`)
    .option('--provider-reference <id>', "the provider's id of it, where none is known here")
    .action((refundId: string, status: string, options: Explained & Stated) => {
      const { providerReference } = options;
      const known = providerReference === undefined ? {} : { providerReference };
      return send(refundId, { repair: { kind: 'state', status, ...known }, ...explained(options) });
    });
}

interface Stated {
  readonly providerReference?: string;
}

function explained({ actor, reason }: Explained): Explained {
  return { actor, reason };
}

function pathOf(refundId: string): string {
  return `/v1/refunds/${encodeURIComponent(refundId)}`;
}

function pathOfPayment(paymentId: string): string {
  return `/v1/payments/${encodeURIComponent(paymentId)}`;
}

async function command(target: ApiTarget, path: string, body: object): Promise<void> {
  const taken = await callApi<Partial<Refund> & Pick<Refund, 'refundId'>>(
    target,
    'POST',
    path,
    body,
  );
  const { refundId, status, amount } = taken;
  const money = amount ? ` (${formatMoney(amount)})` : '';
  say(`${refundId}${money} is ${status ?? 'taken; no answer yet'}`);
}
