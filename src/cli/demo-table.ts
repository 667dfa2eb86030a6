import Table from 'cli-table3';
import pc from 'picocolors';
import { formatMoney } from '../domain/money.js';
import { PLAIN } from './table-style.js';
import type { Told } from './demo-scenarios.js';

/** What happened here beside what moved at the provider's. */
export function demoTable(told: readonly Told[]): string {
  const table = new Table({
    head: [
      'payment',
      'status',
      'captured',
      'voided',
      'refunded',
      'payer debited',
      'paid out',
      'credited back',
      'refunded',
      '',
    ],
    ...PLAIN,
  });
  for (const { title, payment, moved, isAsExpected } of told) {
    const { captured, voided, refunded } = payment.amounts;
    table.push([
      title,
      payment.status,
      formatMoney(captured),
      formatMoney(voided),
      formatMoney(refunded),
      formatMoney(moved.debited),
      formatMoney(moved.paidOut),
      formatMoney(moved.creditedBack),
      formatMoney(moved.refunded),
      isAsExpected ? pc.green('ties') : pc.red('DIFFERS'),
    ]);
  }
  const heading = `${pc.bold('Holdfast’s record')} (left) beside the provider’s ledger (right)`;
  return `${heading}\n${table.toString()}`;
}
