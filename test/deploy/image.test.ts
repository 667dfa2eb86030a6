import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composeFile, readText, ROOT, shippedConfig } from './files.js';

type Instruction = readonly [name: string, value: string];

/** The instructions of the Dockerfile, continued lines joined. */
const instructions: readonly Instruction[] = readText('Dockerfile')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]);

const lastFrom = instructions.findLastIndex(([name]) => name === 'FROM');
/** What the image is; the stages before only build. */
const final = instructions.slice(lastFrom);
const packageJson = JSON.parse(readText('package.json')) as {
  readonly bin: { readonly holdfast: string };
  readonly engines: { readonly node: string };
};

function valuesOf(name: string, of: readonly Instruction[] = instructions): string[] {
  return of.filter(([each]) => each === name).map(([, value]) => value);
}

function oneOf(name: string): string {
  const values = valuesOf(name, final);
  expect(values, name).toHaveLength(1);
  return values[0] ?? '';
}

describe('the Dockerfile', () => {
  test('builds on one pinned version of Node, which the package allows', () => {
    const images = new Set(valuesOf('FROM').map((value) => value.split(' ')[0]));
    expect(images.size).toBe(1);
    const [, major, minor] = /^node:(\d+)\.(\d+)\.\d+-bookworm-slim$/.exec([...images][0]!) ?? [];
    expect(packageJson.engines.node).toBe('>=20.19');
    expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(2_019);
  });

  test('does not run as root', () => {
    expect(oneOf('USER')).toBe('node');
  });

  test("starts the package's own command, where it is copied to", () => {
    const folder = oneOf('WORKDIR');
    const program = join(folder, packageJson.bin.holdfast);
    expect(JSON.parse(oneOf('ENTRYPOINT'))).toEqual(['node', program]);
    expect(valuesOf('COPY', final)).toContain('--from=build /build/dist ./dist');
    const { worker } = composeFile().services;
    expect(worker?.healthcheck?.test).toEqual(['CMD', 'node', program, 'health']);
  });

  test('brings package.json along, from which the program reads its version', () => {
    const copied = valuesOf('COPY', final).flatMap((value) => value.split(' '));
    expect(copied).toContain('package.json');
  });

  test('installs no development package in the final stage', () => {
    const installs = valuesOf('RUN').filter((command) => command.startsWith('npm'));
    expect(installs).toEqual([
      'npm ci --ignore-scripts',
      'npm run build',
      'npm ci --ignore-scripts --omit=dev',
    ]);
    expect(valuesOf('COPY', final)).toContain(
      '--from=dependencies /build/node_modules ./node_modules',
    );
  });

  test('copies only what is there and what .dockerignore lets through', () => {
    const [everything, ...allowed] = readText('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).toBe('*');
    const copied = valuesOf('COPY')
      .filter((value) => !value.startsWith('--from='))
      .flatMap((value) => value.split(' ').slice(0, -1));
    expect(new Set(copied)).toEqual(new Set(allowed.map((line) => line.replace('!', ''))));
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('asks after the health of the port that is configured', () => {
    const { http, encryption } = shippedConfig();
    expect(oneOf('HEALTHCHECK')).toContain(`http://127.0.0.1:${String(http.port)}/health'`);
    expect(oneOf('EXPOSE')).toBe(`${String(http.port)} ${String(encryption.codec.port)}`);
  });
});
