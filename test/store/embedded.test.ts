import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../src/store/dialects/directory-lock.js';
import { StoreLocked, StoreUnavailable } from '../../src/store/errors.js';
import { openStore } from '../../src/store/store.js';
import { aRecord } from './examples.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('an embedded store', () => {
  it('keeps its rows from one opening to the next, and its directory to itself', async () => {
    const settings = { kind: 'embedded', directory } as const;
    const store = await openStore(settings);
    await store.migrate();
    const record = aRecord();
    await store.recordPayment(record);
    await expect(openStore(settings)).rejects.toBeInstanceOf(StoreLocked);
    await store.close();

    const reopened = await openStore(settings);
    expect((await reopened.getPayment(record.request.paymentId))?.paymentId).toBe(
      record.request.paymentId,
    );
    await reopened.close();
  });

  it('finishes what is running when it is closed, and is unavailable then', async () => {
    const store = await openStore({ kind: 'embedded', directory: 'memory' });
    await store.migrate();
    const running = store.recordPayment(aRecord());
    await setImmediate();
    await Promise.all([store.close(), store.close(), running]);
    await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('frees the directory when it cannot be opened', async () => {
    await writeFile(join(directory, 'pgdata'), 'no database');
    await expect(openStore({ kind: 'embedded', directory })).rejects.toThrow();
    expect(await readdir(directory)).toEqual(['pgdata']);
  });
});

describe('the lock of a directory', () => {
  const lockFile = () => join(directory, 'holdfast.lock');
  const aHolder = (overrides: object) =>
    JSON.stringify({
      pid: process.pid,
      host: hostname(),
      startedAtMs: 0,
      startTicks: null,
      ...overrides,
    });

  it('excludes, naming the directory and what to do', async () => {
    const lock = await lockDirectory(directory);
    const second = lockDirectory(directory);
    await expect(second).rejects.toMatchObject({ code: 'store_locked', directory });
    await expect(second).rejects.toThrow(`${directory} is in use by process ${process.pid}. Stop`);
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
    await (await lockDirectory(directory)).release();
  });

  it('goes to one of many that want it at once', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => lockDirectory(directory)),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['holdfast.lock']);
  });

  it('is taken over from a dead process', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'process.pid']);
    await writeFile(lockFile(), aHolder({ pid: Number(stdout) }));
    await (await lockDirectory(directory)).release();
  });

  it('is taken over from an earlier process with our own pid, as in a restarted container', async () => {
    await writeFile(lockFile(), aHolder({ startedAtMs: 1 }));
    await (await lockDirectory(directory)).release();
  });

  it.runIf(process.platform === 'linux')(
    'is taken over where the pid belongs to a later process now',
    async () => {
      await writeFile(lockFile(), aHolder({ pid: process.ppid, startTicks: '1' }));
      await (await lockDirectory(directory)).release();
    },
  );

  it('is left to a living process', async () => {
    await writeFile(lockFile(), aHolder({ pid: process.ppid }));
    await expect(lockDirectory(directory)).rejects.toThrow(`process ${process.ppid}`);
  });

  it('is left to a process on another host, saying which file to delete', async () => {
    await writeFile(lockFile(), aHolder({ host: 'elsewhere' }));
    await expect(lockDirectory(directory)).rejects.toThrow(`delete ${lockFile()}`);
  });

  it('is taken over where the file names nobody', async () => {
    await writeFile(lockFile(), 'garbage');
    const lock = await lockDirectory(directory);
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it('is not released by one who lost it', async () => {
    const lock = await lockDirectory(directory);
    await writeFile(lockFile(), aHolder({ pid: process.ppid }));
    await lock.release();
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toMatchObject({ pid: process.ppid });
  });
});
