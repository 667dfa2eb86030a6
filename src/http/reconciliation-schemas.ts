/** Shapes of reconciliation runs, payouts, breaks and the ledger. */
import { z } from 'zod';
import { ACCOUNTS } from '../domain/ledger.js';
import {
  BREAK_KINDS,
  BREAK_STATUSES,
  LINE_VERDICTS,
  RUN_STATUSES,
} from '../domain/reconciliation.js';
import type { Format } from './formats.js';
import { cursor, limit } from './parameters.js';
import { components, money, paymentProblem, text } from './schemas.js';

const day = z.iso.date('must be a day, YYYY-MM-DD');
const days = z.strictObject({ from: day, to: day });
const scope = z.union([z.strictObject({ days }), z.strictObject({ payoutReference: z.string() })]);

export const askReconciliation = z
  .strictObject({
    connectionId: text(64),
    day: day.optional().register(components, { description: 'One business day.' }),
    from: day.optional().register(components, {
      description: 'The first of several business days, with `to`.',
    }),
    to: day.optional().register(components, { description: 'The last of them.' }),
    payoutReference: text(128)
      .optional()
      .register(components, { description: "Instead of days: the provider's id of a payout." }),
  })
  .register(components, {
    id: 'AskReconciliation',
    description: 'A day, or from and to, or a payout. Days must be over where the provider is.',
    examples: [{ connectionId: 'shop', day: '2026-03-04' }],
  });

export const runParams = z.object({ runId: text(64) });
export const breakParams = z.object({ breakId: text(64) });
export const payoutParams = z.object({ connectionId: text(64), payoutReference: text(128) });

export const runsQuery = z.strictObject({ connectionId: z.string().optional(), limit, cursor });

const format = <const Formats extends readonly [Format, ...Format[]]>(formats: Formats) =>
  z.enum(formats).optional().register(components, {
    description: 'Goes before the Accept header; `json` where neither says anything.',
  });

export const reportQuery = z.strictObject({ format: format(['json', 'csv', 'html']) });

export const payoutsQuery = z.strictObject({
  connectionId: z.string().optional(),
  status: z.enum(['succeeded', 'failed']).optional(),
  limit,
  cursor,
});

export const linesQuery = z.strictObject({ format: format(['json', 'csv']), limit, cursor });

export const breaksQuery = z.strictObject({
  connectionId: z.string().optional(),
  kind: z.enum(BREAK_KINDS).optional(),
  status: z.enum(BREAK_STATUSES).optional(),
  businessDay: day.optional(),
  runId: z
    .string()
    .optional()
    .register(components, { description: 'Those that the run found, or found again.' }),
  limit,
  cursor,
});

export const resolveBreak = z
  .strictObject({ actor: text(200), reason: text(200) })
  .register(components, {
    id: 'ResolveBreak',
    examples: [{ actor: 'ann', reason: 'refunded in cash on the same day' }],
  });

export const ledgerQuery = z.strictObject({ connectionId: z.string().optional() });

const amounts = z.array(money).register(components, { description: 'One for each currency.' });
const tally = z
  .strictObject({ count: z.number().int(), amounts })
  .register(components, { id: 'Tally' });
const seenAndMatched = z.strictObject({ seen: tally, matched: tally });

const runTotals = z
  .strictObject({
    payments: seenAndMatched,
    refunds: seenAndMatched,
    payouts: z.strictObject({ seen: tally, succeeded: tally }),
    breaks: z.array(
      z.strictObject({
        kind: z.enum(BREAK_KINDS),
        open: tally,
        explained: tally,
        closed: tally,
      }),
    ),
    unexplained: amounts.clone().register(components, {
      description: 'The differences of open breaks, added up without their sign.',
    }),
  })
  .register(components, { id: 'RunTotals', description: 'As they stood when the run ended.' });

export const reconciliationRun = z
  .strictObject({
    runId: z.string(),
    connectionId: z.string(),
    scope: scope.clone().register(components, { description: 'Business days, or a payout.' }),
    timeZone: z.string().register(components, { description: 'Whose days they are.' }),
    hasPayouts: z.boolean(),
    requestedAt: z.string(),
    status: z.enum(RUN_STATUSES).register(components, {
      description: 'failed: given up before all was compared; `problem` says why.',
    }),
    listings: z.array(
      z.strictObject({
        listing: z.strictObject({
          kind: z.enum(['payouts', 'payments', 'refunds']),
          by: scope,
          round: z.number().int().optional(),
        }),
        cursor: z.string().optional(),
        pages: z.number().int(),
        rows: z.number().int(),
        isComplete: z.boolean(),
      }),
    ),
    totals: runTotals.optional(),
    problem: paymentProblem.optional(),
    finishedAt: z.string().optional(),
  })
  .register(components, { id: 'ReconciliationRun' });

