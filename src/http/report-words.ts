/** What each kind of break means, for the people who read reports. */
import type { BreakKind, BreakStatus, ExplanationKind } from '../domain/reconciliation.js';

export const BREAK_WORDS = {
  missing_here: [
    'Missing in our records',
    'The provider reports it, and we did not know of it. What the provider proves is taken over by ' +
      'itself; while it is open, that has not happened yet.',
  ],
  missing_at_provider: [
    'Missing at the provider',
    'We recorded it for this day, and the provider’s report, complete, does not have it.',
  ],
  amount_differs: ['Amount differs', 'Both sides know it, with different amounts.'],
  currency_differs: ['Currency differs', 'Both sides know it, in different currencies.'],
  status_differs: [
    'Done there, not here',
    'The provider reports it as done; in our records it is not captured, or not refunded.',
  ],
  duplicate: ['Reported twice', 'The same payment or refund is reported twice, or in two payouts.'],
  total_differs: [
    'Payout does not add up',
    'A payout is not its payments less its refunds, or not the sum of its own lines. Ours is what ' +
      'its lines come to.',
  ],
  payout_failed: [
    'Payout failed',
    'The provider could not transfer the money to the bank account.',
  ],
  paid_out_late: [
    'Paid out late',
    'Captured, and in no payout five working days after its business day.',
  ],
} as const satisfies Record<BreakKind, readonly [title: string, meaning: string]>;

export const STATUS_WORDS = {
  open: 'open',
  explained: 'explained',
  closed: 'closed',
} as const satisfies Record<BreakStatus, string>;

export const EXPLANATION_WORDS = {
  our_record: 'our record says the same by now',
  report: 'the report says the same by now',
  payout: 'it has been paid out',
} as const satisfies Record<ExplanationKind, string>;
