import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { PaymentCost } from '../support/stage.js';

const limit = z.strictObject({ events: z.int().positive(), actions: z.int().positive() });

const budgetFile = z.strictObject({
  /** What a life may cost. */
  atMost: z.record(z.string(), limit),
  /**
   * A longer wait and the shorter one of the same kind: their histories are of equal length. What
   * is left to differ is the number of repeated attempts, which leave no event.
   */
  noMoreThan: z.record(z.string(), z.string()),
});

export type Budget = z.infer<typeof budgetFile>;
export type Costs = Readonly<Record<string, PaymentCost>>;

/** One line of the budget, and whether it is kept. */
export interface Verdict {
  readonly name: string;
  readonly limit: Pick<PaymentCost, 'events' | 'actions'>;
  readonly isKept: boolean;
}

export function readBudget(): Budget {
  const path = new URL('../cost-budget.json', import.meta.url);
  return budgetFile.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** @throws Error for a line about something that was not measured */
export function judge(costs: Costs, budget: Budget): readonly Verdict[] {
  const held = Object.entries(budget.atMost).map(([name, limit]) => {
    const { events, actions } = costIn(costs, name);
    return { name, limit, isKept: events <= limit.events && actions <= limit.actions };
  });
  const compared = Object.entries(budget.noMoreThan).map(([name, shorter]) => {
    const { events, actions } = costIn(costs, shorter);
    const long = costIn(costs, name);
    const isKept = long.events === events && long.actions === actions;
    return { name, limit: { events, actions }, isKept };
  });
  return [...held, ...compared];
}

function costIn(costs: Costs, name: string): PaymentCost {
  const cost = costs[name];
  if (cost === undefined) throw new Error(`the budget names "${name}", which is not measured`);
  return cost;
}
