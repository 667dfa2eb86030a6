import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeSigningKey } from '../../src/cli/signing-key.js';
import { payconiqSettings } from '../../src/providers/payconiq/config.js';

test('PCQ-18: a new signing key is private, fits the settings, and overwrites none', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-'));
  const file = join(directory, 'payconiq.pem');
  const { kid, privateKeyPem } = JSON.parse(await makeSigningKey(file)) as Record<string, unknown>;
  const pem = await readFile(file, 'utf8');
  expect(privateKeyPem).toEqual({ file });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const signing = { kid, privateKeyPem: pem };
  expect(payconiqSettings.parse({ profileId: 'p', merchantId: 'm', signing }).signing).toEqual([
    signing,
  ]);
  await expect(makeSigningKey(file)).rejects.toThrow('EEXIST');
  expect(await readFile(file, 'utf8')).toBe(pem);
  await rm(directory, { recursive: true });
});
