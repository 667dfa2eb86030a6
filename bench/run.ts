/** `npm run bench -- cost [--trails]` and `npm run bench -- throughput [--payments N] …` */
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { runCost } from './cost.js';
import { runThroughput } from './throughput.js';

const USAGE = `npm run bench -- cost [--trails]
npm run bench -- throughput [--payments 300] [--concurrency 40] [--rounds 5]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    trails: { type: 'boolean', default: false },
    payments: { type: 'string', default: '300' },
    concurrency: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '5' },
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
    default:
      console.error(USAGE);
      return false;
  }
}

process.exitCode = (await run()) ? 0 : 1;
