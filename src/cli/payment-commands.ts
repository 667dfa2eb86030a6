/** `holdfast payment …`: what operators do by hand, through the API. */
import type { Command } from 'commander';
import Table from 'cli-table3';
import type { Config } from '../config.js';
import { formatMoney, parseMoney } from '../domain/money.js';
import type { PayerData } from '../domain/payer.js';
import type { Payment } from '../domain/payment.js';
import { PAYMENT_STATUSES } from '../domain/reducer.js';
import { apiTarget, callApi, type ApiTarget, type Taken } from './api.js';
import { say } from './processes.js';
import { PLAIN } from './table-style.js';

interface ListOptions {
  readonly reference?: string;
  readonly status?: string;
  readonly attention?: boolean;
  readonly limit: string;
}

export function paymentCommands(program: Command, config: () => Config): void {
  const payment = program
    .command('payment')
    .description('look at payments and act on them, through the API')
    .option('--url <url>', 'of the API; else that of the configuration');
  const target = (): ApiTarget => apiTarget(config(), payment.opts<{ url?: string }>().url);

  payment
    .command('get <paymentId>')
    .description('one payment, as JSON')
    .action(async (paymentId: string) => {
      const found = await callApi<Payment>(target(), 'GET', pathOf(paymentId));
      say(JSON.stringify(found, null, 2));
    });

  payment
    .command('list')
    .description('recorded payments, newest first')
    .option('--reference <text>', "the merchant's reference")
    .option('--status <status>', PAYMENT_STATUSES.join(', '))
    .option('--attention', 'only those that need a person')
    .option('--limit <n>', 'at most, 1 to 100', '20')
    .action(async (options: ListOptions) => {
      const path = `/v1/payments?${listQuery(options).toString()}`;
      const { payments } = await callApi<{ payments: readonly Payment[] }>(target(), 'GET', path);
      say(paymentTable(payments));
    });

  payment
    .command('capture <paymentId>')
    .description('take what is authorized')
    .option('--amount <decimal>', 'a part of it, e.g. "12.50 EUR"')
    .action((paymentId: string, { amount }: { amount?: string }) =>
      command(target(), `${pathOf(paymentId)}/capture`, amount ? { amount: parse(amount) } : {}),
    );

  for (const name of ['void', 'cancel'] as const) {
    payment
      .command(`${name} <paymentId>`)
      .description(name === 'void' ? 'release what is authorized' : 'end an unpaid payment')
      .requiredOption('--reason <text>', 'why, for those who ask later')
      .action((paymentId: string, { reason }: { reason: string }) =>
        command(target(), `${pathOf(paymentId)}/${name}`, { reason }),
      );
  }
  repairCommands(payment, target);
  payerCommands(payment, target);
}

/** One command for each kind of repair; all are kept with who did it, and why. */
function repairCommands(payment: Command, target: () => ApiTarget): void {
  const repair = payment
    .command('repair')
    .description('set right a payment whose course has gone wrong');
  const add = (
    usage: string,
    description: string,
    repairOf: (argument: string) => Record<string, unknown>,
  ): void => {
    repair
      .command(usage)
      .description(description)
      .requiredOption('--actor <name>', 'who does it')
      .requiredOption('--reason <text>', 'why, for those who ask later')
      .action((paymentId: string, ...rest: [string | Explained, ...unknown[]]) => {
        const [argument, options] = (typeof rest[0] === 'string' ? rest : ['', rest[0]]) as [
          string,
          Explained,
        ];
        const { actor, reason } = options;
        const body = { repair: repairOf(argument), actor, reason };
        return command(target(), `${pathOf(paymentId)}/repairs`, body);
      });
  };
  add('ask <paymentId>', 'ask the provider, and believe its answer', () => ({ kind: 'ask' }));
  add('dismiss <paymentId>', 'it has been looked at', () => ({ kind: 'dismiss' }));
  add('retry <paymentId> <operation>', 'allow what was refused for good again', (operation) => ({
    kind: 'retry',
    operation,
  }));
  add('state <paymentId> <fact>', 'state a fact as JSON, e.g. {"kind":"captured"}', (fact) => ({
    kind: 'state',
    fact: factIn(fact),
  }));
}

/** @throws SyntaxError telling how to write it */
function factIn(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (cause) {
    throw new SyntaxError('the fact is no JSON: write it as {"kind":"captured"}', { cause });
  }
}

interface Explained {
  readonly actor: string;
  readonly reason: string;
}

function payerCommands(payment: Command, target: () => ApiTarget): void {
  payment
    .command('payer <paymentId>')
    .description('what is known of the payer, as JSON')
    .option('--refresh', 'ask the provider first')
    .action(async (paymentId: string, { refresh }: { refresh?: boolean }) => {
      const path = `${pathOf(paymentId)}/payer${refresh === true ? '?refresh=true' : ''}`;
      const known = await callApi<PayerData>(target(), 'GET', path);
      say(JSON.stringify(known, null, 2));
    });

  payment
    .command('erase-payer <paymentId>')
    .description('forget the payer for good: all that is known of them')
    .action(async (paymentId: string) => {
      await callApi<undefined>(target(), 'DELETE', `${pathOf(paymentId)}/payer`);
      say(`the payer of ${paymentId} is erased`);
    });
}

function pathOf(paymentId: string): string {
  return `/v1/payments/${encodeURIComponent(paymentId)}`;
}

function listQuery({ reference, status, attention, limit }: ListOptions): URLSearchParams {
  return new URLSearchParams({
    limit,
    ...(reference !== undefined && { merchantReference: reference }),
    ...(status !== undefined && { status }),
    ...(attention === true && { needsAttention: 'true' }),
  });
}

/** @throws RangeError naming what cannot be read */
function parse(text: string) {
  const [decimal = '', currency = ''] = text.trim().split(/\s+/);
  return parseMoney(decimal, currency);
}

function paymentTable(payments: readonly Payment[]): string {
  const table = new Table({
    head: ['payment', 'reference', 'status', 'authorized', 'captured', 'voided', 'attention'],
    ...PLAIN,
  });
  for (const { paymentId, merchantReference, status, amounts, attention } of payments) {
    const { authorized, captured, voided } = amounts;
    const money = [authorized, captured, voided].map(formatMoney);
    table.push([paymentId, merchantReference, status, ...money, attention?.reason ?? '']);
  }
  return table.toString();
}

async function command(target: ApiTarget, path: string, body: object): Promise<void> {
  const { paymentId, status } = await callApi<Taken>(target, 'POST', path, body);
  say(`${paymentId} is ${status ?? 'taken; no answer yet'}`);
}
