import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.js';
import { TIMING } from '../../src/domain/timing.js';
import { openConnections } from '../../src/providers/connections.js';
import { generateKey } from '../../src/transport/keyring.js';
import { composeFile, readText } from './files.js';
import { adaptedConfig, madeSecrets } from './installation.js';

const MOUNTED = /"\/run\/secrets\/([\w-]+)"/g;

describe('deploy/holdfast.json', () => {
  test('is a configuration, once its secrets are made as the guide tells', async () => {
    const secrets = await madeSecrets({
      'encryption-key': generateKey().base64,
      'payconiq-api-key': 'x',
    });
    const config = loadConfig({ file: await adaptedConfig(secrets, {}), environment: {} });
    expect(config.store.kind).toBe('postgres');
    expect(config.connections.map(({ provider }) => provider)).toEqual(['payconiq']);
    const { connections, timing, notificationSecret = '' } = config;
    const opened = openConnections({
      connections,
      timing: TIMING[timing],
      now: Date.now,
      notificationSecret,
    });
    expect(opened.get('shop-terminal')).toBeDefined();
    await opened.close();
  });

  test('is refused while the secrets that only a person can make are missing', async () => {
    const file = await adaptedConfig(await madeSecrets({}), {});
    const load = (): unknown => loadConfig({ file, environment: {} });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/encryption\.keys\.0\.secret: the file .*encryption-key cannot be read/);
    expect(load).toThrow(/connections\.shop-terminal\.apiKey: the file .*payconiq-api-key/);
  });

  test.each(['setup', 'worker', 'server'])(
    'names the secrets that %s is given, and no others',
    (name) => {
      const named = [...readText('deploy/holdfast.json').matchAll(MOUNTED)].map(([, each]) => each);
      const { secrets = [], configs = [], environment = {} } = composeFile().services[name]!;
      expect(named.toSorted()).toEqual([...secrets].toSorted());
      expect(configs).toEqual([{ source: 'holdfast', target: environment['HOLDFAST_CONFIG'] }]);
    },
  );

  test.each([
    ['deploy/temporal/schema.sh', 'temporal-schema'],
    ['deploy/temporal/server.sh', 'temporal'],
    ['deploy/postgres/databases.sql', 'postgres'],
    ['deploy/proxy/Caddyfile', 'ui-proxy'],
  ])('%s reads only secrets that %s is given', (file, name) => {
    const read = [...readText(file).matchAll(/\/run\/secrets\/([\w-]+)/g)].map(([, each]) => each);
    expect(composeFile().services[name]?.secrets).toEqual(expect.arrayContaining(read));
    expect(read).not.toEqual([]);
  });
});
