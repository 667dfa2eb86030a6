/** `holdfast payment …`: what operators do by hand. */
import type { Command } from 'commander';
import Table from 'cli-table3';
import type { Answer, HoldfastClient } from '../client/client.js';
import type { Config } from '../config.js';
import { formatMoney, parseMoney } from '../domain/money.js';
import type { Payment } from '../domain/payment.js';
import { PAYMENT_STATUSES, type PaymentStatus } from '../domain/reducer.js';
import { connectClient, openFoundation, type Foundation } from '../workers/foundation.js';
import { say } from './processes.js';
import { PLAIN } from './table-style.js';

export function paymentCommands(program: Command, config: () => Config): void {
  const payment = program.command('payment').description('look at payments and act on them');

  payment
    .command('get <paymentId>')
    .description('one payment, as JSON')
    .action((paymentId: string) =>
      withClient(config(), async (client, { store }) => {
        const found = (await client.get(paymentId)) ?? (await store.getPayment(paymentId));
        if (!found) throw new Error(`there is no payment ${paymentId}`);
        say(JSON.stringify(found, null, 2));
      }),
    );

  payment
    .command('list')
    .description('recorded payments, newest first')
    .option('--reference <text>', "the merchant's reference")
    .option('--status <status>', PAYMENT_STATUSES.join(', '), parseStatus)
    .option('--attention', 'only those that need a person')
    .option('--limit <n>', 'at most', '20')
    .action((options: ListOptions) =>
      withFoundation(config(), async ({ store }) => {
        const { payments } = await store.listPayments({
          ...(options.reference !== undefined && { merchantReference: options.reference }),
          ...(options.status !== undefined && { status: options.status }),
          ...(options.attention === true && { needsAttention: true }),
          limit: Number(options.limit),
        });
        say(paymentTable(payments));
      }),
    );

  payment
    .command('capture <paymentId>')
    .description('take what is authorized')
    .option('--amount <decimal>', 'a part of it, e.g. 12.50 EUR')
    .action((paymentId: string, { amount }: { amount?: string }) =>
      command(config(), (client) =>
        client.capture(paymentId, amount === undefined ? {} : { amount: parseAmount(amount) }),
      ),
    );

  for (const name of ['void', 'cancel'] as const) {
    payment
      .command(`${name} <paymentId>`)
      .description(name === 'void' ? 'release what is authorized' : 'end an unpaid payment')
      .requiredOption('--reason <text>', 'why, for those who ask later')
      .action((paymentId: string, { reason }: { reason: string }) =>
        command(config(), (client) => client[name](paymentId, { reason })),
      );
  }
}

interface ListOptions {
  readonly reference?: string;
  readonly status?: PaymentStatus;
  readonly attention?: boolean;
  readonly limit: string;
}

function parseStatus(text: string): PaymentStatus {
  const status = PAYMENT_STATUSES.find((each) => each === text);
  if (!status) throw new Error(`--status ${text}: must be one of ${PAYMENT_STATUSES.join(', ')}`);
  return status;
}

function parseAmount(text: string) {
  const [decimal = '', currency = ''] = text.trim().split(/\s+/);
  return parseMoney(decimal, currency);
}

export function paymentTable(payments: readonly Payment[]): string {
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

function command(config: Config, act: (client: HoldfastClient) => Promise<Answer>): Promise<void> {
  return withClient(config, async (client) => {
    const answer = await act(client);
    say(
      answer.kind === 'answered'
        ? `${answer.payment.paymentId} is ${answer.payment.status}`
        : `${answer.paymentId}: taken, no answer yet; ask again with: holdfast payment get`,
    );
  });
}

function withClient(
  config: Config,
  act: (client: HoldfastClient, foundation: Foundation) => Promise<void>,
): Promise<void> {
  return withFoundation(config, async (foundation) => {
    const { client, connection } = await connectClient(foundation);
    try {
      await act(client, foundation);
    } finally {
      await connection.close();
    }
  });
}

async function withFoundation(
  config: Config,
  act: (foundation: Foundation) => Promise<void>,
): Promise<void> {
  const foundation = await openFoundation(config);
  try {
    await act(foundation);
  } finally {
    await foundation.close();
  }
}
