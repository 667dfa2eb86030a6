import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractZipEntry, listZip } from '../../src/temporal/zip.js';
import { zipOf, type ZipSource } from './zip-of.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-zip-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function archived(content: Buffer): Promise<string> {
  const path = join(folder, 'archive.zip');
  await writeFile(path, content);
  return path;
}

async function extracted(source: ZipSource): Promise<string> {
  const archive = await archived(zipOf([{ name: 'other', content: 'x' }, source], 'a comment'));
  const entry = (await listZip(archive)).find(({ name }) => name === source.name);
  const destination = join(folder, 'out');
  await extractZipEntry(entry!, { archive, destination });
  expect((await stat(destination)).mode & 0o111).toBe(0o111);
  return readFile(destination, 'utf8');
}

describe('a zip archive', () => {
  it('gives back what was deflated', async () => {
    const content = 'again and again '.repeat(10_000);
    expect(await extracted({ name: 'a/b', content, deflate: deflateRawSync })).toBe(content);
  });

  it('gives back what was stored', async () => {
    expect(await extracted({ name: 'a/b', content: 'as it is' })).toBe('as it is');
  });

  it('is refused with an unknown compression', async () => {
    await expect(extracted({ name: 'a', content: 'x', method: 12 })).rejects.toThrow(
      'zip entry "a" has the unsupported method 12',
    );
  });

  it('is refused when its end is missing', async () => {
    const whole = zipOf([{ name: 'a', content: 'x' }]);
    const archive = await archived(whole.subarray(0, whole.length - 1));
    await expect(listZip(archive)).rejects.toThrow('not a zip archive');
  });

  it('is refused when its directory is not where its end says', async () => {
    const whole = zipOf([{ name: 'a', content: 'x' }]);
    whole.writeUInt32LE(3, whole.length - 6);
    await expect(listZip(await archived(whole))).rejects.toThrow('damaged zip archive');
  });
});
