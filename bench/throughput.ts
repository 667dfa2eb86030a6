import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import Table from 'cli-table3';
import { HoldfastClient } from '../src/client/client.js';
import { fact } from '../src/domain/facts.js';
import { paymentWorkflowId } from '../src/domain/ids.js';
import type { Payment } from '../src/domain/payment.js';
import { TIMING } from '../src/domain/timing.js';
import { openConnections } from '../src/providers/connections.js';
import { openStore, type Store } from '../src/store/store.js';
import { startWorker } from '../src/workers/worker.js';
import { startPostgres } from '../test/support/postgres.js';
import { buildWorkflowBundle, startTestDevServer } from '../test/support/temporal.js';
import { startFloor } from './floor/floor.js';
import { cpuSince, cpuTime, type CpuTime } from './support/cpu.js';
import { CONNECTION_ID, type BenchServer } from './support/stage.js';

export interface ThroughputOptions {
  /** Of each kind in each round. */
  readonly payments: number;
  readonly concurrency: number;
  readonly rounds: number;
}

/** Whole lives, one after the other in as many lanes as are wanted. */
interface Contestant {
  run(): Promise<unknown>;
  close(): Promise<void>;
}

interface Lap {
  readonly lives: number;
  readonly seconds: number;
  readonly cpu: CpuTime;
}

const LEAST_RATIO = 0.75;
const AMOUNT = { minor: '1250', currency: 'EUR' };

/**
 * Whole payments against the bare floor, in turns on the same server. Both kinds have a worker in
 * this process and are driven from it in the same way; the provider and the databases are processes
 * of their own. Says whether the median ratio is high enough.
 */
export async function runThroughput(options: ThroughputOptions): Promise<boolean> {
  const server = await startTestDevServer();
  const connection = await Connection.connect({ address: server.address });
  const bench: BenchServer = { address: server.address, namespace: server.namespace, connection };
  const { payments, storeKind } = await startPayments(bench);
  const floor = await startFloor(bench);
  try {
    console.log(
      `${options.payments} lives a round, ${options.concurrency} at once; store: ${storeKind}`,
    );
    return report(await race({ payments, floor }, options));
  } finally {
    await floor.close();
    await payments.close();
    await connection.close();
    await server.stop();
  }
}

interface Round {
  readonly payments: Lap;
  readonly floor: Lap;
}

/** Each round goes floor, payments, payments, floor: a machine that slows down hits both alike. */
async function race(
  { payments, floor }: { readonly payments: Contestant; readonly floor: Contestant },
  { payments: lives, concurrency, rounds }: ThroughputOptions,
): Promise<readonly Round[]> {
  const lap = (contestant: Contestant, count: number) => runLap(contestant, count, concurrency);
  const half = Math.ceil(lives / 2);
  await lap(floor, concurrency);
  await lap(payments, concurrency);
  const done: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = await lap(floor, half);
    const whole = [await lap(payments, half), await lap(payments, half)];
    done.push({ floor: together([before, await lap(floor, half)]), payments: together(whole) });
  }
  return done;
}

async function runLap({ run }: Contestant, lives: number, concurrency: number): Promise<Lap> {
  let left = lives;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  const cpuBefore = await cpuTime();
  const startMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - startMs) / 1_000;
  return { lives, seconds, cpu: cpuSince(cpuBefore, await cpuTime()) };
}

function together(laps: readonly Lap[]): Lap {
  const sum = (numbers: readonly number[]): number =>
    numbers.reduce((one, other) => one + other, 0);
  const programs = new Set(laps.flatMap(({ cpu }) => Object.keys(cpu)));
  return {
    lives: sum(laps.map(({ lives }) => lives)),
    seconds: sum(laps.map(({ seconds }) => seconds)),
    cpu: Object.fromEntries(
      [...programs].map((program) => [program, sum(laps.map(({ cpu }) => cpu[program] ?? 0))]),
    ),
  };
}

const perSecond = ({ lives, seconds }: Lap): number => lives / seconds;

