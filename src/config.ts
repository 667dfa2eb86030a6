/**
 * The only reader of the environment and of config files. It reports every problem at once, and
 * gives secrets only to those who need them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Violation } from './domain/problem.js';
import { checkConnections } from './providers/connections.js';
import type { ConnectionSettings } from './providers/connections.js';
import { checkKeys } from './transport/keyring.js';

export const SCOPES = ['payments:read', 'payments:write', 'operations', 'personal_data'] as const;

const text = z.string().min(1);
const port = z.int().min(0).max(65_535);

/** A secret is never written into a config file, only where to find it. */
const secret = z.union([z.strictObject({ env: text }), z.strictObject({ file: text })], {
  error: 'must be { "env": "NAME" } or { "file": "path" }: secrets are never written inline',
});

const configFile = z.strictObject({
  temporal: z
    .strictObject({
      /** `host:port`; left out, `holdfast dev` starts a server of its own. */
      address: text.optional(),
      namespace: text.default('default'),
      taskQueue: text.default('holdfast'),
      /** The `temporal` program, for `holdfast dev`. */
      cliPath: text.optional(),
      cacheDir: text.optional(),
      /** For Temporal Cloud and other guarded servers. */
      apiKey: secret.optional(),
      /** `true`, or what the server's and our own certificates are. */
      tls: z
        .union([
          z.boolean(),
          z.strictObject({
            serverName: text.optional(),
            caFile: text.optional(),
            certificateFile: text.optional(),
            keyFile: text.optional(),
          }),
        ])
        .optional(),
    })
    .prefault({}),
  store: z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('postgres'),
        url: secret,
        maxConnections: z.int().min(1).max(500).optional(),
      }),
      z.strictObject({ kind: z.literal('embedded'), directory: text }),
    ])
    .default({ kind: 'embedded', directory: '.holdfast/store' }),
  http: z
    .strictObject({
      host: text.default('127.0.0.1'),
      port: port.default(8080),
      /** Where providers reach the notification door. */
      publicUrl: z.url({ protocol: /^https?$/ }).optional(),
    })
    .prefault({}),
  /** Makes notification URLs unguessable; all processes need the same. */
  notificationSecret: secret.optional(),
  apiKeys: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
        secret,
        scopes: z.array(z.enum(SCOPES)).min(1).default(['payments:read', 'payments:write']),
      }),
    )
    .default([]),
  connections: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
        provider: text,
        settings: z.record(z.string(), z.unknown()),
      }),
    )
    .default([]),
  /** Everything that Temporal stores for us, and raw notifications, are encrypted with these keys. */
  encryption: z
    .strictObject({
      /** The first encrypts; the others read what older ones wrote. 32 bytes each, in base64. */
      keys: z.array(z.strictObject({ id: text, secret })).min(1),
      /** Takes unencrypted payloads too: while histories from before encryption are open. */
      allowPlain: z.boolean().default(false),
      /** Lets the Temporal UI and CLI show what is encrypted. */
      codec: z
        .strictObject({
          host: text.default('127.0.0.1'),
          port: port.default(8234),
          tokens: z.array(secret).default([]),
          /** Where the Temporal UI is served, e.g. `https://temporal.example.com`. */
          origins: z.array(text).default([]),
        })
        .optional(),
    })
    .optional(),
  /** `fast` is for simulation only. */
  timing: z.enum(['production', 'fast']).default('production'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

type ConfigFile = z.infer<typeof configFile>;

export interface ApiKey {
  readonly id: string;
  readonly secret: string;
  readonly scopes: readonly (typeof SCOPES)[number][];
}

export interface Encryption {
  /** The first encrypts. */
  readonly keys: readonly { readonly id: string; readonly secret: string }[];
  readonly allowPlain: boolean;
  readonly codec?: {
    readonly host: string;
    readonly port: number;
    readonly tokens: readonly string[];
    readonly origins: readonly string[];
  };
}

/** The configuration with its secrets read. Never log it. */
export interface Config extends Omit<
  ConfigFile,
  'store' | 'notificationSecret' | 'apiKeys' | 'connections' | 'temporal' | 'encryption'
> {
  readonly temporal: Omit<ConfigFile['temporal'], 'apiKey'> & {
    readonly apiKey?: string | undefined;
    /** Folders to search for programs, as PATH. */
    readonly searchPath: string | undefined;
  };
  readonly store:
    | { readonly kind: 'postgres'; readonly url: string; readonly maxConnections?: number }
    | { readonly kind: 'embedded'; readonly directory: string };
  readonly notificationSecret: string | undefined;
  readonly encryption: Encryption | undefined;
  readonly apiKeys: readonly ApiKey[];
  readonly connections: readonly ConnectionSettings[];
}

/** Everything that is wrong with a configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly violations: readonly Violation[];

  constructor(source: string, violations: readonly Violation[]) {
    const lines = violations.map(({ field, rule }) => `  ${field || '(file)'}: ${rule}`);
    super(`${source} cannot be used:\n${lines.join('\n')}`);
    this.violations = violations;
  }
}

/** Where a server of this configuration is reached on its own machine. */
export function localUrl({ host, port: number }: Pick<Config['http'], 'host' | 'port'>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${number}`;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_FILE = 'holdfast.config.json';

/**
 * Reads the configuration.
 *
 * @param options.file the file; else HOLDFAST_CONFIG; else `holdfast.config.json` if there is one;
 *   else the defaults
 * @throws ConfigError with every problem in it
 */
export function loadConfig(
  options: { readonly file?: string | undefined; readonly environment?: Environment } = {},
): Config {
  const environment = options.environment ?? process.env;
  const named = options.file ?? environment['HOLDFAST_CONFIG'];
  const path = named ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  const source = path ?? 'the default configuration';
  const raw = path === undefined ? {} : readJson(path);
  const parsed = configFile.safeParse(raw);
  if (!parsed.success) throw new ConfigError(source, parsed.error.issues.map(toViolation));
  return completeConfig(parsed.data, source, environment);
}

/** What holds where nothing is configured, whatever files lie about. */
export function defaultConfig(): Config {
  return completeConfig(configFile.parse({}), 'the default configuration', process.env);
}

function completeConfig(file: ConfigFile, source: string, environment: Environment): Config {
  const violations: Violation[] = [];
  const read = (reference: z.infer<typeof secret>, field: string): string => {
    const found = readSecret(reference, environment);
    if (typeof found === 'string') return found;
    violations.push({ field, ...found });
    return '';
  };
  const { notificationSecret, apiKeys, connections, store, encryption, ...plain } = file;
  const config: Config = {
    ...plain,
    temporal: {
      ...plain.temporal,
      apiKey: plain.temporal.apiKey && read(plain.temporal.apiKey, 'temporal.apiKey'),
      searchPath: environment['PATH'],
    },
    store:
      store.kind === 'embedded'
        ? store
        : {
            kind: 'postgres',
            url: read(store.url, 'store.url'),
            ...(store.maxConnections !== undefined && { maxConnections: store.maxConnections }),
          },
    notificationSecret: notificationSecret && read(notificationSecret, 'notificationSecret'),
    encryption: encryption && readEncryption(encryption, read),
    apiKeys: apiKeys.map((key, index) => ({
      ...key,
      secret: read(key.secret, `apiKeys.${index}.secret`),
    })),
    connections: connections.map((connection) => ({
      ...connection,
      settings: readSecrets(connection.settings, `connections.${connection.id}`, read),
    })),
  };
  violations.push(
    ...duplicates(
      connections.map(({ id }) => id),
      'connections',
    ),
    ...duplicates(
      apiKeys.map(({ id }) => id),
      'apiKeys',
    ),
    ...checkConnections(connections, config.connections),
    ...checkNotifications(config),
    ...(config.encryption ? checkKeys(config.encryption.keys) : []).map((each) => ({
      ...each,
      field: `encryption.keys.${each.field}`,
    })),
  );
  if (violations.length > 0) throw new ConfigError(source, oneForEachField(violations));
  return config;
}

type Read = (reference: z.infer<typeof secret>, field: string) => string;

function readEncryption(
  { keys, allowPlain, codec }: NonNullable<ConfigFile['encryption']>,
  read: Read,
): Encryption {
  return {
    keys: keys.map((key, index) => ({
      id: key.id,
      secret: read(key.secret, `encryption.keys.${index}.secret`),
    })),
    allowPlain,
    ...(codec && {
      codec: {
        ...codec,
        tokens: codec.tokens.map((token, index) => read(token, `encryption.codec.tokens.${index}`)),
      },
    }),
  };
}

/** The first problem of a field explains the ones after it. */
function oneForEachField(violations: readonly Violation[]): readonly Violation[] {
  const firsts = new Map(violations.toReversed().map((each) => [each.field, each]));
  return [...firsts.values()].reverse();
}

function checkNotifications({ http, notificationSecret, connections }: Config): Violation[] {
  if (http.publicUrl === undefined || notificationSecret !== undefined) return [];
  if (connections.length === 0) return [];
  const rule = 'is needed with http.publicUrl: it makes notification URLs unguessable';
  return [{ field: 'notificationSecret', rule }];
}

function duplicates(ids: readonly string[], field: string): Violation[] {
  const repeated = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
  return [...repeated].map((id) => ({ field, rule: `the id ${id} stands more than once` }));
}

/** Replaces every secret reference within settings. */
function readSecrets(value: unknown, field: string, read: Read): unknown {
  const reference = secret.safeParse(value);
  if (reference.success) return read(reference.data, field);
  if (Array.isArray(value)) {
    return value.map((each, index) => readSecrets(each, `${field}.${index}`, read));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      readSecrets(each, `${field}.${name}`, read),
    ]),
  );
}

function readSecret(
  reference: z.infer<typeof secret>,
  environment: Environment,
): string | { readonly rule: string } {
  if ('env' in reference) {
    const value = environment[reference.env];
    return value === undefined || value === ''
      ? { rule: `the environment variable ${reference.env} is not set` }
      : value;
  }
  try {
    return readFileSync(reference.file, 'utf8').trim();
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    return { rule: `the file ${reference.file} cannot be read (${code})` };
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const rule = isMissing ? 'there is no such file' : `is not JSON: ${(error as Error).message}`;
    throw new ConfigError(resolve(path), [{ field: '', rule }]);
  }
}

function toViolation(issue: z.core.$ZodIssue): Violation {
  return { field: issue.path.join('.'), rule: issue.message };
}
