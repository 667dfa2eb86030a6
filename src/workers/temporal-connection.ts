/** How our processes reach Temporal: address, certificates and API key, in one place. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from '@temporalio/client';
import type { Config } from '../config.js';

/** Options that both kinds of Temporal connections take. */
export type TemporalConnection = Pick<ConnectionOptions, 'address' | 'tls'> & {
  readonly address: string;
  readonly apiKey?: string;
};

/** @throws Error when a certificate cannot be read, or the address is missing */
export function temporalConnection({ temporal }: Pick<Config, 'temporal'>): TemporalConnection {
  const { address, apiKey } = temporal;
  if (address === undefined) {
    throw new Error('temporal.address is needed: only `holdfast dev` starts a Temporal of its own');
  }
  const tls = tlsOf(temporal.tls);
  return { address, ...(apiKey !== undefined && { apiKey }), ...(tls !== undefined && { tls }) };
}

function tlsOf(tls: Config['temporal']['tls']): ConnectionOptions['tls'] {
  if (tls === undefined || typeof tls === 'boolean') return tls ? true : undefined;
  const { serverName, caFile, certificateFile, keyFile } = tls;
  return {
    ...(serverName !== undefined && { serverNameOverride: serverName }),
    ...(caFile !== undefined && { serverRootCACertificate: readFileSync(caFile) }),
    ...(certificateFile !== undefined &&
      keyFile !== undefined && {
        clientCertPair: { crt: readFileSync(certificateFile), key: readFileSync(keyFile) },
      }),
  };
}