function report(rounds: readonly Round[]): boolean {
  const table = new Table({
    head: ['round', 'payments/s', 'floor/s', 'ratio'],
    style: { head: [], border: [] },
  });
  const ratios = rounds.map(({ payments, floor }) => perSecond(payments) / perSecond(floor));
  rounds.forEach(({ payments, floor }, index) => {
    const rates = [perSecond(payments).toFixed(1), perSecond(floor).toFixed(1)];
    table.push([index + 1, ...rates, ratios[index]?.toFixed(2)]);
  });
  console.log(table.toString());
  const cpuOf = (kind: keyof Round) => inWords(together(rounds.map((round) => round[kind])));
  console.log(`CPU for one payment: ${cpuOf('payments')}`);
  console.log(`CPU for one floor:   ${cpuOf('floor')}`);
  const ratio = median(ratios);
  const isKept = ratio >= LEAST_RATIO;
  console.log(
    `median ratio ${ratio.toFixed(2)}, wanted ${LEAST_RATIO}: ${isKept ? 'kept' : 'MISSED'}`,
  );
  return isKept;
}

function inWords({ cpu, lives }: Lap): string {
  const parts = Object.entries(cpu).map(
    ([program, ms]) => `${program} ${(ms / lives).toFixed(1)} ms`,
  );
  const total = Object.values(cpu).reduce((one, other) => one + other, 0) / lives;
  return parts.length === 0 ? 'not known here' : `${total.toFixed(1)} ms: ${parts.join(', ')}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

// --- whole payments -----------------------------------------------------------------------------

async function startPayments(
  server: BenchServer,
): Promise<{ payments: Contestant; storeKind: string }> {
  const { address, namespace, connection } = server;
  const provider = await startProvider();
  const database = await startDatabase();
  const { store } = database;
  const connections = openConnections({
    connections: [
      {
        id: CONNECTION_ID,
        provider: 'payconiq',
        settings: {
          ...{ apiBaseUrl: provider.url, jwksUrl: `${provider.url}/certificates` },
          ...{ profileId: 'profile', merchantId: 'merchant', apiKey: 'key', voidSupport: true },
        },
      },
    ],
    timing: TIMING.production,
    now: Date.now,
    publicUrl: 'http://127.0.0.1:9',
    notificationSecret: 'bench',
  });
  const taskQueue = `bench-${randomUUID()}`;
  const bundle = await buildWorkflowBundle();
  const worker = await startWorker({
    ...{ temporal: { address }, namespace, taskQueue, connections, store, timing: 'production' },
    workflowBundlePath: bundle.codePath,
  });
  const client = new HoldfastClient({ connection, namespace, taskQueue });
  const temporal = new Client({ connection, namespace });
  const close = async (): Promise<void> => {
    await worker.stop();
    await bundle.remove();
    await connections.close();
    await database.stop();
    provider.stop();
  };
  return { payments: { run: () => pay(client, temporal), close }, storeKind: database.kind };
}

/** Opened, authorized by a notification, acknowledged, recorded. */
async function pay(client: HoldfastClient, temporal: Client): Promise<void> {
  const paymentId = randomUUID();
  const answer = await client.open({
    ...{ paymentId, connectionId: CONNECTION_ID, amount: AMOUNT, merchantReference: 'bench' },
  });
  const object = answer.kind === 'answered' ? answer.payment.providerReference : undefined;
  if (object === undefined) throw new Error(`not opened: ${JSON.stringify(answer)}`);
  const occurredAt = new Date().toISOString();
  const authorized = fact({
    ...{ kind: 'authorized', object, amount: AMOUNT, occurredAt, source: 'notification' },
  });
  await client.notify(paymentId, { facts: [authorized] });
  const ended = (await temporal.workflow
    .getHandle(paymentWorkflowId(paymentId))
    .result()) as Payment;
  if (ended.status !== 'captured') throw new Error(`${paymentId} ended ${ended.status}`);
}

async function startProvider(): Promise<{ url: string; stop(): void }> {
  const child = fork(fileURLToPath(new URL('./support/provider-stub.ts', import.meta.url)));
  const [port] = (await once(child, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}`, stop: () => child.disconnect() };
}

/** PostgreSQL where this machine has it: only then the store does not work within the worker. */
async function startDatabase(): Promise<{ store: Store; kind: string; stop(): Promise<void> }> {
  const postgres = await startPostgres();
  const store = await openStore(
    postgres === undefined
      ? { kind: 'embedded', directory: 'memory' }
      : { kind: 'postgres', url: postgres.url },
  );
  await store.migrate();
  const stop = async (): Promise<void> => {
    await store.close();
    await postgres?.stop();
  };
  return { store, kind: postgres === undefined ? 'embedded' : 'PostgreSQL', stop };
}
