/** An installation as the guide leads to it, in a temporary folder instead of containers. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { readText, ROOT, shippedConfig, type ShippedConfig } from './files.js';

const run = promisify(execFile);

const PROGRAM = join(
  ROOT,
  (JSON.parse(readText('package.json')) as { bin: { holdfast: string } }).bin.holdfast,
);

/** A folder with everything that `make-secrets.sh` makes, and these others; removed with the test. */
export async function madeSecrets(others: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-deploy-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await run('sh', [join(ROOT, 'deploy/make-secrets.sh'), folder]);
  for (const [name, value] of Object.entries(others)) {
    await rm(join(folder, name), { force: true });
    await writeFile(join(folder, name), `${value}\n`, { mode: 0o444 });
  }
  return folder;
}

/** What of the shipped configuration belongs to the containers' own world. */
export interface Changes {
  readonly temporal?: ShippedConfig['temporal'];
  readonly httpPort?: number;
  readonly codecPort?: number;
}

/** The shipped configuration with its secrets in another folder. Returns the file's path. */
export async function adaptedConfig(secrets: string, changes: Changes): Promise<string> {
  const { temporal, http, encryption, ...others } = shippedConfig();
  const { httpPort = http.port, codecPort = encryption.codec.port } = changes;
  const adapted = {
    ...others,
    temporal: { ...temporal, ...changes.temporal },
    http: { ...http, port: httpPort },
    encryption: { ...encryption, codec: { ...encryption.codec, port: codecPort } },
  };
  const path = join(secrets, 'holdfast.json');
  await writeFile(path, JSON.stringify(adapted).replaceAll('/run/secrets/', `${secrets}/`));
  return path;
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs the built program to its end. */
export function runHoldfast(args: readonly string[], config?: string): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], settings(config), (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

export interface LongRunning {
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts the built program; it is killed with the test at the latest.
 *
 * @throws Error with its output when it ends before it has said that it is up
 */
export async function startHoldfast(
  args: readonly string[],
  { config, saysWhenUp }: { readonly config: string; readonly saysWhenUp: string },
): Promise<LongRunning> {
  const child = spawn(process.execPath, [PROGRAM, ...args], settings(config));
  onTestFinished(() => void child.kill('SIGKILL'));
  await untilSaid(child, saysWhenUp);
  return {
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

function untilSaid(child: ChildProcess, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const hear = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (output.includes(wanted)) resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => reject(new Error(`it ended by itself: ${output}`)));
  });
}

/** Nothing of this process's environment but what finds programs: as in a container. */
function settings(config: string | undefined) {
  return {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], ...(config !== undefined && { HOLDFAST_CONFIG: config }) },
  };
}
