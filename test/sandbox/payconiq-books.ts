import { addDays, dayOf, hourOf, isWorkingDay } from '../../src/sandbox/payconiq/calendar.js';
import type { SandboxPayout } from '../../src/sandbox/payconiq/payout-book.js';
import type {
  PaymentRow,
  PayoutRow,
  RefundRow,
} from '../../src/sandbox/payconiq/reconciliation-rows.js';
import { paid, sandbox } from './payconiq-harness.js';
import type { Reply } from './payconiq-harness.js';
import { signed } from './payconiq-signed.js';

/** A page of the reconciliation API; of the three lists, the one that was asked for. */
export interface Books {
  readonly size: number;
  readonly totalPages: number;
  readonly totalElements: number;
  readonly number: number;
  readonly payouts: readonly PayoutRow[];
  readonly payments: readonly PaymentRow[];
  readonly refunds: readonly RefundRow[];
}
export type List = 'payouts' | 'payments' | 'refunds';

export const ask = (list: List, query = ''): Promise<Reply> =>
  signed(`/v3/reconciliation/${list}${query === '' ? '' : `?${query}`}`);
export const read = async (list: List, query: string): Promise<Books> =>
  (await ask(list, query)).json as unknown as Books;
export const payoutsOn = async (day: string): Promise<readonly PayoutRow[]> =>
  (await read('payouts', `date=${day}`)).payouts;
export const ofDay = (day: string): string => `start-date=${day}&end-date=${day}`;
export const paymentsOf = async (query: string): Promise<readonly PaymentRow[]> =>
  (await read('payments', query)).payments;
export const refundsOf = async (query: string): Promise<readonly RefundRow[]> =>
  (await read('refunds', query)).refunds;

/** Moves the sandbox's clock to an instant; with a little more for what it takes to get there. */
export const moveTo = (time: number): Promise<void> =>
  sandbox.clock.advance(time - sandbox.clock.now());

/** Moves the sandbox's clock to noon of the next day in Brussels that is wanted. */
export async function toNoonOf(isWanted: (day: string) => boolean): Promise<string> {
  const today = dayOf(sandbox.clock.now());
  const days = Array.from({ length: 400 }, (_, index) => addDays(today, index + 1));
  const day = days.find(isWanted);
  if (day === undefined) throw new Error('no such day within a year');
  await moveTo(hourOf(day, 12));
  return day;
}
/** With working days before and after. */
export const isOrdinary = (day: string): boolean =>
  [-1, 0, 1, 2].every((days) => isWorkingDay(addDays(day, days)));

export const refundOf = (paymentId: string, amount: number): string => {
  const { refundId } = sandbox.refunds.makeAtPortal(paymentId, amount);
  sandbox.refunds.advance(refundId, 'REFUNDED');
  return refundId;
};

/** Two payments, of 100 and 200, and a refund of 30: not paid out yet. */
export async function sold() {
  const [one, two] = [await paid({ amount: 100 }), await paid({ amount: 200 })];
  return { one, two, refundId: refundOf(two, 30) };
}

/** The same, paid out together. */
export async function paidOut(day: string) {
  const made = await sold();
  const [payout] = sandbox.payouts.run({ day });
  return { ...made, payout: payout as SandboxPayout };
}
