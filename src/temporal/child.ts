import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** A server that runs as our child until it is stopped, or until this process ends. */
export interface ServerChild {
  readonly pid: number;
  /** Settles when the child is gone, with the reason in words; never rejects. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end, and kills it after `graceMs`. Returns when it is gone. */
  stop(options?: { signal?: NodeJS.Signals; graceMs?: number }): Promise<void>;
}

const DEFAULT_GRACE_MS = 5_000;

/**
 * Starts a server in a process group of its own, so that a Ctrl-C reaches it only through us and
 * what we stop is stopped in order. It is killed when this process exits; on Linux with `setpriv`
 * also when this process is killed.
 *
 * @throws Error where the command cannot be started.
 */
export async function startChild(
  command: readonly [string, ...string[]],
  options: Pick<SpawnOptions, 'stdio' | 'cwd' | 'uid' | 'gid'>,
): Promise<ServerChild> {
  const [executable, ...args] = tiedToParent(command);
  const child = spawn(executable, args, { ...options, detached: true });
  await spawned(child);
  return supervise(child);
}

function supervise(child: ChildProcess): ServerChild {
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const exited = new Promise<string>((settle) => {
    child.once('exit', (code, signal) => {
      process.off('exit', killAtExit);
      settle(signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
    });
  });
  return {
    pid: child.pid as number,
    exited,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    signal: (signal) => void child.kill(signal),
    stop: (stopOptions = {}) => stopChild(child, { exited, ...stopOptions }),
  };
}

async function stopChild(
  child: ChildProcess,
  {
    exited,
    signal = 'SIGTERM',
    graceMs = DEFAULT_GRACE_MS,
  }: { exited: Promise<string>; signal?: NodeJS.Signals; graceMs?: number },
): Promise<void> {
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(killer);
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((settle, reject) => {
    child.once('spawn', settle);
    child.once('error', reject);
  });
}

let parentDeathSignal: boolean | undefined;

function tiedToParent(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  parentDeathSignal ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return parentDeathSignal ? ['setpriv', '--pdeathsig', 'KILL', ...command] : command;
}
