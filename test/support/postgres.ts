import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chown, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { startChild, type ServerChild } from '../../src/temporal/child.js';
import { findOnPath, isExecutable } from '../../src/temporal/files.js';
import { freePort } from '../../src/temporal/ports.js';
import { service } from './services.js';

const run = promisify(execFile);

/** A PostgreSQL server for tests, with an empty database behind `url`. */
export interface TestPostgres {
  readonly url: string;
  /** As a machine that loses power: no shutdown, nothing written any more. Returns when it is gone. */
  kill9(): Promise<void>;
  /** Starts it again, after `kill9`, on the same port with the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A database of the caller's own. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const SUPERUSER = 'holdfast';
// What is lost with the machine does not matter here; what is lost with the process does.
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=200'];

/**
 * The server that all test files of this run share, or undefined where there is none: then
 * `HOLDFAST_TEST_POSTGRES` is unset and the machine has no PostgreSQL installed.
 */
export async function sharedPostgres(): Promise<{ url: string } | undefined> {
  return (await service('postgres')) ?? undefined;
}

/** Makes an empty database with a name of its own on the server behind `url`. */
export async function createDatabase(url: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await execute(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => execute(url, `drop database ${name} with (force)`) };
}

/**
 * Starts a throw-away server of the caller's own on 127.0.0.1, or answers with the one that
 * `HOLDFAST_TEST_POSTGRES` names (which can be neither killed nor stopped from here).
 * Undefined, with a notice, where this machine has neither.
 *
 * @throws Error where a server is installed but does not start.
 */
export async function startPostgres(): Promise<TestPostgres | undefined> {
  const url = process.env['HOLDFAST_TEST_POSTGRES'];
  return url === undefined || url === '' ? startPrivatePostgres() : foreignServer(url);
}

/** As `startPostgres`, but never the server that `HOLDFAST_TEST_POSTGRES` names: it can be killed. */
export async function startPrivatePostgres(): Promise<TestPostgres | undefined> {
  const programs = await findPrograms();
  if (programs !== undefined) return startCluster(programs);
  console.warn(
    'No PostgreSQL found (HOLDFAST_TEST_POSTGRES, PATH, /usr/lib/postgresql): its tests are left out.',
  );
  return undefined;
}

function foreignServer(url: string): TestPostgres {
  const refuse = (): Promise<never> =>
    Promise.reject(new Error('the server of HOLDFAST_TEST_POSTGRES is not ours to kill or start'));
  return { url, kill9: refuse, start: refuse, stop: () => Promise.resolve() };
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

async function findPrograms(): Promise<Programs | undefined> {
  for (const folder of await candidateFolders()) {
    const programs = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
    if ((await isExecutable(programs.initdb)) && (await isExecutable(programs.postgres))) {
      return programs;
    }
  }
  const searchPath = process.env['PATH'] ?? '';
  const initdb = await findOnPath('initdb', searchPath);
  const postgres = await findOnPath('postgres', searchPath);
  return initdb === undefined || postgres === undefined ? undefined : { initdb, postgres };
}

/** Where Debian keeps its versions, the newest first. */
async function candidateFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  return newestFirst.map((version) => join(root, version, 'bin'));
}

interface Cluster {
  readonly programs: Programs;
  readonly folder: string;
  readonly port: number;
  readonly owner: Owner;
  readonly url: string;
}

async function startCluster(programs: Programs): Promise<TestPostgres> {
  const cluster = await initCluster(programs);
  let server = await startServer(cluster);
  return {
    url: cluster.url,
    kill9: async () => {
      server.signal('SIGKILL');
      await server.exited;
    },
    start: async () => {
      server = await startServer(cluster);
    },
    stop: async () => {
      if (!server.hasExited()) await server.stop({ signal: 'SIGINT' });
      await rm(cluster.folder, { recursive: true, force: true });
    },
  };
}

async function initCluster(programs: Programs): Promise<Cluster> {
  const owner = await clusterOwner();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid);
  const access = ['--username', SUPERUSER, '--auth', 'trust'];
  const nature = ['--no-sync', '--encoding', 'UTF8', '--locale', 'C'];
  await run(programs.initdb, ['--pgdata', join(folder, 'data'), ...access, ...nature], {
    ...owner,
    cwd: folder,
  });
  const port = await freePort();
  const url = `postgresql://${SUPERUSER}@127.0.0.1:${String(port)}/postgres`;
  return { programs, folder, port, owner, url };
}

/** What the server runs as: PostgreSQL refuses root, so root gives it to a user without rights. */
type Owner =
  | { readonly uid?: undefined; readonly gid?: undefined }
  | { readonly uid: number; readonly gid: number };

async function clusterOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {};
  const accounts = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find(([user]) => user === name);
    if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error('no user "postgres" or "nobody" to run PostgreSQL as');
}

/** A killed server leaves its memory for a moment to children that have not noticed: so it is retried. */
async function startServer(cluster: Cluster): Promise<ServerChild> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const server = await launch(cluster);
    const failure = await untilReady(server, { url: cluster.url, deadline });
    if (failure === undefined) return server;
    if (Date.now() > deadline) throw new Error(`PostgreSQL did not start: ${failure}`);
    await delay(POLL_MS);
  }
}

async function launch({ programs, folder, port, owner }: Cluster): Promise<ServerChild> {
  const log = await open(join(folder, 'server.log'), 'a');
  const settings = [...SETTINGS, 'unix_socket_directories=', 'listen_addresses=127.0.0.1'];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  try {
    return await startChild(
      [programs.postgres, '-D', join(folder, 'data'), '-p', String(port), ...flags],
      { ...owner, cwd: folder, stdio: ['ignore', log.fd, log.fd] },
    );
  } finally {
    await log.close();
  }
}

/** Undefined when it answers, else why it does not. */
async function untilReady(
  server: ServerChild,
  { url, deadline }: { url: string; deadline: number },
): Promise<string | undefined> {
  for (;;) {
    const failure = await execute(url, 'select 1').catch(String);
    if (server.hasExited()) return server.exited;
    if (failure === undefined) return undefined;
    if (Date.now() > deadline) {
      await server.stop({ signal: 'SIGQUIT' });
      return failure;
    }
    await delay(POLL_MS);
  }
}

async function execute(url: string, statement: string): Promise<undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that dies under an idle connection is told by this event, which nobody else would hear.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
  return undefined;
}
