import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/temporal/ports.js';
import { createDatabase, sharedPostgres } from '../support/postgres.js';
import { sharedTemporal } from '../support/temporal.js';
import { composeFile } from './files.js';
import { adaptedConfig, madeSecrets, runHoldfast, startHoldfast } from './installation.js';

const { setup, worker, server } = composeFile().services;
const postgres = await sharedPostgres();

async function statusOf(url: string, init?: RequestInit): Promise<number> {
  return (await fetch(url, init)).status;
}

function bearer(secrets: string, name: string): { headers: Record<string, string> } {
  const token = readFileSync(join(secrets, name), 'utf8').trim();
  return { headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
}

test('the program asks for a configuration where it is given none', async () => {
  const { code, output } = await runHoldfast(worker?.command ?? []);
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringContaining('temporal.address is needed') as unknown,
  });
});

test('the program knows every command that the compose file gives it', async () => {
  const { output } = await runHoldfast(['--help']);
  const commands = [setup, worker, server].flatMap((service) => service?.command ?? []);
  expect(commands).toHaveLength(3);
  for (const command of [...commands, 'health']) {
    expect(output).toMatch(new RegExp(`^  ${command} `, 'm'));
  }
});

describe.runIf(postgres !== undefined)('what is shipped', () => {
  test(
    'starts from nothing: the three commands of the compose file, on the shipped configuration',
    {
      timeout: 120_000,
    },
    async () => {
      const database = await createDatabase(postgres!.url);
      onTestFinished(() => database.drop());
      const { output: key } = await runHoldfast(['key']);
      const secrets = await madeSecrets({
        'holdfast-database-url': database.url,
        'encryption-key': (JSON.parse(key) as { base64: string }).base64,
        'payconiq-api-key': 'a key that is never used'.replaceAll(' ', '-'),
      });
      const { address } = await sharedTemporal();
      const [httpPort, codecPort] = [await freePort(), await freePort()];
      const namespace = `deploy-${String(httpPort)}`;
      const config = await adaptedConfig(secrets, {
        temporal: { address, namespace },
        httpPort,
        codecPort,
      });

      const first = await runHoldfast(setup?.command ?? [], config);
      expect(first).toEqual({ code: 0, output: expect.stringContaining('registered') as unknown });
      expect((await runHoldfast(['health'], config)).output).toContain('no worker of this machine');

      const up = { config, saysWhenUp: 'API on' };
      const [running, working, again] = await Promise.all([
        startHoldfast(server?.command ?? [], up),
        startHoldfast(worker?.command ?? [], {
          config,
          saysWhenUp: 'worker on task queue holdfast',
        }),
        runHoldfast(setup?.command ?? [], config),
      ]);
      expect(again.code).toBe(0);

      const api = `http://127.0.0.1:${String(httpPort)}`;
      expect(await statusOf(`${api}/health`)).toBe(200);
      expect(await statusOf(`${api}/ready`)).toBe(200);
      expect(await statusOf(`${api}/v1/payments`)).toBe(401);
      expect(await statusOf(`${api}/v1/payments`, bearer(secrets, 'api-key-shop'))).toBe(200);

      const decode = `http://127.0.0.1:${String(codecPort)}/decode`;
      const asked = { method: 'POST', body: '{}' };
      expect(await statusOf(decode, { ...bearer(secrets, 'api-key-shop'), ...asked })).toBe(401);
      expect(await statusOf(decode, { ...bearer(secrets, 'codec-token'), ...asked })).toBe(200);

      await expect
        .poll(() => runHoldfast(['health'], config), { timeout: 45_000 })
        .toMatchObject({ code: 0 });

      expect(await Promise.all([running.stop(), working.stop()])).toEqual([0, 0]);
    },
  );
});
