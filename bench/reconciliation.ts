import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import Table from 'cli-table3';
import { HoldfastClient } from '../src/client/client.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../src/sandbox/payconiq/sandbox.js';
import { openStore, type Store } from '../src/store/store.js';
import { merchantKeys, SIGNING_KID } from '../test/providers/payconiq/merchant.js';
import { createDatabase, startPostgres } from '../test/support/postgres.js';
import { buildWorkflowBundle, startTestDevServer } from '../test/support/temporal.js';
import { BUSINESS_DAY, publication } from './reconciling/rows.js';
import { seedPayments } from './reconciling/seed.js';
import type { WorkerOrder, WorkerReport } from './reconciling/worker-process.js';
import { CONNECTION_ID } from './support/stage.js';

interface Lap {
  readonly rows: number;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
}

const MEBIBYTE = 1_048_576;
const MOST_MEMORY_BYTES = 512 * MEBIBYTE;
/** What its JavaScript may hold: Node by itself collects no garbage before there is much more. */
const HEAP_MEBIBYTES = 256;
/** A lap may be so much slower a row than the fastest, and still be called linear. */
const MOST_SPREAD = 3;
const RUN_TIMEOUT_MS = 60 * 60_000;

/**
 * Reconciles a business day of so many payments, each size with a database and a worker process of
 * its own. Says whether the time grew with the rows and the worker's memory stayed small. Needs a
 * PostgreSQL: an embedded store would live in the worker's own memory.
 */
export async function runReconciliation(sizes: readonly number[]): Promise<boolean> {
  const postgres = await startPostgres();
  if (!postgres) {
    console.error('this bench needs PostgreSQL: HOLDFAST_TEST_POSTGRES, or an installed server');
    return false;
  }
  const server = await startTestDevServer();
  const bundle = await buildWorkflowBundle();
  try {
    const laps: Lap[] = [];
    for (const rows of sizes) {
      const temporal = { address: server.address, namespace: server.namespace };
      laps.push(await lapOf(rows, { temporal, bundlePath: bundle.codePath, url: postgres.url }));
    }
    return report(laps);
  } finally {
    await bundle.remove();
    await server.stop();
    await postgres.stop();
  }
}

interface Ground {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly bundlePath: string;
  /** Of the PostgreSQL server. */
  readonly url: string;
}

async function lapOf(rows: number, ground: Ground): Promise<Lap> {
  const database = await createDatabase(ground.url);
  const store = await openStore({ kind: 'postgres', url: database.url });
  await store.migrate();
  await seedPayments(database.url, { connectionId: CONNECTION_ID, count: rows });
  const keys = merchantKeys();
  const sandbox = await startPayconiqSandbox({ merchantKeys: keys.keySet });
  sandbox.payouts.publish(publication(rows));
  const taskQueue = `bench-${randomUUID()}`;
  const worker = await startWorkerProcess({
    ...{ ...ground.temporal, taskQueue, storeUrl: database.url },
    workflowBundlePath: ground.bundlePath,
    connections: [connectionOf(sandbox, keys.privateKeyPem)],
  });
  try {
    const seconds = await reconcile({ ground, taskQueue, store, rows });
    return { rows, seconds, peakMemoryBytes: (await worker.stop()).peakMemoryBytes };
  } finally {
    await sandbox.close();
    await store.close();
    await database.drop();
  }
}

/** From asking for the run to its end, which has to have matched every row. */
async function reconcile(lap: {
  readonly ground: Ground;
  readonly taskQueue: string;
  readonly store: Store;
  readonly rows: number;
}): Promise<number> {
  const { ground, taskQueue, store, rows } = lap;
  const { address, namespace } = ground.temporal;
  const connection = await Connection.connect({ address });
  try {
    const client = new HoldfastClient({ connection, namespace, taskQueue });
    const startMs = performance.now();
    const days = { from: BUSINESS_DAY, to: BUSINESS_DAY };
    const answer = await client.reconciliations.run({ connectionId: CONNECTION_ID, days });
    const { runId } = answer.kind === 'answered' ? answer.result : answer;
    const run = await finished(store, runId);
    const seconds = (performance.now() - startMs) / 1_000;
    const matched = run.totals?.payments.matched.count;
    const breaks = run.totals?.breaks.length;
    if (run.status !== 'finished' || matched !== rows || breaks !== 0) {
      throw new Error(`the run is not as it should be: ${JSON.stringify(run)}`);
    }
    return seconds;
  } finally {
    await connection.close();
  }
}

async function finished(store: Store, runId: string) {
  for (const deadlineMs = Date.now() + RUN_TIMEOUT_MS; ;) {
    const run = await store.reconciliations.get(runId);
    if (run && run.status !== 'running') return run;
    if (Date.now() > deadlineMs)
      throw new Error(`run ${runId} did not end: ${JSON.stringify(run)}`);
    await new Promise((resume) => setTimeout(resume, 250));
  }
}

async function startWorkerProcess(order: WorkerOrder): Promise<{ stop(): Promise<WorkerReport> }> {
  const child = fork(fileURLToPath(new URL('./reconciling/worker-process.ts', import.meta.url)), {
    execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MEBIBYTES}`],
  });
  child.send(order);
  await once(child, 'message');
  return {
    async stop() {
      const reported = once(child, 'message') as Promise<[WorkerReport]>;
      child.send('stop');
      const [report] = await reported;
      return report;
    },
  };
}

function connectionOf({ url, jwksUrl, profileId, merchantId }: PayconiqSandbox, pem: string) {
  return {
    id: CONNECTION_ID,
    provider: 'payconiq',
    settings: {
      ...{ apiBaseUrl: url, jwksUrl, profileId, merchantId },
      signing: { kid: SIGNING_KID, privateKeyPem: pem },
    },
  };
}

function report(laps: readonly Lap[]): boolean {
  const table = new Table({
    head: ['rows', 'seconds', 'rows/s', 'peak memory of the worker'],
    style: { head: [], border: [] },
  });
  for (const { rows, seconds, peakMemoryBytes } of laps) {
    const mebibytes = `${Math.round(peakMemoryBytes / MEBIBYTE)} MiB`;
    table.push([rows, seconds.toFixed(1), Math.round(rows / seconds), mebibytes]);
  }
  console.log(table.toString());
  const peak = Math.max(...laps.map(({ peakMemoryBytes }) => peakMemoryBytes));
  const isSmall = peak < MOST_MEMORY_BYTES;
  const isLinear = spreadOf(laps) <= MOST_SPREAD;
  console.log(`memory under 512 MiB: ${isSmall ? 'kept' : 'MISSED'}`);
  console.log(`time grows with the rows: ${isLinear ? 'kept' : 'MISSED'}`);
  return isSmall && isLinear;
}

/** How much slower a row of the largest lap is than one of the fastest: start-up costs excluded. */
function spreadOf(laps: readonly Lap[]): number {
  const perRow = laps.map(({ rows, seconds }) => seconds / rows);
  return (perRow.at(-1) ?? 0) / Math.min(...perRow);
}
