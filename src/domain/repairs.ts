import type { RepairRecord } from './payment.js';

/** Whether a person has looked at a payment and dismissed it, and nothing new is known since. */
export function isDismissed(
  repairs: readonly RepairRecord[] | undefined,
  factCount: number,
): boolean {
  const last = repairs?.findLast(({ repair }) => repair.kind === 'dismiss');
  return last?.factCount === factCount;
}
