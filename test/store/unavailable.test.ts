import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/store/errors.js';
import { openStore, type Store } from '../../src/store/store.js';
import { startPrivatePostgres, type TestPostgres } from '../support/postgres.js';
import { POSTGRES, type OwnDatabase } from './backends.js';
import { aFact, aRecord } from './examples.js';

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function open(url: string, maxConnections = 3): Promise<Store> {
  const store = await openStore({ kind: 'postgres', url, maxConnections });
  opened.push(store);
  return store;
}

async function elapsedMs(action: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action;
  return performance.now() - start;
}

describe('a database that is not there', () => {
  it('is unavailable at once, and opening the store is no error', async () => {
    const store = await open('postgres://u:secret@127.0.0.1:1/d');
    const ping = store.ping();
    await expect(ping).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(ping).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(ping).rejects.not.toThrow('secret');
    await expect(store.migrate()).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.recordPayment(aRecord())).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('is unavailable within seconds where it accepts and never answers', async () => {
    const silent = await listen();
    const { port } = silent.address() as AddressInfo;
    const store = await open(`postgres://u@127.0.0.1:${port}/d`);
    const refused = expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await elapsedMs(refused)).toBeLessThan(4_000);
  });

  async function listen(): Promise<Server> {
    const sockets = new Set<{ destroy(): void }>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    opened.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        return new Promise((closed) => server.close(closed));
      },
    });
    return server;
  }
});

describe.runIf(POSTGRES)('a database whose connections are killed', () => {
  let database: OwnDatabase;
  let url: string;

  beforeAll(async () => {
    if (!POSTGRES) return;
    database = await POSTGRES.create();
    if (database.settings.kind === 'postgres') url = database.settings.url;
    await (await open(url)).migrate();
  });

  afterAll(() => database.drop());

  async function other(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    opened.push({ close: () => client.end() });
    return client;
  }

  const killOthers = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;

  it('is available again by itself after idle connections were lost', async () => {
    const store = await open(url);
    const record = aRecord({ facts: [aFact({ kind: 'created' })] });
    await store.recordPayment(record);
    await (await other()).query(killOthers);
    await expect.poll(() => store.ping().then(() => 'up', String)).toBe('up');
    expect((await store.recordPayment(record)).status).toBe('requires_action');
  });

  it('is unavailable to the statement that was cut off, leaving nothing half done', async () => {
    const store = await open(url, 1);
    const record = aRecord({ facts: [aFact({ kind: 'created' })] });
    const blocker = await other();
    await blocker.query('begin');
    await blocker.query('lock table facts in access exclusive mode');
    const cutOff = expect(store.recordPayment(record)).rejects.toBeInstanceOf(StoreUnavailable);
    const killer = await other();
    const waiting = `select count(*) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => countOf(await killer.query(waiting))).toBe(1);
    await killer.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`);
    await cutOff;
    await blocker.query('rollback');
    expect(await store.getPayment(record.request.paymentId)).toBeUndefined();
    expect((await store.recordPayment(record)).status).toBe('requires_action');
  });

  it('is unavailable when a statement takes too long, and the connection serves on', async () => {
    const store = await open(url, 1);
    const blocker = await other();
    await blocker.query('begin');
    await blocker.query('lock table facts in access exclusive mode');
    const record = aRecord({ facts: [aFact({ kind: 'created' })] });
    const slow = expect(store.recordPayment(record)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await elapsedMs(slow)).toBeLessThan(8_000);
    await store.ping();
    await blocker.query('rollback');
  });

  it('is unavailable when all connections are taken', async () => {
    const store = await open(url, 1);
    const blocker = await other();
    await blocker.query('begin');
    await blocker.query('lock table facts in access exclusive mode');
    const first = store.recordPayment(aRecord({ facts: [aFact({ kind: 'created' })] }));
    const second = expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await elapsedMs(second)).toBeLessThan(4_000);
    await blocker.query('rollback');
    await first;
  });

  function countOf({ rows }: { rows: readonly { count?: string }[] }): number {
    return Number(rows[0]?.count);
  }
});

describe.runIf(POSTGRES)('a server that loses power', () => {
  let server: TestPostgres | undefined;

  beforeAll(async () => {
    server = await startPrivatePostgres();
  });

  afterAll(() => server?.stop());

  it('is unavailable until it is back, with all that was recorded', async ({ skip }) => {
    if (!server) return skip('no PostgreSQL programs here');
    const store = await open(server.url);
    await store.migrate();
    const record = aRecord();
    await store.recordPayment(record);
    await server.kill9();
    await expect(store.recordPayment(aRecord())).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailable);
    await server.start();
    const found = await store.getPayment(record.request.paymentId);
    expect(found?.paymentId).toBe(record.request.paymentId);
  });
});
