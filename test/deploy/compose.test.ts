import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { TIMING } from '../../src/domain/timing.js';
import {
  composeFile,
  readText,
  ROOT,
  SECRETS_FOLDER,
  shippedConfig,
  type ComposeService,
} from './files.js';

const compose = composeFile();
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith('holdfast:'));

function service(name: string): ComposeService {
  const found = compose.services[name];
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}

function publishedPorts({ ports = [] }: ComposeService): string[] {
  return ports.map((port) => port.split(':').at(-1) ?? '');
}

describe('docker-compose.yml', () => {
  test('is valid by the schema of the compose specification', () => {
    const schema = JSON.parse(readText('test/vectors/compose/compose-spec.json')) as object;
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
    validate(compose);
    expect(validate.errors).toBeNull();
    expect(validate({ ...compose, services: { worker: { imag: 'holdfast' } } })).toBe(false);
  });

  test('runs everything that the real thing consists of', () => {
    expect(Object.keys(compose.services)).toEqual([
      'postgres',
      'temporal-schema',
      'temporal',
      'temporal-ui',
      'setup',
      'worker',
      'server',
      'ui-proxy',
    ]);
    expect(ours.map(([name, { command }]) => [name, command])).toEqual([
      ['setup', ['setup']],
      ['worker', ['worker']],
      ['server', ['server']],
    ]);
  });

  test.each(services)('%s is of a pinned version, none of them auto-setup', (_name, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?$/);
    expect(image).not.toContain('auto-setup');
  });

  test('the image of ours is named by the version of the package', () => {
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    expect(new Set(ours.map(([, { image }]) => image))).toEqual(new Set([`holdfast:${version}`]));
  });

  test('the admin tools are of the version of the server', () => {
    const tag = ({ image }: ComposeService) => image.split(':')[1];
    expect(tag(service('temporal-schema'))).toBe(tag(service('temporal')));
  });

  test.each(services)('%s refers only to what is there', (_name, each) => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining(Object.keys(each.depends_on ?? {})),
    );
    expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining([...each.networks]));
    expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining([...(each.secrets ?? [])]));
    expect(Object.keys(compose.configs)).toEqual(
      expect.arrayContaining((each.configs ?? []).map(({ source }) => source)),
    );
    const named = (each.volumes ?? []).map((volume) => volume.split(':')[0]);
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named));
  });

  test.each(services)('%s waits only for conditions that can come true', (_name, each) => {
    for (const [name, { condition }] of Object.entries(each.depends_on ?? {})) {
      const isOneShot = service(name).restart.startsWith('on-failure');
      expect(condition === 'service_completed_successfully', name).toBe(isOneShot);
      if (condition === 'service_healthy')
        expect(service(name).healthcheck?.test, name).toBeDefined();
    }
  });

  test('every file that it mounts is in the repository, or is made as the guide tells', () => {
    const configs = Object.values(compose.configs).map(({ file }) => file);
    expect(configs.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    const guide = readText('deploy/README.md') + readText('deploy/make-secrets.sh');
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`${SECRETS_FOLDER}${name}`);
      expect(guide).toContain(name);
    }
    expect(readText('.gitignore').split('\n')).toContain(SECRETS_FOLDER);
  });

  test('every file shipped for it is mounted or told of', () => {
    const told = ['README.md', 'make-secrets.sh'];
    const mounted = Object.values(compose.configs).map(({ file }) => file.replace('deploy/', ''));
    const shipped = readdirSync(join(ROOT, 'deploy'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).replace(join(ROOT, 'deploy/'), ''))
      .filter((path) => !path.startsWith('secrets/'));
    expect(shipped.toSorted()).toEqual([...told, ...mounted].toSorted());
  });

  test('no secret stands in it: passwords come from files alone', () => {
    const variables = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const secretly = variables.filter(([name]) => /password|pwd|secret|token|key/i.test(name));
    expect(secretly).toEqual([['POSTGRES_PASSWORD_FILE', '/run/secrets/postgres-password']]);
  });

  test.each(services)('%s publishes its ports on loopback only', (_name, { ports = [] }) => {
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('the ports are those of the configuration', () => {
    const { http, encryption, temporal } = shippedConfig();
    expect(publishedPorts(service('server'))).toEqual([String(http.port)]);
    const [uiPort] = publishedPorts(service('ui-proxy'));
    const proxy = readText('deploy/proxy/Caddyfile');
    expect(proxy).toContain(`:${String(uiPort)} {`);
    expect(proxy).toContain(`reverse_proxy server:${String(encryption.codec.port)}`);
    expect(encryption.codec.origins).toEqual([
      `http://127.0.0.1:${String(uiPort)}`,
      `http://localhost:${String(uiPort)}`,
    ]);
    const { environment } = service('temporal-ui');
    expect(environment).toMatchObject({
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_DEFAULT_NAMESPACE: temporal.namespace,
      TEMPORAL_CORS_ORIGINS: encryption.codec.origins.join(','),
      TEMPORAL_CODEC_ENDPOINT: `http://127.0.0.1:${String(uiPort)}/codec`,
    });
    expect(temporal.address).toBe('temporal:7233');
  });

  test.each(ours)('%s runs without rights', (_name, each) => {
    expect(each.user).toBe('node');
    expect(each.read_only).toBe(true);
    expect(each.cap_drop).toEqual(['ALL']);
  });

  test.each(services)('%s gains no rights it did not start with', (_name, { security_opt }) => {
    expect(security_opt).toEqual(['no-new-privileges:true']);
  });

  test('only what has to be reached, or to reach others, is on a network with a way out', () => {
    const open = services.filter(([, { networks }]) => networks.includes('outside'));
    expect(open.map(([name]) => name)).toEqual(['worker', 'server', 'ui-proxy']);
    expect(compose.networks['inside']).toEqual({ internal: true });
  });

  test('the worker is given longer to stop than it takes, by force', () => {
    const { providerTimeoutMs, activityMarginMs } = TIMING.production;
    const forcedAfterMs = 4 * (providerTimeoutMs + activityMarginMs);
    const graceMs = 1_000 * Number.parseInt(service('worker').stop_grace_period ?? '', 10);
    expect(service('worker').stop_grace_period).toMatch(/^\d+s$/);
    expect(graceMs).toBeGreaterThan(forcedAfterMs);
  });
});
