import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, type Config } from '../src/config.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(content: unknown, environment: Record<string, string> = {}): Config {
  const file = join(folder, 'config.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ file, environment });
}

function problemsOf(content: unknown, environment: Record<string, string> = {}) {
  try {
    load(content, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.violations;
    throw error;
  }
  throw new Error('the configuration was taken');
}

const PAYCONIQ = {
  id: 'shop',
  provider: 'payconiq',
  settings: { profileId: 'profile', apiKey: { env: 'PAYCONIQ_KEY' } },
};

test('without a file everything has a default that stays on this machine', () => {
  const config = loadConfig({ environment: { PATH: '/bin' } });

  expect(config.http.host).toBe('127.0.0.1');
  expect(config.store).toEqual({ kind: 'embedded', directory: '.holdfast/store' });
  expect(config.temporal.searchPath).toBe('/bin');
});

test('secrets are read from the environment and from files', () => {
  writeFileSync(join(folder, 'secret'), 'from-file\n');
  const config = load(
    {
      connections: [PAYCONIQ],
      apiKeys: [{ id: 'backend', secret: { file: join(folder, 'secret') } }],
    },
    { PAYCONIQ_KEY: 'from-env' },
  );

  expect(config.connections[0]?.settings).toMatchObject({ apiKey: 'from-env' });
  expect(config.apiKeys[0]).toMatchObject({
    secret: 'from-file',
    scopes: ['payments:read', 'payments:write'],
  });
});

test('every problem is reported at once, with its field', () => {
  const problems = problemsOf({
    http: { publicUrl: 'https://pay.example.com' },
    apiKeys: [
      { id: 'backend', secret: { env: 'MISSING' } },
      { id: 'backend', secret: { env: 'MISSING' } },
    ],
    connections: [
      { ...PAYCONIQ, settings: { profileId: '', apiKey: 'written inline', voidSupport: 'yes' } },
      { id: 'other', provider: 'paypal', settings: {} },
    ],
  });

  expect(problems.map(({ field }) => field).sort()).toEqual([
    'apiKeys',
    'apiKeys.0.secret',
    'apiKeys.1.secret',
    'connections.other.provider',
    'connections.shop.apiKey',
    'connections.shop.profileId',
    'connections.shop.voidSupport',
    'notificationSecret',
  ]);
});

describe('a secret written inline is refused, and not repeated in the message', () => {
  test.each([
    ['an API key', { apiKeys: [{ id: 'backend', secret: 's3cret-value' }] }],
    ['a database URL', { store: { kind: 'postgres', url: 'postgres://u:s3cret-value@db/x' } }],
    [
      'a provider key',
      { connections: [{ ...PAYCONIQ, settings: { profileId: 'p', apiKey: 's3cret-value' } }] },
    ],
  ])('%s', (_name, content) => {
    const problems = problemsOf(content);

    expect(JSON.stringify(problems)).toContain('never written inline');
    expect(JSON.stringify(problems)).not.toContain('s3cret-value');
  });
});

test('an unknown setting is refused rather than ignored', () => {
  expect(problemsOf({ htp: {} })).toHaveLength(1);
});

test('a file that is not JSON, or not there, is named', () => {
  expect(() => load('{')).toThrow(/config\.json cannot be used:\n {2}\(file\): is not JSON/);
  expect(() => loadConfig({ file: join(folder, 'absent.json'), environment: {} })).toThrow(
    /absent\.json cannot be used:\n {2}\(file\): there is no such file/,
  );
});
