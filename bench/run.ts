/** `npm run bench -- cost`, `throughput` or `reconciliation`, each with its options. */
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { runCost } from './cost.js';
import { runReconciliation } from './reconciliation.js';
import { runThroughput } from './throughput.js';

const USAGE = `npm run bench -- cost [--trails]
npm run bench -- throughput [--payments 300] [--concurrency 40] [--rounds 5]
npm run bench -- reconciliation [--rows 10000,100000,1000000]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    trails: { type: 'boolean', default: false },
    payments: { type: 'string', default: '300' },
    concurrency: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '10000,100000,1000000' },
  },
});

async function run(): Promise<boolean> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  switch (positionals[0]) {
    case 'cost':
      return runCost({ trails: values.trails });
    case 'throughput':
      return runThroughput({
        payments: Number(values.payments),
        concurrency: Number(values.concurrency),
        rounds: Number(values.rounds),
      });
    case 'reconciliation':
      return runReconciliation(values.rows.split(',').map(Number));
    default:
      console.error(USAGE);
      return false;
  }
}

process.exitCode = (await run()) ? 0 : 1;
