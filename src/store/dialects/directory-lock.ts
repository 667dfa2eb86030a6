import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StoreLocked } from '../errors.js';

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Who holds a directory. Start times tell a process from a later one with the same pid. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startedAtMs: number;
  /** Linux: start of the process in clock ticks since boot. */
  readonly startTicks: string | null;
}

const ATTEMPTS = 5;

/**
 * Takes the directory for this process alone, by the file `holdfast.lock` in it. The lock of a dead
 * process is taken over. Throws StoreLocked while its holder lives, or is on another host, where
 * nobody can tell from here.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, 'holdfast.lock');
  const own = JSON.stringify(thisProcess());
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await writeExclusively(path, own)) return { release: () => removeIf(path, own) };
    const found = await readIfPresent(path);
    if (found === undefined) continue;
    refuseIfHeld(directory, path, parseHolder(found));
    await removeIf(path, found);
  }
  throw new StoreLocked(directory, `${directory} is being opened by several processes at once`);
}

let besidesCount = 0;

/** A name next to the lock that nobody else uses. */
function besides(path: string): string {
  besidesCount += 1;
  return `${path}.${process.pid}.${besidesCount}`;
}

/** Whole or not at all: the content is there before the name is. */
async function writeExclusively(path: string, content: string): Promise<boolean> {
  const draft = besides(path);
  await writeFile(draft, content);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Moves the file aside before looking, so that a lock taken meanwhile is not removed unseen. */
async function removeIf(path: string, expected: string): Promise<void> {
  const aside = besides(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) === expected) await rm(aside, { force: true });
  else await rename(aside, path);
}

function refuseIfHeld(directory: string, path: string, holder: Holder | undefined): void {
  if (!holder) return;
  if (holder.host !== hostname()) {
    const message =
      `${directory} was opened by process ${holder.pid} on host ${holder.host}, which cannot be ` +
      `checked from here. If it no longer runs, delete ${path}; else choose another directory.`;
    throw new StoreLocked(directory, message);
  }
  if (!isAlive(holder)) return;
  const message =
    `${directory} is in use by process ${holder.pid}. Stop that process, or choose another ` +
    'directory: an embedded store belongs to one process at a time.';
  throw new StoreLocked(directory, message);
}

function thisProcess(): Holder {
  const { pid } = process;
  const startedAtMs = Math.round(performance.timeOrigin);
  return { pid, host: hostname(), startedAtMs, startTicks: startTicksOf(pid) };
}

function isAlive({ pid, startedAtMs, startTicks }: Holder): boolean {
  if (pid === process.pid && startedAtMs !== thisProcess().startedAtMs) return false;
  const ticksNow = startTicksOf(pid);
  if (ticksNow !== null && startTicks !== null && ticksNow !== startTicks) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}

/** Field 22 of /proc/<pid>/stat; the command in field 2 may contain spaces and parentheses. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Undefined for a file that names nobody. */
function parseHolder(content: string): Holder | undefined {
  try {
    const { pid, host, startedAtMs, startTicks } = JSON.parse(content) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || pid === undefined || pid < 1) return undefined;
    if (typeof host !== 'string') return undefined;
    return { pid, host, startedAtMs: startedAtMs ?? 0, startTicks: startTicks ?? null };
  } catch {
    return undefined;
  }
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
