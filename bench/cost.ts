import { Connection } from '@temporalio/client';
import Table from 'cli-table3';
import { buildWorkflowBundle, startTestDevServer } from '../test/support/temporal.js';
import { judge, readBudget, type Costs, type Verdict } from './cost/budget.js';
import { measureCosts } from './cost/measure.js';

/**
 * Prints what each life of a payment costs, with its budget beside, and says whether all of the
 * budget is kept. Counts are exact, so one run of each life is enough.
 */
export async function runCost({ trails }: { readonly trails: boolean }): Promise<boolean> {
  const bundle = await buildWorkflowBundle();
  const server = await startTestDevServer();
  const connection = await Connection.connect({ address: server.address });
  try {
    const costs = await measureCosts({
      server: { address: server.address, namespace: server.namespace, connection },
      workflowBundlePath: bundle.codePath,
    });
    const verdicts = judge(costs, readBudget());
    console.log(tableOf(costs, verdicts));
    if (trails) console.log(trailsOf(costs));
    const broken = verdicts.filter(({ isKept }) => !isKept);
    broken.forEach(({ name }) => console.log(`over budget: ${name}`));
    return broken.length === 0;
  } finally {
    await connection.close();
    await server.stop();
    await bundle.remove();
  }
}

function tableOf(costs: Costs, verdicts: readonly Verdict[]): string {
  const table = new Table({
    head: ['', 'events', 'bytes', 'actions', 'retried attempts', 'budget', ''],
    style: { head: [], border: [] },
  });
  for (const [name, { events, bytes, actions, retriedAttempts }] of Object.entries(costs)) {
    const verdict = verdicts.find((each) => each.name === name);
    const limit = verdict ? `${verdict.limit.events} / ${verdict.limit.actions}` : '';
    const word = verdict === undefined ? '' : verdict.isKept ? 'kept' : 'OVER';
    table.push([name, events, bytes, actions, retriedAttempts, limit, word]);
  }
  return [
    table.toString(),
    'The bill is actions + retried attempts; queries are billed as well, and leave no event.',
  ].join('\n');
}

function trailsOf(costs: Costs): string {
  return Object.entries(costs)
    .map(([name, { trail }]) => `\n${name}\n${trail.map((event) => `  ${event}`).join('\n')}`)
    .join('\n');
}