export const acceptedRun = z
  .strictObject({ runId: z.string() })
  .register(components, { id: 'AcceptedRun' });

export const runPage = z
  .strictObject({ runs: z.array(reconciliationRun), nextCursor: z.string().optional() })
  .register(components, { id: 'ReconciliationRuns' });

const total = z.strictObject({ count: z.number().int(), amount: money });

export const payout = z
  .strictObject({
    connectionId: z.string(),
    payoutReference: z.string(),
    status: z.enum(['succeeded', 'failed']),
    paidAt: z.string().optional(),
    group: z
      .string()
      .optional()
      .register(components, { description: 'What its payments were gathered by.' }),
    account: z.string().optional().register(components, { description: "The merchant's." }),
    payments: total,
    refunds: total,
    amount: money.clone().register(components, { description: "What the merchant's bank gets." }),
    firstSeenRunId: z.string(),
    lastSeenRunId: z.string(),
    lines: z
      .strictObject({ payments: tally, refunds: tally })
      .register(components, { description: 'Of its lines that we have.' }),
  })
  .register(components, { id: 'Payout' });

export const payoutPage = z
  .strictObject({ payouts: z.array(payout), nextCursor: z.string().optional() })
  .register(components, { id: 'Payouts' });

const line = z
  .strictObject({
    lineId: z.string(),
    connectionId: z.string(),
    kind: z.enum(['payment', 'refund']),
    providerReference: z.string(),
    refundReference: z.string().optional(),
    payoutReference: z.string().optional(),
    amount: money,
    occurredAt: z.string(),
    merchantReference: z.string().optional(),
    description: z.string().optional(),
    businessDay: z.string(),
    verdict: z.enum(LINE_VERDICTS),
    paymentId: z.string().optional(),
    ours: money.optional(),
    repeats: z.number().int(),
    payouts: z.array(z.string()),
    earlier: z.array(
      z.strictObject({ amount: money, payoutReference: z.string().optional(), runId: z.string() }),
    ),
    firstSeenRunId: z.string(),
    lastSeenRunId: z.string(),
  })
  .register(components, { id: 'PayoutLine' });

export const linePage = z
  .strictObject({ lines: z.array(line), nextCursor: z.string().optional() })
  .register(components, { id: 'PayoutLines' });

const breakEvent = z.strictObject({
  status: z.enum(BREAK_STATUSES),
  at: z.string(),
  runId: z.string().optional(),
  explanation: z.enum(['our_record', 'report', 'payout']).optional(),
  actor: z.string().optional(),
  reason: z.string().optional(),
  ours: money.optional(),
  theirs: money.optional(),
});

const foundBreak = z
  .strictObject({
    breakId: z.string(),
    connectionId: z.string(),
    kind: z.enum(BREAK_KINDS),
    status: z.enum(BREAK_STATUSES),
    subject: z.enum(['payment', 'refund', 'payout']),
    paymentId: z.string().optional(),
    refundId: z.string().optional(),
    providerReference: z.string().optional(),
    refundReference: z.string().optional(),
    payoutReference: z.string().optional(),
    ours: money.optional(),
    theirs: money.optional(),
    difference: money.optional().register(components, { description: 'Theirs less ours.' }),
    businessDay: z.string(),
    explanation: z
      .strictObject({
        by: z.enum(['our_record', 'report', 'payout']),
        runId: z.string(),
        at: z.string(),
      })
      .optional(),
    resolution: z
      .strictObject({ actor: z.string(), reason: z.string(), at: z.string() })
      .optional(),
  })
  .register(components, { id: 'FoundBreak', description: 'As the run left it.' });

export const breakShape = foundBreak
  .extend({
    status: z.enum(BREAK_STATUSES).register(components, {
      description:
        'explained: later data made it vanish. closed: a person looked at it. Either may reopen.',
    }),
    history: z.array(breakEvent),
  })
  .register(components, { id: 'Break' });

export const breakPage = z
  .strictObject({ breaks: z.array(breakShape), nextCursor: z.string().optional() })
  .register(components, { id: 'Breaks' });

export const report = z
  .strictObject({
    run: reconciliationRun,
    payouts: z.array(payout).register(components, {
      description: 'Those that do not tie first; at most a thousand.',
    }),
    breaks: z.array(foundBreak),
    furtherBreaks: z
      .number()
      .int()
      .register(components, { description: 'How many are not told here; the CSV has all.' }),
  })
  .register(components, { id: 'ReconciliationReport' });

export const balances = z
  .strictObject({
    accounts: z.array(
      z.strictObject({
        connectionId: z.string(),
        account: z.enum(ACCOUNTS),
        postedDebits: money,
        postedCredits: money,
        pendingDebits: money,
        pendingCredits: money,
      }),
    ),
    trial: z.array(money).register(components, {
      description: 'Debits less credits of each currency: always zero.',
    }),
  })
  .register(components, { id: 'Balances' });
