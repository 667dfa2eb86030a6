/** The files an installation is made of, as they are shipped. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Made by whoever installs Holdfast, as deploy/README.md tells; not in the repository. */
export const SECRETS_FOLDER = 'deploy/secrets/';

/** As docker-compose.yml writes them; what other forms the format allows is not looked for. */
export interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly restart: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
}

type Files = Readonly<Record<string, { readonly file: string }>>;

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly configs: Files;
  readonly secrets: Files;
  readonly networks: Readonly<Record<string, object>>;
  readonly volumes: Readonly<Record<string, object>>;
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function composeFile(): ComposeFile {
  return parse(readText('docker-compose.yml'), { merge: true }) as ComposeFile;
}

/** What deploy/holdfast.json says where others have to agree with it. */
export interface ShippedConfig {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly http: { readonly port: number };
  readonly encryption: { readonly codec: { readonly port: number; readonly origins: string[] } };
}

export function shippedConfig(): ShippedConfig {
  return JSON.parse(readText('deploy/holdfast.json')) as ShippedConfig;
}
